import type { CacheCounters } from './counters.ts'
import type { RouteCache } from './context.ts'
import { type PolicyReport, reportPolicy } from './policy-report.ts'
import type { SecondTierReport } from './second-tier.ts'
import { mergeTiers } from './tier-report.ts'
import type { MemoryStoreStats } from './store/memory.ts'
import type { TopKey } from './store/top-keys.ts'

/** Requests by what became of them, each in one of these, and responses stored. */
export type CacheCounts = Pick<
  CacheCounters,
  'hits' | 'stale' | 'revalidated' | 'misses' | 'collapsed' | 'passes' | 'stores'
>

/** One route in one process. */
export interface RouteCacheState {
  route: string
  counts: CacheCounts
  policy: PolicyReport
}

/** The cache of one process: its part of the control port's `cache`. */
export interface CacheState {
  memory: MemoryStoreStats
  /** None or one. */
  tiers: SecondTierReport[]
  /** Requests to the origin under way that others may join. */
  flights: number
  /** Routes with a cache. */
  routes: RouteCacheState[]
  top: TopKey[]
}

export interface CountsReport extends CacheCounts {
  /**
   * Share of the requests that were looked up which the store answered at once, fresh or stale; `null` before the first.
   * What was passed was not looked up.
   */
  hitRatio: number | null
}

/** The answer of `GET /performance/cache`: all processes together. */
export interface CacheReport extends Omit<CacheState, 'routes'> {
  requests: CountsReport
  routes: (CountsReport & { route: string; policy: PolicyReport })[]
}

/** What the report reads. */
export interface Observed {
  stats(): MemoryStoreStats
  top(limit: number): TopKey[]
  readonly flights: number
}

/** A route, with a cache or without. */
export interface ObservedRoute {
  key: string
  cache: RouteCache | null
}

/** Top keys told of, at most. */
const TOP_KEYS = 20

/** Goes through all keys: for people who ask. @param second `null` where there is only memory */
export function readCache(
  cache: Observed,
  routes: readonly ObservedRoute[],
  second: SecondTierReport | null,
): CacheState {
  return {
    memory: cache.stats(),
    tiers: second === null ? [] : [second],
    flights: cache.flights,
    routes: routes.flatMap(({ key, cache: own }) =>
      own === null ? [] : { route: key, counts: countsOf(own.counters), policy: reportPolicy(own.policy) },
    ),
    top: cache.top(TOP_KEYS),
  }
}

export function countsOf(counters: CacheCounters): CacheCounts {
  const { hits, stale, revalidated, misses, collapsed, passes, stores } = counters
  return { hits, stale, revalidated, misses, collapsed, passes, stores }
}

/** One report of what the processes say: numbers added, limits too. */
export function mergeCaches(parts: readonly CacheState[]): CacheReport {
  const byRoute = Map.groupBy(
    parts.flatMap(({ routes }) => routes),
    ({ route }) => route,
  )
  const routes = [...byRoute].map(([route, states]) => {
    const { policy } = states[0] as RouteCacheState
    return { route, ...withRatio(sum(states.map(({ counts }) => counts))), policy }
  })
  return {
    requests: withRatio(routes.length === 0 ? NOTHING : sum(routes.map(countsOnly))),
    memory: sum(parts.map(({ memory }) => memory)),
    tiers: mergeTiers(parts.flatMap(({ tiers }) => tiers)),
    flights: parts.reduce((total, { flights }) => total + flights, 0),
    routes,
    top: mergeTop(parts.flatMap(({ top }) => top)),
  }
}

/** What stays counted when a process is gone: not what it held. */
export function lastingCache(part: CacheState): CacheState {
  const held = { entries: 0, keys: 0, tags: 0, bytes: 0, maxEntries: 0, maxBytes: 0 }
  return { ...part, memory: { ...part.memory, ...held }, tiers: [], flights: 0, top: [] }
}

const NOTHING: CacheCounts = { hits: 0, stale: 0, revalidated: 0, misses: 0, collapsed: 0, passes: 0, stores: 0 }

function countsOnly(route: CountsReport): CacheCounts {
  const { hits, stale, revalidated, misses, collapsed, passes, stores } = route
  return { hits, stale, revalidated, misses, collapsed, passes, stores }
}

function withRatio(counts: CacheCounts): CountsReport {
  const { hits, stale, revalidated, misses, collapsed } = counts
  const lookedUp = hits + stale + revalidated + misses + collapsed
  return { ...counts, hitRatio: lookedUp === 0 ? null : Math.round(((hits + stale) / lookedUp) * 1e4) / 1e4 }
}

/** Records of numbers, added up by name. At least one. */
function sum<T extends { [K in keyof T]: number }>(records: readonly T[]): T {
  const [first, ...rest] = records
  const total = { ...first } as T
  for (const record of rest) {
    for (const name of Object.keys(total) as (keyof T)[]) (total[name] as number) += record[name]
  }
  return total
}

function mergeTop(keys: readonly TopKey[]): TopKey[] {
  return [...Map.groupBy(keys, ({ name }) => name)]
    .map(([name, parts]) => ({
      name,
      hits: parts.reduce((total, { hits }) => total + hits, 0),
      bytes: parts.reduce((total, { bytes }) => total + bytes, 0),
      variants: Math.max(...parts.map(({ variants }) => variants)),
    }))
    .sort((a, b) => b.hits - a.hits)
    .slice(0, TOP_KEYS)
}
