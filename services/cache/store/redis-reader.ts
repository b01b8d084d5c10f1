import { orThrow, type Reply } from '../../redis/command.ts'
import type { RedisLink } from '../../redis/link.ts'
import type { Deadline, Deadlines } from '../../upstream/deadlines.ts'
import type { Breaker } from './breaker.ts'
import type { PendingPurges } from './pending-purges.ts'
import { type Candidate, readEntry } from './redis-entry.ts'
import { RedisJudge } from './redis-judge.ts'
import { TierSlowError } from './errors.ts'
import type { RedisKeys } from './redis-keys.ts'
import type { RedisPurgeLog } from './redis-purge-log.ts'
import type { TierFound } from './tier.ts'

export interface RedisReaderOptions {
  link: RedisLink
  keys: RedisKeys
  log: RedisPurgeLog
  pending: PendingPurges
  breaker: Breaker
  /** On the clock of `clock`. */
  deadlines: Deadlines
  /** Milliseconds that only grow. */
  clock: () => number
  /** How long a read may take. */
  waitMs: number
  now: () => number
}

/** Keys in one batch. */
const BATCH_KEYS = 128
/** Keys that are being waited for; more are not asked. */
const MOST_WAITING = 2_048
/** The deadlines' clock is coarse: what is due may be up to this late. */
export const TICK_MS = 10

/**
 * Reads entries: those of one turn of the event loop together, in one round trip; a second one for the tags that what was
 * found carries. Nobody waits longer than `waitMs`.
 */
export class RedisReader {
  readonly #options: RedisReaderOptions
  readonly #judge: RedisJudge
  #next: ReadBatch | undefined
  #waiting = 0
  /** When a batch came too late. */
  #slowAt = 0
  /** Keys of the last one that did, or failed. */
  #missed: readonly string[] = []
  reads = 0
  hits = 0
  failures = 0
  skipped = 0
  broken = 0

  constructor(options: RedisReaderOptions) {
    this.#options = options
    this.#judge = new RedisJudge(options)
  }

  async read(key: string): Promise<readonly TierFound[]> {
    if (!this.#options.breaker.isUp || this.#waiting >= MOST_WAITING) {
      this.skipped++
      return []
    }
    this.reads++
    this.#waiting++
    const found = await this.#batch().add(key)
    this.#waiting--
    if (found.length > 0) this.hits++
    return found
  }

  /**
   * Asks again for what came too late or failed last: of a cluster, one node alone may be away.
   * @throws what Redis or the link throws
   */
  async probe(): Promise<void> {
    const { link, keys: names } = this.#options
    if (this.#missed.length > 0)
      orThrow(await link.batch(this.#missed.map((key) => ['hgetall', names.entry(key).entry])))
    this.#missed = []
  }

  #batch(): ReadBatch {
    if (this.#next !== undefined && this.#next.keys.length < BATCH_KEYS) return this.#next
    const { deadlines, breaker, waitMs, clock } = this.#options
    const batch = new ReadBatch(clock, waitMs, () => {
      // It was this process that stood still: the answer may be there, and only not be read yet.
      if (batch.postpone()) return
      deadlines.remove(batch)
      this.failures += batch.keys.length
      this.#missed = batch.keys
      // Several that were under way at once have met with the same hitch.
      if (batch.startedAt >= this.#slowAt) {
        this.#slowAt = clock()
        breaker.fail(new TierSlowError(waitMs).message)
      }
      batch.settle([])
    })
    deadlines.add(batch)
    this.#next = batch
    setImmediate(() => void this.#run(batch))
    return batch
  }

  async #run(batch: ReadBatch): Promise<void> {
    if (this.#next === batch) this.#next = undefined
    const { deadlines, breaker } = this.#options
    try {
      const found = await this.#find(batch.keys)
      if (batch.settled) return
      breaker.succeed()
      batch.settle(found)
    } catch (error) {
      if (batch.settled) return
      this.failures += batch.keys.length
      this.#missed = batch.keys
      breaker.fail(error instanceof Error ? error.message : String(error))
      batch.settle([])
    }
    deadlines.remove(batch)
  }

  async #find(keys: readonly string[]): Promise<(readonly TierFound[])[]> {
    const { link, keys: names, log, pending, now } = this.#options
    const known = log.position
    const mark = pending.mark()
    const replies = await link.batch([
      this.#judge.question(keys),
      ...keys.map((key) => ['hgetall', names.entry(key).entry] as const),
    ])
    const [purges, ...entries] = replies
    if (purges instanceof Error) throw purges
    const offset = log.clockOffset ?? 0
    const clock = { offset, now: now() + offset }
    const candidates = entries.map((reply, index) => this.#candidates(keys[index] as string, reply, clock))
    const standings = await this.#judge.judge({ keys, known, reply: purges }, candidates)
    return candidates.map((responses, index) =>
      responses.flatMap(({ key, tags, stored }, place) => {
        const standing = standings[index]?.[place]
        if (standing === 'purged' || pending.blocked(mark, key, tags)) return []
        return [{ stored, invalidated: standing === 'invalidated' }]
      }),
    )
  }

  #candidates(key: string, reply: Reply, clock: { offset: number; now: number }): Candidate[] {
    // One node of a cluster may be away while others answer.
    if (reply instanceof Error) {
      this.failures++
      return []
    }
    const { candidates, broken } = readEntry(key, reply as Record<string, Buffer>, clock)
    this.broken += broken
    return candidates
  }
}

class ReadBatch implements Deadline {
  readonly keys: string[] = []
  readonly #resolvers: ((found: readonly TierFound[]) => void)[] = []
  readonly expire: () => void
  readonly startedAt: number
  deadlineAt: number
  previous: Deadline | null = null
  next: Deadline | null = null
  settled = false
  readonly #clock: () => number
  #postponed = false

  constructor(clock: () => number, waitMs: number, expire: () => void) {
    this.#clock = clock
    this.startedAt = clock()
    this.deadlineAt = this.startedAt + waitMs - TICK_MS
    this.expire = expire
  }

  add(key: string): Promise<readonly TierFound[]> {
    this.keys.push(key)
    return new Promise((resolve) => this.#resolvers.push(resolve))
  }

  /** @returns whether it gets one more tick, since the one that was due came far too late */
  postpone(): boolean {
    const now = this.#clock()
    if (this.#postponed || now - this.deadlineAt < 2 * TICK_MS) return false
    this.deadlineAt = now
    this.#postponed = true
    return true
  }

  settle(found: readonly (readonly TierFound[])[]): void {
    this.settled = true
    this.#resolvers.forEach((resolve, index) => resolve(found[index] ?? []))
  }
}
