import { test, type Test } from 'tap'
import { readinessOf } from '../../../services/monitor/readiness.ts'
import { startChildUpstream } from '../../child-upstream.ts'
import { PATIENCE } from '../../helper.ts'
import { startUpstream } from '../../upstream-server.ts'
import { type BeforeTargets, beforeTargets } from './before-targets.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const states = ({ api }: BeforeTargets): string[] => api.snapshot().map(({ state }) => state)

/** Resolves when the targets are in these states, or a test's patience is at its end. */
async function until(before: BeforeTargets, wanted: string[]): Promise<void> {
  const end = performance.now() + PATIENCE
  while (states(before).join() !== wanted.join() && performance.now() < end) await turn()
}

const answers = async (before: BeforeTargets, count: number): Promise<string[]> =>
  Promise.all(Array.from({ length: count }, async () => String((await before.ask({})).body)))

/** Answers by its health, and says `scripted` else. */
async function patient(t: Test, health: { status: number }) {
  return startUpstream(t, (exchange) =>
    exchange.request.target === '/readyz' ? exchange.respond(health.status) : exchange.respond(200, [], 'scripted'),
  )
}

void test('a killed target is found out by its health check, and used again when it is back', {
  timeout: PATIENCE,
}, async (t) => {
  const health = { status: 200 }
  const scripted = await patient(t, health)
  const child = await startChildUpstream(t)
  const before = await beforeTargets(t, {
    to: {
      targets: [child.origin, scripted.origin],
      outliers: false,
      slowStart: '10s',
      health: { preset: 'qdrant', unhealthyAfter: 1, healthyAfter: 1 },
    },
  })
  await before.upstreams.probe()
  t.strictSame(states(before), ['up', 'up'])
  t.strictSame(readinessOf(before.upstreams.snapshot(), false).ready, true)
  await child.kill()
  before.clock.pass(11_000)
  await until(before, ['unhealthy', 'up'])
  t.strictSame(new Set(await answers(before, 8)), new Set(['scripted']))
  t.match(before.api.snapshot()[0]?.check, { passed: 1, failed: 1, last: { reason: /ECONNREFUSED|reset/ } })
  t.strictSame(readinessOf(before.upstreams.snapshot(), false).unavailable, [])

  health.status = 500
  before.clock.pass(11_000)
  await until(before, ['unhealthy', 'unhealthy'])
  t.strictSame(readinessOf(before.upstreams.snapshot(), false), {
    ready: false,
    draining: false,
    unavailable: ['api'],
    maintenance: false,
  })
  t.ok(before.api.pick(), 'where nobody is well all are tried')

  health.status = 200
  before.clock.pass(11_000)
  await until(before, ['unhealthy', 'up'])
  t.equal(before.api.snapshot()[1]?.weight, 0.1)
  before.clock.pass(10_000)
  t.equal(before.api.snapshot()[1]?.weight, 1)
  t.strictSame(
    before.events.map(({ type }) => type),
    ['unhealthy', 'unhealthy', 'panic', 'healthy', 'panic-over'],
  )
})

void test('a stopped target is left alone for a while, then tried again', { timeout: PATIENCE }, async (t) => {
  const scripted = await patient(t, { status: 200 })
  const child = await startChildUpstream(t)
  const before = await beforeTargets(t, {
    to: {
      targets: [child.origin, scripted.origin],
      balance: 'round-robin',
      outliers: { consecutiveFailures: 2, ejectFor: '10s' },
      timeout: { firstByte: '1500ms' },
    },
  })
  child.stop()
  const statuses = await Promise.all(Array.from({ length: 4 }, async () => (await before.ask({})).status))
  t.strictSame(
    statuses.toSorted((a, b) => a - b),
    [200, 200, 504, 504],
  )
  t.strictSame(states(before), ['ejected', 'up'])
  t.strictSame(new Set(await answers(before, 4)), new Set(['scripted']))
  t.match(before.api.snapshot()[0]?.ejections, { count: 1, now: { reason: '2 failures in a row' } })
  child.resume()
  await (await fetch(child.origin)).text()
  before.clock.pass(10_000)
  t.strictSame(new Set(await answers(before, 4)), new Set(['scripted', 'child']))
  t.match(before.events, [{ type: 'ejected', forMs: 10_000 }, { type: 'returned' }])
})

void test('answers that say the target is failing eject it, others do not', { timeout: PATIENCE }, async (t) => {
  const bad = await startUpstream(t, (exchange) => exchange.respond(503))
  const wrong = await startUpstream(t, (exchange) => exchange.respond(500))
  const before = await beforeTargets(t, { to: { targets: [bad.origin, wrong.origin], balance: 'round-robin' } })
  for (let request = 0; request < 12; request++) await before.ask({})
  t.strictSame(states(before), ['ejected', 'up'])
  t.equal(bad.requests.length, 5)
})
