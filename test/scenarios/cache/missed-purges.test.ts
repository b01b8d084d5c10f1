import { test } from 'tap'
import { followPurges } from '../../../services/cache/second-tier.ts'
import type { Selector } from '../../../services/cache/store/selector.ts'
import { PATIENCE } from '../../helper.ts'
import { until } from '../../until.ts'
import { FakeTier } from '../../services/cache/fake-tier.ts'
import { cachedBefore, status } from './cached.ts'

/** What tells of other machines' purges, in a test's hands. */
class FakeBus {
  purge: (selector: Selector, mode: 'hard' | 'soft') => void = () => undefined
  gap: () => void = () => undefined

  onPurge(listener: FakeBus['purge']): void {
    this.purge = listener
  }

  onGap(listener: FakeBus['gap']): void {
    this.gap = listener
  }
}

const STALE = 'max-age=60, stale-while-revalidate=600, stale-if-error=600'

for (const [what, code] of [
  ['while it is validated', 200],
  ['for an origin that fails', 503],
] as const) {
  void test(`what may have been purged unheard is not served stale ${what}`, { timeout: PATIENCE }, async (t) => {
    let answer = 200
    const cached = await cachedBefore(t, (exchange) =>
      exchange.respond(answer, [['Cache-Control', answer === 200 ? STALE : 'no-store']], String(answer)),
    )
    const bus = new FakeBus()
    followPurges(bus, cached)
    await cached.get('/x')
    bus.purge({ kind: 'all' }, 'soft')
    cached.pass(1)
    t.match(status(await cached.get('/x')), /^hit; ttl=-1/, 'a soft purge that is heard allows it')
    await cached.upstream.received(2)
    await until(() => cached.cache.flights === 0)
    bus.gap()
    answer = code
    const asked = await cached.get('/x')
    t.strictSame([asked.status, status(asked).slice(0, 12)], [code, 'fwd=uri-miss'])
  })
}

void test('what the second tier has, and was not purged there, comes back after a gap', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, (exchange) => exchange.respond(200, [['Cache-Control', STALE]], 'x'), {
    tier: (now) => new FakeTier(now),
  })
  const bus = new FakeBus()
  followPurges(bus, cached)
  await cached.get('/x')
  bus.gap()
  t.equal(cached.store.stats().entries, 0)
  t.equal(status(await cached.get('/x')), 'hit; ttl=60')
})
