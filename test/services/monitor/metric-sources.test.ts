import { test } from 'tap'
import { createHttp2Counters, createListenerCounters } from '../../../services/listener/counters.ts'
import type { MetricFamily, MetricSource } from '../../../services/monitor/families.ts'
import { CacheCounters } from '../../../services/cache/counters.ts'
import type { SecondTierReport } from '../../../services/cache/second-tier.ts'
import { MemoryStore } from '../../../services/cache/store/memory.ts'
import { cacheMetrics } from '../../../services/monitor/cache-metrics.ts'
import { cacheTierMetrics } from '../../../services/monitor/cache-tier-metrics.ts'
import { listenerMetrics } from '../../../services/monitor/listener-metrics.ts'
import { processMetrics } from '../../../services/monitor/process-metrics.ts'
import { Traffic } from '../../../services/monitor/traffic.ts'
import { trafficMetrics } from '../../../services/monitor/traffic-metrics.ts'
import { upstreamMetrics } from '../../../services/monitor/upstream-metrics.ts'
import { targetSnapshot } from '../../target-snapshot.ts'
import { webSocketMetrics } from '../../../services/monitor/websocket-metrics.ts'
import { workerMetrics } from '../../../services/monitor/worker-metrics.ts'
import { WebSocketCounters } from '../../../services/websocket/counters.ts'

const listener = '127.0.0.1:8080'

const TIER: SecondTierReport = {
  name: 'redis',
  state: 'away',
  reason: 'no answer',
  reads: 10,
  hits: 5,
  failures: 2,
  skipped: 4,
  broken: 1,
  writes: 6,
  dropped: 7,
  queued: 8,
  purging: 9,
  entries: null,
  bytes: null,
  memory: { usedBytes: 100, maxBytes: null, evictedKeys: 11 },
  bus: { state: 'following', received: 5, recovered: 2, gaps: 1 },
}

/** One source of each kind, with something in each. */
function sources(): MetricSource[] {
  const traffic = new Traffic()
  traffic.route('/api/*').record('GET', 200, 12)
  const webSockets = new WebSocketCounters()
  webSockets.refuse('HR_WEBSOCKET_ORIGIN')
  const counters = new CacheCounters()
  for (const result of ['hit', 'hit', 'stale', 'pass'] as const) counters.record(result)
  return [
    processMetrics('1.2.3'),
    cacheMetrics({ stats: () => new MemoryStore({ maxEntries: 7 }).stats(), flights: 2 }, [
      { key: '/cached/*', cache: { counters, policy: {} as never } },
      { key: '/other/*', cache: null },
    ]),
    cacheTierMetrics(() => TIER),
    webSocketMetrics(webSockets),
    workerMetrics({ running: 1, waiting: 2, ended: { done: 3, failed: 0, timeout: 1, refused: 0 } }),
    trafficMetrics(traffic),
    upstreamMetrics({
      snapshot: () => [
        targetSnapshot({
          state: 'down',
          outcomes: { reset: 2 },
          retries: { stale: 1 },
          latenciesMs: { response: [4], reset: [9] },
        }),
      ],
    }),
    listenerMetrics(() => [
      {
        listener,
        counters: {
          ...createListenerCounters(),
          open: 3,
          accepted: 9,
          slowBodies: 1,
          stalledReaders: 0,
          malformed: { HR_HOST_MISSING: 2 },
        },
        http2: { ...createHttp2Counters(), sessions: 4, goaways: { drain: 1, idle: 0, flood: 2 } },
      },
      { listener: 'unix', counters: createListenerCounters(), http2: null },
    ]),
  ]
}

const values = (name: string): MetricFamily['values'] | undefined =>
  sources()
    .flatMap((source) => source.collect())
    .find((family) => family.name === name)?.values

void test('every family that a source collects is defined by it, with its labels', async (t) => {
  for (const source of sources()) {
    const families = source.collect()
    t.strictSame(
      families.map(({ name }) => name),
      source.definitions.map(({ name }) => name),
    )
    for (const family of families) {
      const { labels = [] } = source.definitions.find(({ name }) => name === family.name) ?? {}
      const used = new Set(family.values.flatMap((sample) => Object.keys(sample.labels)))
      used.delete('le')
      t.ok(used.size === 0 || used.size === labels.length, `${family.name}: all labels or none`)
      for (const label of used) t.ok(labels.includes(label), `${family.name}: ${label}`)
    }
  }
})

