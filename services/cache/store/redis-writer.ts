import type { Command } from '../../redis/command.ts'
import type { RedisLink } from '../../redis/link.ts'
import type { StoredResponse } from '../stored.ts'
import type { Breaker } from './breaker.ts'
import { encode } from './codec.ts'
import { StoredFormatError } from './errors.ts'
import { type RedisKeys, variantName } from './redis-keys.ts'
import type { RedisPurgeLog } from './redis-purge-log.ts'
import { DROP, INDEX, STORE } from './redis-scripts.ts'

export interface RedisWriterOptions {
  link: RedisLink
  keys: RedisKeys
  log: RedisPurgeLog
  breaker: Breaker
  /** Longest that an entry is kept. */
  maxAgeMs: number
  maxEntryBytes: number
  /** Variants under one key. */
  maxVariants: number
  now: () => number
  /** Milliseconds that only grow. */
  clock: () => number
  /** Told why nothing is stored; `null`: it is again. */
  full?: (reason: string | null) => void
}

interface Queued {
  key: string
  stored: StoredResponse
  usableUntil: number
  /** The purges that it is later than. */
  position: number
}

/** A fill that takes longer is not stored: purges are remembered for so much longer than entries. */
export const LONGEST_FILL_MS = 900_000
const QUEUE_ENTRIES = 1_000
const QUEUE_BYTES = 64 * 1024 * 1024
const BATCH_ENTRIES = 64
const BATCH_BYTES = 2 * 1024 * 1024
/** All variants of an entry together, in largest entries. */
const ENTRY_BUDGET = 4
/** Places that an index of a URL or tag lists. */
const INDEX_MEMBERS = 10_000
const EVERYTHING = Number.MAX_SAFE_INTEGER
/** Between two attempts to store something where Redis has no memory left. */
const FULL_MS = 1_000
/** From within a script some versions put more before it. */
const OUT_OF_MEMORY = /\bOOM\b/

/** Writes entries behind everybody's back: one batch at a time, and what comes meanwhile in the next. */
export class RedisWriter {
  readonly #options: RedisWriterOptions
  #queue: Queued[] = []
  #bytes = 0
  #flushing: Promise<void> | undefined
  writes = 0
  dropped = 0
  /** Why nothing is stored, though Redis answers. */
  full: string | null = null
  #fullUntil = -Infinity

  constructor(options: RedisWriterOptions) {
    this.#options = options
  }

  get queued(): number {
    return this.#queue.length
  }

  write(key: string, stored: StoredResponse, usableUntil: number): void {
    const { breaker, clock, log, now } = this.#options
    const size = stored.body.length
    const hasNoRoom = this.#queue.length >= QUEUE_ENTRIES || this.#bytes + size > QUEUE_BYTES
    if (!breaker.isUp || hasNoRoom || clock() < this.#fullUntil || now() - stored.requestedAt > LONGEST_FILL_MS) {
      this.dropped++
      return
    }
    this.#queue.push({ key, stored, usableUntil, position: log.positionAt(stored.requestedAt) })
    this.#bytes += size
    this.#flushing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#flush())
  }

  /** Waits until what is queued is written or given up. */
  async drain(): Promise<void> {
    await this.#flushing
  }

  async #flush(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#take()
      try {
        if (this.#options.breaker.isUp) await this.#send(batch)
        else this.dropped += batch.length
      } catch (error) {
        this.dropped += batch.length
        this.#options.breaker.fail(error instanceof Error ? error.message : String(error))
      }
    }
    this.#flushing = undefined
  }

  #take(): Queued[] {
    let bytes = 0
    let count = 0
    for (const { stored } of this.#queue) {
      bytes += stored.body.length
      if (count > 0 && (count >= BATCH_ENTRIES || bytes > BATCH_BYTES)) break
      count++
    }
    const batch = this.#queue.splice(0, count)
    for (const { stored } of batch) this.#bytes -= stored.body.length
    return batch
  }

  async #send(batch: readonly Queued[]): Promise<void> {
    const commands: Command[] = []
    /** Where in them each entry is. */
    const places: number[] = []
    for (const queued of batch) {
      const needed = this.#commands(queued)
      if (needed.length === 0) continue
      places.push(commands.length)
      commands.push(...needed)
    }
    if (commands.length === 0) return
    const replies = await this.#options.link.batch(commands)
    const failed = places.filter((place) => replies[place] instanceof Error)
    this.dropped += failed.length
    this.writes += places.length - failed.length
    const refused = failed.length === places.length ? (replies[places[0] as number] as Error).message : null
    if (refused !== null && !OUT_OF_MEMORY.test(refused)) return this.#options.breaker.fail(refused)
    this.#options.breaker.succeed()
    this.#isFull(refused)
  }

  /** It still answers, and is read. */
  #isFull(reason: string | null): void {
    const { clock, full } = this.#options
    if (reason !== null) this.#fullUntil = clock() + FULL_MS
    if (reason === this.full) return
    this.full = reason
    full?.(reason)
  }

  #commands({ key, stored, usableUntil, position }: Queued): Command[] {
    const { keys, log, maxAgeMs, maxEntryBytes, maxVariants, now } = this.#options
    const { entry, urlIndex, member } = keys.entry(key)
    const lifeMs = Math.min(usableUntil - now(), maxAgeMs)
    if (lifeMs < 1) return []
    const payload = this.#encoded(stored)
    if (payload === undefined) return []
    // What is there is out of date now.
    if (payload.length > maxEntryBytes) return [{ script: DROP, keys: [entry], args: [EVERYTHING, 'hard'] }]
    const offset = Math.round(log.clockOffset ?? 0)
    const at = Math.round(now()) + offset
    const expires = Math.ceil(at + lifeMs)
    const bounds = [maxVariants, ENTRY_BUDGET * maxEntryBytes, member, INDEX_MEMBERS]
    return [
      {
        script: STORE,
        keys: [entry, urlIndex],
        args: [variantName(stored.vary), payload, position, at, expires, offset, ...bounds],
      },
      ...stored.tags.map((tag) => ({
        script: INDEX,
        keys: [keys.tagIndex(tag)],
        args: [at, expires, member, INDEX_MEMBERS],
      })),
    ]
  }

  #encoded(stored: StoredResponse): Buffer | undefined {
    try {
      return encode(stored)
    } catch (error) {
      if (!(error instanceof StoredFormatError)) throw error
      this.dropped++
      return undefined
    }
  }
}
