import type { CacheStorage } from '../storage.ts'
import { type Entry, looseEntry } from '../store/entry.ts'
import { type Keeping, Promotion } from '../store/promotion.ts'
import type { PurgeMark } from '../store/purge-log.ts'
import type { ValuePolicy } from './options.ts'
import { isReadable, storedValue, valueOf, valueTimes } from './serialized.ts'

export interface ValueStoreOptions {
  storage: CacheStorage
  /** Bytes that a serialised value may have in a store. */
  maxEntryBytes: number
  /** Milliseconds since 1970. */
  now: () => number
}

/** A value that is to be kept, as it was made. */
export interface MadeValue {
  bytes: Buffer
  /** "There is none" is kept for another time. */
  isNothing: boolean
  /** When making it began: a purge since then keeps it out of every tier. Milliseconds since 1970. */
  begunAt: number
  /** Something may be stored that it takes the place of. */
  replaces: boolean
}

/** The values of a storage: in memory, and in the tier behind it. Keys are those of stores. */
export class ValueStore {
  readonly #options: ValueStoreOptions
  readonly #promotion: Promotion | undefined
  readonly #keeping: Keeping

  constructor(options: ValueStoreOptions) {
    this.#options = options
    const { store, tier, purges } = options.storage
    this.#keeping = {
      timesOf,
      keep: (key, stored, times) => store.put(key, stored, times) ?? looseEntry(key, stored, times),
    }
    if (tier !== null) this.#promotion = new Promotion({ store, tier, purges, now: options.now })
  }

  inMemory(key: string): Entry | undefined {
    return this.#options.storage.store.get(key)?.entries[0]
  }

  /** What there is, of which more than memory has may be there: `undefined` where there is no second tier. */
  brought(key: string): Promise<Entry | undefined> | undefined {
    return this.#promotion?.bring(key, this.#keeping).then((resource) => resource?.entries[0])
  }

  /** A copy of the value. */
  use(entry: Entry): unknown {
    this.#options.storage.store.touch(entry)
    return valueOf(entry.stored)
  }

  mark(): PurgeMark {
    return this.#options.storage.purges.mark()
  }

  /** Whether a purge since then covers it. */
  isPurged(mark: PurgeMark, key: string, tags: readonly string[]): boolean {
    return this.#options.storage.purges.blocked(mark, key, tags)
  }

  /** Stores it. One that is too large, or good for no time, only takes away what is there. */
  put(
    key: string,
    { bytes, isNothing, begunAt, replaces }: MadeValue,
    policy: ValuePolicy,
  ): 'stored' | 'oversized' | 'past' {
    const { storage, maxEntryBytes } = this.#options
    const { tags, ttlMs, negativeTtlMs, staleWhileRevalidateMs, staleIfErrorMs } = policy
    const freshMs = isNothing ? negativeTtlMs : ttlMs
    const usableMs = freshMs + Math.max(staleWhileRevalidateMs, staleIfErrorMs)
    if (bytes.length > maxEntryBytes || usableMs <= 0) {
      if (replaces) this.#drop(key)
      return usableMs <= 0 ? 'past' : 'oversized'
    }
    const stored = storedValue(bytes, { begunAt, now: this.#options.now(), life: { freshMs, usableMs }, tags })
    const times = valueTimes(stored)
    storage.store.put(key, stored, times)
    storage.tier?.write(key, stored, times.usableUntil)
    return 'stored'
  }

  #drop(key: string): void {
    const { store, tier } = this.#options.storage
    store.delete(key)
    void tier?.purge({ kind: 'key', key }, 'hard')
  }
}

function timesOf(stored: Entry['stored']): ReturnType<typeof valueTimes> {
  const times = valueTimes(stored)
  return times.usableUntil > 0 && isReadable(stored) ? times : { ...times, usableUntil: 0 }
}
