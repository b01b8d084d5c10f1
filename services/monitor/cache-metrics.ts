import { countsOf, type CacheCounts, type Observed, type ObservedRoute } from '../cache/report.ts'
import { family, type MetricDefinition, type MetricSource } from './families.ts'

/** The result of each counter, as the access log has it. */
const RESULTS = {
  hit: 'hits',
  stale: 'stale',
  revalidated: 'revalidated',
  collapsed: 'collapsed',
  miss: 'misses',
  pass: 'passes',
} as const satisfies Record<string, keyof CacheCounts>

const requests: MetricDefinition = {
  name: 'headrace_cache_requests_total',
  type: 'counter',
  help: 'Requests of routes with a cache, each by what became of it: hit, stale, revalidated, collapsed (answered by what another brought), miss, pass (sent to the origin by itself)',
  labels: ['route', 'result'],
}

const stores: MetricDefinition = {
  name: 'headrace_cache_stores_total',
  type: 'counter',
  help: 'Responses put into the cache, new or in place of others',
  labels: ['route'],
}

const entries: MetricDefinition = {
  name: 'headrace_cache_entries',
  type: 'gauge',
  help: 'Responses in memory, variants counting, all processes together',
  labels: [],
}

const entriesLimit: MetricDefinition = {
  name: 'headrace_cache_entries_limit',
  type: 'gauge',
  help: 'Responses that may be in memory, all processes together',
  labels: [],
}

const bytes: MetricDefinition = {
  name: 'headrace_cache_bytes',
  type: 'gauge',
  help: 'Memory that cached responses take, overhead included, all processes together',
  labels: [],
}

const bytesLimit: MetricDefinition = {
  name: 'headrace_cache_bytes_limit',
  type: 'gauge',
  help: 'Memory that cached responses may take, all processes together',
  labels: [],
}

const evictions: MetricDefinition = {
  name: 'headrace_cache_evictions_total',
  type: 'counter',
  help: 'Responses dropped for room: many, with a poor hit ratio, want a larger cache.memory',
  labels: [],
}

const expirations: MetricDefinition = {
  name: 'headrace_cache_expirations_total',
  type: 'counter',
  help: 'Responses dropped because they were of no more use to anybody',
  labels: [],
}

const rejections: MetricDefinition = {
  name: 'headrace_cache_rejections_total',
  type: 'counter',
  help: 'Responses not stored because they are larger than the whole store',
  labels: [],
}

const purged: MetricDefinition = {
  name: 'headrace_cache_purged_total',
  type: 'counter',
  help: 'Responses that purges and invalidations covered: hard ones dropped, soft ones left to be validated',
  labels: ['mode'],
}

const flights: MetricDefinition = {
  name: 'headrace_cache_flights',
  type: 'gauge',
  help: 'Requests of the cache to origins under way, which others may join',
  labels: [],
}

/**
 * What the cache holds and has done, read from plain integers when someone asks. Empty where no route has a cache.
 *
 * @param cache `null` for the definitions alone
 */
export function cacheMetrics(
  cache: Pick<Observed, 'stats' | 'flights'> | null,
  routes: readonly ObservedRoute[],
): MetricSource {
  const one = (definition: MetricDefinition, value: number) => family(definition, [{ labels: {}, value }])
  return {
    definitions: [
      requests,
      stores,
      entries,
      entriesLimit,
      bytes,
      bytesLimit,
      evictions,
      expirations,
      rejections,
      purged,
      flights,
    ],
    collect() {
      const counted = routes.flatMap(({ key, cache: own }) =>
        own === null ? [] : { route: key, counts: countsOf(own.counters) },
      )
      if (cache === null || counted.length === 0) return this.definitions.map((definition) => family(definition, []))
      const memory = cache.stats()
      return [
        family(
          requests,
          counted.flatMap(({ route, counts }) =>
            Object.entries(RESULTS).map(([result, counter]) => ({ labels: { route, result }, value: counts[counter] })),
          ),
        ),
        family(
          stores,
          counted.map(({ route, counts }) => ({ labels: { route }, value: counts.stores })),
        ),
        one(entries, memory.entries),
        one(entriesLimit, memory.maxEntries),
        one(bytes, memory.bytes),
        one(bytesLimit, memory.maxBytes),
        one(evictions, memory.evictions),
        one(expirations, memory.expirations),
        one(rejections, memory.rejections),
        family(purged, [
          { labels: { mode: 'hard' }, value: memory.purged },
          { labels: { mode: 'soft' }, value: memory.invalidated },
        ]),
        one(flights, cache.flights),
      ]
    },
  }
}
