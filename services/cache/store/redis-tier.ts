import { textOf } from '../../redis/command.ts'
import type { RedisLink } from '../../redis/link.ts'
import { Deadlines } from '../../upstream/deadlines.ts'
import type { StoredResponse } from '../stored.ts'
import { Breaker } from './breaker.ts'
import { TierSlowError } from './errors.ts'
import { type PendingPurge, PendingPurges } from './pending-purges.ts'
import { RedisKeys } from './redis-keys.ts'
import { type RedisMemory, readMemory } from './redis-memory.ts'
import { RedisPurgeLog } from './redis-purge-log.ts'
import { RedisReader, TICK_MS } from './redis-reader.ts'
import { DROP } from './redis-scripts.ts'
import { LONGEST_FILL_MS, RedisWriter } from './redis-writer.ts'
import { isAnyHost, type Selector } from './selector.ts'
import { PURGE_WAIT_MS, TIER_WAIT_MS, type Tier, type TierFound, type TierStats } from './tier.ts'

export interface RedisTierOptions {
  link: RedisLink
  /** How every key begins. */
  prefix: string
  /** Longest that an entry is kept. */
  maxAgeMs: number
  /** Larger ones are not stored. */
  maxEntryBytes: number
  /** Variants under one key; default 32. */
  maxVariants?: number
  /** Milliseconds since 1970. */
  now?: () => number
  /** How long a read may take; default {@link TIER_WAIT_MS}. */
  waitMs?: number
  /** Milliseconds that only grow: the clock of waiting. */
  clock?: () => number
  /** Until the first probe of a server that went away; default 250 ms. */
  probeMs?: number
  /** Told when it goes away and comes back; also where it is not there from the start. */
  changed?: (state: 'up' | 'away', reason: string | null) => void
  /** Told why nothing is stored, though it is read; `null`: it is stored again. */
  full?: (reason: string | null) => void
}

const FAILURES = 3
const LONGEST_PROBE_MS = 2_000
const SYNC_EVERY_MS = 5_000
/** More than a fill's and an entry's time together. */
const SPARE_MS = 300_000
const DROP_AT_ONCE = 256

/** How long purges are remembered, for entries that are kept so long at most. */
function purgeKeepMs(maxAgeMs: number): number {
  return maxAgeMs + LONGEST_FILL_MS + SPARE_MS
}

/**
 * The second tier in Redis or Valkey, shared by machines. Every key it makes has an expiry. What makes something stored
 * unusable is {@link RedisPurgeLog}'s business.
 *
 * While Redis is away nothing is asked and nothing is written; purges wait (bounded) and are sent before anything is read
 * again.
 */
export class RedisTier implements Tier {
  /** Shared with whoever listens for other machines' purges. */
  readonly log: RedisPurgeLog
  readonly #link: RedisLink
  readonly #keys: RedisKeys
  readonly #deadlines: Deadlines
  readonly #pending = new PendingPurges()
  readonly #breaker: Breaker
  readonly #reader: RedisReader
  readonly #writer: RedisWriter
  readonly #timer: NodeJS.Timeout
  readonly #waitMs: number
  readonly #clock: () => number
  #memory: RedisMemory | null = null

