import { type CacheStorage, purgeStorage } from '../../../../services/cache/storage.ts'
import { MemoryStore } from '../../../../services/cache/store/memory.ts'
import { PurgeLog } from '../../../../services/cache/store/purge-log.ts'
import type { Tier } from '../../../../services/cache/store/tier.ts'
import { ValueCache, type ValueCacheOptions } from '../../../../services/cache/values/value-cache.ts'

export interface Started {
  cache: ValueCache
  storage: CacheStorage
  store: MemoryStore
  purges: PurgeLog
  /** What was warned of. */
  warnings: { error: unknown; message: string }[]
  /** Moves the clock. */
  pass(ms: number): void
}

export const MINUTE = 60_000

/** A cache of values whose clock stands still. */
export function startCache(options: Partial<ValueCacheOptions> & { tier?: Tier; maxEntries?: number } = {}): Started {
  let time = 1_000_000
  const { tier = null, maxEntries = 100, now = () => time, ...rest } = options
  const store = new MemoryStore({ maxEntries, now })
  const purges = new PurgeLog()
  const storage = { store, tier, purges }
  const warnings: Started['warnings'] = []
  const cache = new ValueCache({
    storage,
    maxEntryBytes: 100_000,
    purge: (selector, mode) => purgeStorage(storage, selector, mode),
    warn: (error, message) => warnings.push({ error, message }),
    now,
    ...rest,
  })
  return { cache, storage, store, purges, warnings, pass: (ms) => (time += ms) }
}

/** A function that is called, and finishes when the test says so. */
export function held<T>(): {
  make: (context: { signal: AbortSignal }) => Promise<T>
  calls: PromiseWithResolvers<T>[]
  signals: AbortSignal[]
} {
  const calls: PromiseWithResolvers<T>[] = []
  const signals: AbortSignal[] = []
  return {
    calls,
    signals,
    make: ({ signal }) => {
      const call = Promise.withResolvers<T>()
      calls.push(call)
      signals.push(signal)
      return call.promise
    },
  }
}

/** All that is ready to run has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
