import { setTimeout as wait } from 'node:timers/promises'
import type { PurgeSource, StopSource } from '../purge-source.ts'
import type { SecondTierReport } from '../second-tier.ts'
import type { CacheStorage, SharedCache } from '../storage.ts'
import type { Entry } from '../store/entry.ts'
import { ValueCounters } from './counters.ts'
import { BatchSizeError, CacheOptionError, ValueSizeError } from './errors.ts'
import { Followed } from './followed.ts'
import { storeKey } from './key.ts'
import type { Make } from './making.ts'
import { Makings, serialized, type Wanted } from './makings.ts'
import { type ValueOptions, type ValuePolicy, valuePolicy } from './options.ts'
import { selectorsOf, type ValuePurge } from './purge.ts'
import { fromBytes } from './serialized.ts'
import { ValueStore } from './value-store.ts'

export interface ValueCacheOptions {
  storage: CacheStorage
  /** Bytes that a serialised value may have. */
  maxEntryBytes: number
  /** Purges wherever values are kept, this storage first. @returns how many entries that covered */
  purge: SharedCache['purge']
  /** Whether others may have a value that is set here: they are told to drop it. Default: where there is a second tier. */
  isShared?: boolean
  /** How the second tier does, for {@link ValueCache.stats}. */
  second?: SharedCache['second']
  /** Told of what nobody waits for: a refresh that failed, a source that tells what has no meaning. */
  warn: (error: unknown, message: string) => void
  /** Milliseconds since 1970. */
  now?: () => number
}

/** How a wrapped function is cached. */
export type WrapOptions<Args extends readonly unknown[]> = Omit<ValueOptions, 'tags'> & {
  /** Names the value: whatever in the arguments makes a difference has to be in it. */
  key: (...args: Args) => string
  tags?: readonly string[] | ((...args: Args) => readonly string[])
}

/** Keys in one `mget` or `mset`. */
const MOST_KEYS = 1000
/** Looks at the clock for it to move on: it may be one that stands still. */
const MOST_WAITS = 5

/**
 * Values that programs keep, in the same tiers and with the same tags as the answers of the HTTP cache. What is made is
 * made once for all who ask meanwhile; a function that fails, hangs or is forgotten holds nothing up after its time; one
 * that began before a purge is not stored, and whoever asks after the purge does not get what it brings.
 *
 * Callers get copies.
 */
export class ValueCache {
  readonly #options: ValueCacheOptions
  readonly #isShared: boolean
  readonly #now: () => number
  readonly #values: ValueStore
  readonly #counters = new ValueCounters()
  readonly #makings: Makings
  readonly #followed: Followed

  constructor(options: ValueCacheOptions) {
    const { storage, maxEntryBytes, isShared = storage.tier !== null, warn, now = Date.now } = options
    this.#options = options
    this.#isShared = isShared
    this.#now = now
    this.#values = new ValueStore({ storage, maxEntryBytes, now })
    this.#makings = new Makings({ values: this.#values, counters: this.#counters, warn, now })
    this.#followed = new Followed((target) => this.purge(target), warn)
  }