  constructor(options: RedisTierOptions) {
    const { link, prefix, maxAgeMs, maxEntryBytes, maxVariants = 32, now = Date.now, probeMs = 250 } = options
    const { waitMs = TIER_WAIT_MS, clock = () => performance.now() } = options
    this.#link = link
    this.#waitMs = waitMs
    this.#clock = clock
    this.#keys = new RedisKeys(prefix)
    this.log = new RedisPurgeLog({ link, keys: this.#keys, keepMs: purgeKeepMs(maxAgeMs), now })
    this.#breaker = new Breaker(
      {
        failures: FAILURES,
        firstMs: probeMs,
        longestMs: Math.max(LONGEST_PROBE_MS, probeMs),
        probe: () => this.#probe(),
        changed: (state, reason) => {
          // Those that came while the last probe ended.
          if (state === 'up') for (const purge of this.#pending) void this.#apply(purge)
          options.changed?.(state, reason)
        },
      },
      'not connected yet',
    )
    this.#deadlines = new Deadlines({ tickMs: TICK_MS, now: clock })
    const shared = { link, keys: this.#keys, log: this.log, breaker: this.#breaker, now }
    const waiting = { pending: this.#pending, deadlines: this.#deadlines, clock, waitMs }
    this.#reader = new RedisReader({ ...shared, ...waiting })
    const { full } = options
    this.#writer = new RedisWriter({ ...shared, maxAgeMs, maxEntryBytes, maxVariants, clock, ...(full && { full }) })
    this.#timer = setInterval(() => void this.#sync(), SYNC_EVERY_MS).unref()
    link.on('ready', this.#linked)
    link.on('away', this.#unlinked)
    // Else the link says when it is there, or that it is not.
    if (link.ready) this.#breaker.probe()
  }

  read(key: string): Promise<readonly TierFound[]> {
    return this.#reader.read(key)
  }

  write(key: string, stored: StoredResponse, usableUntil: number): void {
    this.#writer.write(key, stored, usableUntil)
  }

  /** Every machine's {@link RedisBus} is told of it. Prefixes, patterns and everything are not counted: 0. */
  purge(selector: Selector, mode: 'hard' | 'soft'): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>()
    const timer = setTimeout(resolve, PURGE_WAIT_MS, 0).unref()
    const purge = this.#pending.add(selector, mode, (covered) => {
      clearTimeout(timer)
      resolve(covered)
    })
    if (this.#breaker.isUp) void this.#apply(purge)
    return promise
  }

  get isAway(): boolean {
    return !this.#breaker.isUp
  }

  stats(): TierStats {
    const { reads, hits, failures, skipped, broken } = this.#reader
    const { writes, dropped, queued } = this.#writer
    return {
      name: 'redis',
      state: this.#breaker.isUp ? 'up' : 'away',
      reason: this.#breaker.reason ?? this.#writer.full,
      reads,
      hits,
      failures,
      skipped,
      broken,
      writes,
      dropped,
      queued,
      purging: this.#pending.size,
      entries: null,
      bytes: null,
    }
  }

  /** What the servers said of their memory last, some seconds ago; `null` where they did not, or are away. */
  get memory(): RedisMemory | null {
    return this.#breaker.isUp ? this.#memory : null
  }

  /** Resolves when what is queued is written or given up. */
  drain(): Promise<void> {
    return this.#writer.drain()
  }

  /** Waits for what is queued, as long as one command may take. The link stays open. */
  async close(): Promise<void> {
    this.#link.off('ready', this.#linked)
    this.#link.off('away', this.#unlinked)
    clearInterval(this.#timer)
    await this.#writer.drain()
    this.#breaker.close()
    this.#deadlines.close()
  }

  readonly #linked = (): void => this.#breaker.probe()

  readonly #unlinked = (): void => this.#breaker.open(this.#link.reason ?? 'connection lost')

  async #probe(): Promise<void> {
    const syncMs = await this.#timed(() => this.log.sync())
    // However slow it is: others wait for them.
    for (const purge of this.#pending) await this.#record(purge)
    await this.#look()
    const readMs = await this.#timed(() => this.#reader.probe())
    // It answers, and every read would come too late.
    if (Math.max(syncMs, readMs) > this.#waitMs) throw new TierSlowError(this.#waitMs)
  }

  async #timed(ask: () => Promise<unknown>): Promise<number> {
    const from = this.#clock()
    await ask()
    return this.#clock() - from
  }

  async #sync(): Promise<void> {
    if (!this.#breaker.isUp) return
    try {
      await this.log.sync()
      await this.#look()
    } catch (error) {
      this.#breaker.fail(error instanceof Error ? error.message : String(error))
    }
  }

  /** At its memory. It may be there and not say, to this user. */
  async #look(): Promise<void> {
    this.#memory = await this.#link.info().then(readMemory, () => null)
  }

  async #apply(purge: PendingPurge): Promise<void> {
    try {
      await this.#record(purge)
    } catch (error) {
      // It waits for the next probe.
      this.#breaker.open(error instanceof Error ? error.message : String(error))
    }
  }

  /** In force once this resolves. */
  async #record(purge: PendingPurge): Promise<void> {
    const { selector, mode, settle } = purge
    const position = await this.log.append(selector, mode)
    this.#pending.delete(purge)
    // What is not dropped is not read any more, and expires.
    this.#cover(selector, mode, position).then(settle, () => settle(0))
  }

  /** Frees the memory of what was purged, as far as it can be found without going through all keys, and counts it. */
  async #cover(selector: Selector, mode: 'hard' | 'soft', position: number): Promise<number> {
    if (selector.kind === 'key') return this.#coverEntries([this.#keys.entry(selector.key).entry], mode, position)
    const index = this.#indexOf(selector)
    if (index === undefined) return 0
    let covered = 0
    for (let from = 0; ; from += DROP_AT_ONCE) {
      const [members] = await this.#link.batch([
        mode === 'hard' ? ['zpopmin', index, DROP_AT_ONCE] : ['zrange', index, from, from + DROP_AT_ONCE - 1],
      ])
      const entries = membersOf(members, mode === 'hard').map((member) => this.#keys.member(member).entry)
      if (entries.length > 0) covered += await this.#coverEntries(entries, mode, position)
      if (entries.length < DROP_AT_ONCE) return covered
    }
  }

  #indexOf(selector: Selector): string | undefined {
    if (selector.kind === 'tag') return this.#keys.tagIndex(selector.tag)
    if (selector.kind === 'url' && !isAnyHost(selector.url)) return this.#keys.urlIndex(selector.url)
    return undefined
  }

  async #coverEntries(entries: readonly string[], mode: string, position: number): Promise<number> {
    const commands = entries.map((entry) => ({ script: DROP, keys: [entry], args: [position, mode] }))
    const replies = await this.#link.batch(commands)
    return replies.reduce<number>((sum, reply) => sum + (typeof reply === 'number' ? reply : 0), 0)
  }
}

/** Of ZRANGE's answer, or ZPOPMIN's: members and their scores in turn, or pairs of them (RESP3). */
function membersOf(reply: unknown, hasScores: boolean): string[] {
  if (!Array.isArray(reply)) return []
  const step = hasScores && !Array.isArray(reply[0]) ? 2 : 1
  return (reply as unknown[])
    .filter((_, index) => index % step === 0)
    .map((item) => textOf(Array.isArray(item) ? item[0] : item))
    .filter((member) => member !== null)
}
