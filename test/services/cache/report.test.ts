import { test } from 'tap'
import { CacheCounters } from '../../../services/cache/counters.ts'
import { type CacheState, lastingCache, mergeCaches, readCache } from '../../../services/cache/report.ts'
import { MemoryStore } from '../../../services/cache/store/memory.ts'
import { noticesOf, type SecondTierReport } from '../../../services/cache/second-tier.ts'
import { resolveConfig } from '../../../config/resolve.ts'
import { cachePolicyOf } from '../../../services/proxy/plan.ts'

const { routes, upstreams, ...settings } = resolveConfig({
  upstreams: { o: { targets: ['http://127.0.0.1:1'] } },
  routes: { '/a': { to: 'o', cache: { ttl: 'short' } } },
})
const policy = cachePolicyOf(routes[0]!, [upstreams[0]!], settings)!

function state(results: readonly ('hit' | 'stale' | 'miss' | 'pass')[], top: CacheState['top'] = []): CacheState {
  const counters = new CacheCounters()
  for (const result of results) counters.record(result)
  const store = new MemoryStore({ maxEntries: 10, maxBytes: 1000 })
  const routes = [
    { key: '/a', cache: { policy, counters } },
    { key: '/uncached', cache: null },
  ]
  return readCache({ stats: () => store.stats(), top: () => top, flights: 1 }, routes, null)
}

void test('several processes are added up, their limits too', async (t) => {
  const report = mergeCaches([state(['hit', 'hit', 'miss']), state(['stale', 'pass'])])
  t.match(report, {
    requests: { hits: 2, stale: 1, misses: 1, passes: 1, hitRatio: 0.75 },
    memory: { maxEntries: 20, maxBytes: 2000 },
    flights: 2,
    tiers: [],
  })
  t.strictSame(
    report.routes.map(({ route, hits, policy: { ttl } }) => [route, hits, ttl]),
    [['/a', 2, 300]],
  )
})

void test('before the first look-up there is no ratio, and without routes nothing is counted', async (t) => {
  t.equal(mergeCaches([state(['pass'])]).requests.hitRatio, null)
  t.match(mergeCaches([{ ...state([]), routes: [] }]), { routes: [], requests: { hits: 0, hitRatio: null } })
})

void test('the keys with most hits of all processes, the same key once', async (t) => {
  const key = (name: string, hits: number) => ({ name, hits, bytes: 10, variants: 1 })
  const { top } = mergeCaches([state([], [key('a', 5), key('b', 4)]), state([], [key('b', 3)])])
  t.strictSame(top, [{ name: 'b', hits: 7, bytes: 20, variants: 1 }, key('a', 5)])
})

const TIER: SecondTierReport = {
  name: 'disk',
  state: 'up',
  reason: null,
  reads: 1,
  hits: 1,
  failures: 0,
  skipped: 0,
  broken: 0,
  writes: 2,
  dropped: 0,
  queued: 0,
  purging: 1,
  entries: 7,
  bytes: null,
  memory: null,
  bus: null,
}
const MEMORY = { usedBytes: 9, maxBytes: null, evictedKeys: 3 }
const BUS = { state: 'following', received: 2, recovered: 1, gaps: 1 } as const

void test('a tier is shared: its reads are added, what it holds is not; away for one is away', async (t) => {
  const tier = (parts: Partial<SecondTierReport>): SecondTierReport => ({ ...TIER, ...parts })
  const { tiers } = mergeCaches([
    { ...state([]), tiers: [tier({})] },
    { ...state([]), tiers: [tier({ state: 'away', reason: 'slow', memory: MEMORY, bus: BUS })] },
    { ...state([]), tiers: [tier({ entries: 8, bus: { ...BUS, state: 'away' } })] },
  ])
  const sums = { reads: 3, hits: 3, writes: 6, purging: 3, entries: 8 }
  const bus = { state: 'away', received: 4, recovered: 2, gaps: 2 } as const
  t.strictSame(tiers, [tier({ state: 'away', reason: 'slow', ...sums, memory: MEMORY, bus })])
})

void test('of a process that is gone its counts stay, and nothing that it held', async (t) => {
  const gone = lastingCache(state(['hit'], [{ name: 'a', hits: 1, bytes: 1, variants: 1 }]))
  t.match(mergeCaches([gone]), { requests: { hits: 1 }, memory: { maxEntries: 0, entries: 0 }, flights: 0, top: [] })
})

void test('a second tier that is away or stores nothing wants attention, but not while it starts', async (t) => {
  const stats = { ...TIER, state: 'away', reason: 'refused' } as const
  t.strictSame(noticesOf({ ...stats, reads: 0 }, 4_999), [])
  t.match(noticesOf({ ...stats, reads: 0 }, 5_000), [/without its second tier \(disk\): refused/])
  t.match(noticesOf({ ...stats, reads: 1 }, 0), [/without/])
  t.strictSame(noticesOf({ ...stats, state: 'up', reason: null }, 9_000), [])
  t.match(noticesOf({ ...stats, state: 'up', reason: 'full' }, 0), [/stores nothing in its second tier \(disk\): full/])
})