  /**
   * The value of a key; where there is none, what `make` returns, stored for `ttl` (1 h). Calls for a key that is being
   * made wait for it, and go by the options of the first.
   *
   * @throws what `make` throws; HR_CACHE_VALUE_TIMEOUT, HR_CACHE_VALUE_TYPE, HR_CACHE_KEY, HR_CACHE_TAGS, HR_CACHE_OPTION
   */
  async getOrSet<T>(key: string, make: Make<T>, options: ValueOptions = {}): Promise<T> {
    const kept = storeKey(key)
    const policy = valuePolicy(options)
    const known = this.#values.inMemory(kept)
    const entry = this.#answers(known, policy) ? known : ((await this.#values.brought(kept)) ?? known)
    const wanted = { key, kept, make, policy, replaces: entry !== undefined }
    if (entry === undefined || !this.#answers(entry, policy)) return (await this.#made(wanted)) as T
    if (this.#isFresh(entry)) {
      this.#counters.hits++
    } else {
      this.#counters.stale++
      this.#makings.refresh(wanted)
    }
    return this.#values.use(entry) as T
  }

  /** A function that asks the cache first. Wrap once, not at each call. */
  wrap<Args extends unknown[], T>(
    fn: (...args: Args) => T | Promise<T>,
    options: WrapOptions<Args>,
  ): (...args: Args) => Promise<T> {
    const { key, tags, ...same } = options
    valuePolicy({ ...same, ...(Array.isArray(tags) && { tags }) })
    return (...args) =>
      this.getOrSet<T>(key(...args), () => fn(...args), {
        ...same,
        ...(tags !== undefined && { tags: typeof tags === 'function' ? tags(...args) : tags }),
      })
  }

  /** `undefined` where nothing fresh is stored. @throws HR_CACHE_KEY */
  async get<T>(key: string): Promise<T | undefined> {
    return (await this.#fresh(storeKey(key)))?.value as T | undefined
  }

  /** What is stored and fresh of these keys. @throws HR_CACHE_KEY, HR_CACHE_OPTION, HR_CACHE_BATCH_SIZE */
  async mget<T>(keys: readonly string[]): Promise<Map<string, T>> {
    if (!Array.isArray(keys)) throw new CacheOptionError('mget takes a list of keys')
    if (keys.length > MOST_KEYS) throw new BatchSizeError(keys.length, MOST_KEYS)
    const wanted = keys.map((key) => [key, storeKey(key)] as const)
    const known = await Promise.all(wanted.map(async ([key, kept]) => [key, await this.#fresh(kept)] as const))
    return new Map(known.flatMap(([key, found]) => (found === undefined ? [] : [[key, found.value as T]])))
  }

  /**
   * Stores a value, in place of the one before, here and in the second tier; other processes drop theirs. What is being
   * made for the key meanwhile is not stored.
   *
   * @throws HR_CACHE_VALUE_TYPE, HR_CACHE_VALUE_SIZE, HR_CACHE_KEY, HR_CACHE_TAGS, HR_CACHE_OPTION
   */
  set(key: string, value: unknown, options: Omit<ValueOptions, 'timeout'> = {}): Promise<void> {
    return this.mset([[key, value]], options)
  }

  /** {@link set} for each; all are checked before the first is stored. @throws as `set`, and HR_CACHE_BATCH_SIZE */
  async mset(
    entries: ReadonlyMap<string, unknown> | readonly (readonly [string, unknown])[],
    options: Omit<ValueOptions, 'timeout'> = {},
  ): Promise<void> {
    const list = pairsOf(entries)
    if (list.length > MOST_KEYS) throw new BatchSizeError(list.length, MOST_KEYS)
    const policy = valuePolicy(options)
    const ready = list.map(([key, value]) => {
      const bytes = this.#checked(key, value)
      return { kept: storeKey(key), bytes, isNothing: value === null || value === undefined }
    })
    for (const { kept } of ready) this.#makings.outdate(kept)
    const mark = this.#isShared ? await this.#dropElsewhere(ready.map(({ kept }) => kept)) : this.#values.mark()
    const begunAt = this.#now()
    for (const { kept, ...made } of ready) {
      // A purge that came while others were told.
      if (this.#values.isPurged(mark, kept, policy.tags)) continue
      const result = this.#values.put(kept, { ...made, begunAt, replaces: true }, policy)
      if (result === 'stored') this.#counters.stores++
    }
  }

  /** {@link purge} of one key. @returns whether there was something @throws HR_CACHE_KEY */
  async delete(key: string): Promise<boolean> {
    storeKey(key)
    return (await this.purge({ key })) > 0
  }

  /**
   * Drops what the target covers (`mode: 'soft'`: marks it as stale), and keeps what is being made now from being stored.
   * @returns how many entries it covered
   * @throws HR_CACHE_OPTION, HR_CACHE_KEY, HR_CACHE_SELECTOR, HR_CACHE_TARGET for what is no target
   */
  async purge(target: ValuePurge): Promise<number> {
    const mode = target.mode ?? 'hard'
    let covered = 0
    for (const selector of selectorsOf(target)) covered += await this.#options.purge(selector, mode)
    return covered
  }

  /**
   * Purges what a source tells of, until the cache closes or what is returned is called.
   * @throws what the source's `start` throws
   */
  follow(source: PurgeSource): Promise<StopSource> {
    return this.#followed.follow(source)
  }

  /** What was done since the start, how many values are being made, and how the second tier does. */
  stats(): Readonly<ValueCounters> & { making: number; second: SecondTierReport | null } {
    const second = this.#options.second?.() ?? null
    return Object.assign({ making: this.#makings.size, second }, this.#counters)
  }

  /** Stops the sources, and ends the wait for what is being made. The stores are their owner's to close. */
  async close(): Promise<void> {
    this.#makings.close()
    await this.#followed.close()
  }

  #isFresh(entry: Entry): boolean {
    return this.#now() < entry.freshUntil
  }

  /** Whether it is fresh, or stale and good enough while it is made anew. */
  #answers(entry: Entry | undefined, { staleWhileRevalidateMs }: ValuePolicy): boolean {
    return entry !== undefined && this.#now() < entry.freshUntil + staleWhileRevalidateMs
  }

  async #fresh(kept: string): Promise<{ value: unknown } | undefined> {
    const known = this.#values.inMemory(kept)
    const entry = known !== undefined && this.#isFresh(known) ? known : await this.#values.brought(kept)
    if (entry === undefined || !this.#isFresh(entry)) return undefined
    this.#counters.hits++
    return { value: this.#values.use(entry) }
  }

  async #made(wanted: Wanted): Promise<unknown> {
    let made: Buffer
    try {
      made = await this.#makings.make(wanted)
    } catch (error) {
      const { kept, policy } = wanted
      const entry = this.#values.inMemory(kept) ?? (await this.#values.brought(kept))
      const until = entry === undefined ? 0 : entry.freshUntil + policy.staleIfErrorMs
      if (entry === undefined || this.#now() >= until || isOurs(error)) throw error
      this.#counters.stale++
      return this.#values.use(entry)
    }
    // A copy for each who waits: none of them changes another's.
    return fromBytes(Buffer.from(made))
  }

  /** @throws HR_CACHE_VALUE_TYPE, HR_CACHE_VALUE_SIZE */
  #checked(key: string, value: unknown): Buffer {
    const { maxEntryBytes } = this.#options
    const bytes = serialized(key, value)
    if (bytes.length > maxEntryBytes) throw new ValueSizeError(key, bytes.length, maxEntryBytes)
    return bytes
  }

  /** @returns a mark after which nothing that is requested is covered by it: also by clocks of whole milliseconds */
  async #dropElsewhere(kept: readonly string[]): Promise<number> {
    const { purge, warn } = this.#options
    const purges = kept.map(async (key) => purge({ kind: 'key', key }, 'hard'))
    for (const { status, reason } of (await Promise.allSettled(purges)) as PromiseRejectedResult[]) {
      if (status === 'rejected') warn(reason, 'Not every process has dropped the values that others take the place of')
    }
    const mark = this.#values.mark()
    const at = this.#now()
    for (let waits = 0; this.#now() === at && waits < MOST_WAITS; waits++) await wait(1)
    return mark
  }
}

/** @throws HR_CACHE_OPTION */
function pairsOf(entries: Parameters<ValueCache['mset']>[0]): (readonly [string, unknown])[] {
  const list = entries instanceof Map || Array.isArray(entries) ? [...entries] : undefined
  if (list?.some((pair) => !Array.isArray(pair)) === false) return list
  throw new CacheOptionError('mset takes a Map, or a list of pairs: [[key, value], …]; Object.entries() makes one')
}

/** The program's own mistake, which no stale value should hide. */
function isOurs(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'HR_CACHE_VALUE_TYPE'
}
