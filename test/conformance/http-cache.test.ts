import { test } from 'tap'
import { CASES } from './http-cache/cases/index.ts'
import { jumpingClock } from './http-cache/clock.ts'
import { PROFILES } from './http-cache/differences.ts'
import { startGateway } from './http-cache/gateway.ts'
import { ScriptedOrigin } from './http-cache/origin.ts'
import { surprises } from './http-cache/report.ts'
import { runSuite } from './http-cache/suite.ts'

/**
 * `npm run conformance` with a clock that jumps where that one waits: every rule of HTTP caching over real sockets. What
 * is different from docs/conformance.md fails.
 */
for (const profile of PROFILES) {
  void test(`the cache keeps the rules that the page says it keeps: profile ${profile}`, {
    timeout: 150_000,
  }, async (t) => {
    using clock = jumpingClock()
    const origin = new ScriptedOrigin(clock)
    const gateway = await startGateway(profile, await origin.listen())
    t.teardown(async () => {
      await gateway.close()
      await origin.close()
    })
    const results = await runSuite({ origin, cache: gateway.url, clock, prefix: `/${profile}` })
    t.equal(results.size, CASES.length)
    t.same(surprises(profile, results), [])
  })
}
