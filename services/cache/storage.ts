import type { CacheOptions } from './options.ts'
import type { PurgeMode } from './purge-mode.ts'
import type { SecondTierReport } from './second-tier.ts'
import { MemoryStore } from './store/memory.ts'
import type { PurgeLog } from './store/purge-log.ts'
import type { Selector } from './store/selector.ts'
import type { Tier } from './store/tier.ts'

/** Where answers and values are kept. What shares it is purged together: one tag covers both. */
export interface CacheStorage {
  store: MemoryStore
  /** Behind the memory; `null` for none. */
  tier: Tier | null
  purges: PurgeLog
}

/** A storage that has an owner, and what it goes by. */
export interface SharedCache {
  storage: CacheStorage
  options: CacheOptions
  /** Whether others keep the same: processes, or a second tier that they share. */
  isShared: boolean
  /** How the second tier does; `null` where there is none. */
  second: () => SecondTierReport | null
  /** Purges wherever its like is kept: in all processes, and in the second tier. @returns how many entries that covered */
  purge: (selector: Selector, mode: PurgeMode) => number | Promise<number>
  /** Purges what a mutation has made invalid: in this process at once, and wherever its like is kept. */
  invalidate: (selectors: readonly Selector[]) => void
}

/** The first tier. Switched off, it takes nothing: what is stored then is in the second tier alone. */
export function createMemory({ enabled, entries, bytes, variants }: CacheOptions['memory']): MemoryStore {
  return new MemoryStore({ maxEntries: enabled ? entries : 0, maxBytes: bytes, maxVariants: variants })
}

/** Purges in the memory of this process: also what is on its way. @returns how many entries that covered */
export function purgeMemory(
  { store, purges }: Pick<CacheStorage, 'store' | 'purges'>,
  selector: Selector,
  mode: PurgeMode,
): number {
  purges.record(selector)
  return store.invalidate(selector, mode)
}

/** How long who purges waits for a second tier that does not answer: less than a process has for a command. */
const PURGE_PATIENCE_MS = 2_000

/**
 * Purges in the memory of this process, at once, and in the second tier. One that is away gets it before it is read again,
 * and nobody waits for that. @returns how many entries that covered
 */
export function purgeStorage(storage: CacheStorage, selector: Selector, mode: PurgeMode): number | Promise<number> {
  const covered = purgeMemory(storage, selector, mode)
  const { tier } = storage
  if (tier === null) return covered
  const taken = tier.purge(selector, mode)
  // What is in memory is, as a rule, in the second tier as well.
  return tier.isAway ? covered : inTime(taken).then((count) => Math.max(covered, count))
}

function inTime(taken: Promise<number>): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const timer = setTimeout(resolve, PURGE_PATIENCE_MS, 0)
  void taken.then((count) => {
    clearTimeout(timer)
    resolve(count)
  })
  return promise
}