void test('names carry the gateway, a unit, and _total for counters', async (t) => {
  const definitions = sources().flatMap((source) => source.definitions)
  t.equal(new Set(definitions.map(({ name }) => name)).size, definitions.length, 'no name twice')
  for (const { name, type, help } of definitions) {
    t.match(name, /^headrace_[a-z0-9_]+$/)
    t.equal(name.endsWith('_total'), type === 'counter', name)
    t.equal(name.endsWith('_seconds'), type === 'histogram', name)
    t.ok(help.length > 10, name)
  }
})

void test('targets are told with their state, pool and outcomes', async (t) => {
  const labels = { upstream: 'fleet', target: 'http://127.0.0.1:4001' }
  t.strictSame(values('headrace_upstream_up'), [{ labels, value: 0 }])
  t.ok(values('headrace_upstream_connections')?.some((one) => one.labels.state === 'free' && one.value === 3))
  t.ok(values('headrace_upstream_attempts_total')?.some((one) => one.labels.outcome === 'reset' && one.value === 2))
  const durations = values('headrace_upstream_attempt_seconds')
  const counts = durations?.filter(({ metricName }) => metricName?.endsWith('_count'))
  t.strictSame(
    counts?.map((one) => [one.labels.outcome, one.value]),
    [
      ['response', 1],
      ['reset', 1],
    ],
  )
})

void test('listeners are told with their connections and refusals; HTTP/2 only where it is spoken', async (t) => {
  t.strictSame(values('headrace_connections_open'), [
    { labels: { listener }, value: 3 },
    { labels: { listener: 'unix' }, value: 0 },
  ])
  const reasons = values('headrace_requests_rejected_total')?.filter((one) => one.labels.listener === listener)
  t.strictSame(Object.fromEntries(reasons?.map(({ labels, value }) => [labels.reason, value]) ?? []), {
    HR_HOST_MISSING: 2,
    unsupported: 0,
    head_timeout: 0,
    slow_body: 1,
    stalled_reader: 0,
  })
  t.strictSame(values('headrace_http2_sessions_total'), [{ labels: { listener }, value: 4 }])
  t.ok(values('headrace_http2_goaways_total')?.some((one) => one.labels.reason === 'flood' && one.value === 2))
})

void test('a cached route is told with a count for each result; without such a route there is nothing to tell', async (t) => {
  const route = '/cached/*'
  t.strictSame(
    values('headrace_cache_requests_total')?.map(({ labels, value }) => [labels.route, labels.result, value]),
    [
      [route, 'hit', 2],
      [route, 'stale', 1],
      [route, 'revalidated', 0],
      [route, 'collapsed', 0],
      [route, 'miss', 0],
      [route, 'pass', 1],
    ],
  )
  t.strictSame(values('headrace_cache_entries_limit'), [{ labels: {}, value: 7 }])
  t.strictSame(values('headrace_cache_flights'), [{ labels: {}, value: 2 }])
  const none = cacheMetrics({ stats: () => t.fail('nothing to count'), flights: 0 } as never, [
    { key: '/', cache: null },
  ])
  t.ok(none.collect().every((family) => family.values.length === 0))
})

void test('every read of the second tier has one result, and what Redis says is not said of a file', async (t) => {
  t.strictSame(
    values('headrace_cache_tier_reads_total')?.map(({ labels, value }) => [labels.result, value]),
    [
      ['hit', 5],
      ['miss', 3],
      ['failure', 2],
      ['skipped', 4],
    ],
  )
  t.match(values('headrace_cache_tier_up'), [{ labels: { tier: 'redis' }, value: 0 }])
  t.strictSame(values('headrace_cache_redis_memory_limit_bytes'), [])
  t.match(values('headrace_cache_bus_purges_total'), [{ value: 3 }, { labels: { how: 'recovered' }, value: 2 }])
  const file = cacheTierMetrics(() => ({ ...TIER, name: 'disk', memory: null, bus: null, bytes: 5 })).collect()
  const told = file.filter((family) => family.values.length > 0).map(({ name }) => name)
  t.notOk(told.some((name) => /redis|bus/.test(name)))
  t.ok(told.includes('headrace_cache_tier_bytes'))
})
