import { test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import type { PressureOptions } from '../../../services/pressure/options.ts'
import { Pressure } from '../../../services/pressure/pressure.ts'
import { identifies, pressureGates } from '../../../services/pressure/pressure-gates.ts'
import type { RouteOptions } from '../../../services/routing/options.ts'
import { managedGatewayBefore, everyProtocol, PATIENCE, startManagedGateway } from '../../helper.ts'
import { until } from '../../until.ts'
import { startUpstream } from '../../upstream-server.ts'
import { beforeTargets } from '../upstreams/before-targets.ts'

/** Nothing presses by itself, however busy the machine. */
const NEVER = { maxEventLoopDelay: '0s', maxEventLoopUtilization: 0, maxHeap: 0 }
const ALWAYS = { ...NEVER, maxHeapUsedBytes: '1MiB', sampleInterval: '20ms' }
const LATE = { eventLoopDelayMs: 5_000, eventLoopUtilization: 1, heapUsedBytes: 1, heapLimitBytes: 2, rssBytes: 1 }

/** A pressure whose samples the test takes, and gates that ask it. */
function byHand(): { pressure: Pressure; parts: object } {
  const { pressure: options } = resolveConfig({ pressure: true }, { root: '/' })
  const pressure = new Pressure(options as PressureOptions, { random: () => 0, load: { inFlight: 0 } })
  const gates = pressureGates<RouteOptions>({ pressure, identifies, highest: () => 'normal' })
  return { pressure, parts: { gates, load: pressure.load } }
}

everyProtocol(
  'under pressure a route of low priority is answered 503, and a critical one, /health and the control plane are not',
  async (t, protocol) => {
    const upstream = await startUpstream(t, (exchange) => exchange.respond())
    const gateway = await startManagedGateway(t, {
      pressure: ALWAYS,
      upstreams: { origin: { targets: [upstream.origin] } },
      routes: { '/low': { to: 'origin', priority: 'low' }, '/critical': { to: 'origin', priority: 'critical' } },
    })
    const client = await gateway.client(protocol)
    let shed = await client.request({ path: '/low' })
    const until = performance.now() + PATIENCE / 2
    while (shed.status !== 503 && performance.now() < until) shed = await client.request({ path: '/low' })
    t.equal(shed.status, 503)
    t.match(JSON.parse(String(shed.body)), { code: 'HR_PRESSURE_SHED', status: 503 })
    t.match(shed.get('retry-after'), /^[2-4]$/)
    for (let request = 0; request < 20; request++) {
      t.equal((await client.request({ path: '/critical' })).status, 200)
    }
    t.equal((await client.request({ path: '/health' })).status, 200)
    const headers = { authorization: `Bearer ${gateway.token}` }
    const report = await fetch(`${gateway.adminUrl}/performance/pressure`, { headers })
    t.match(await report.json(), { state: 'shedding', reasons: ['heap'], missing: [] })
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`, { headers })).text()
    t.match(metrics, /headrace_pressure_shed_total\{priority="low",caller="anonymous",reason="heap"\} \d/)
  },
)

void test('without `pressure` nothing is looked at', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await managedGatewayBefore(t, (exchange) => exchange.respond())
  const report = await fetch(`${gateway.adminUrl}/performance/pressure`, {
    headers: { authorization: `Bearer ${gateway.token}` },
  })
  t.match(await report.json(), { state: 'off', classes: [] })
})

void test('what was pipelined on a connection that has ended is not under way any more', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, upstream } = await managedGatewayBefore(t, (exchange) => exchange.stall(), {
    key: '/slow',
    config: { pressure: NEVER },
  })
  const client = await gateway.raw()
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
  // What Fastify answers waits for the answer before it.
  await client.send(get('/slow') + get('/nowhere') + get('/health'))
  await upstream.received(1)
  const inFlight = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${gateway.token}` }
    const report = await fetch(`${gateway.adminUrl}/performance/pressure`, { headers })
    return ((await report.json()) as { inFlight: { now: number } }).inFlight.now
  }
  t.equal(await inFlight(), 3)
  client.reset()
  await until(async () => (await inFlight()) === 0)
})

void test('a hit straight off the socket is given while requests of its route are turned away', {
  timeout: PATIENCE,
}, async (t) => {
  const upstream = await startUpstream(t, (exchange) =>
    exchange.respond(200, [['Cache-Control', 'max-age=600']], 'kept'),
  )
  const { pressure, parts } = byHand()
  const { ask, finished } = await beforeTargets(t, {
    to: { targets: [upstream.origin] },
    route: { cache: true },
    parts,
  })
  t.equal((await ask({})).status, 200)
  for (let sample = 0; sample < 40; sample++) pressure.sampled(LATE)
  t.equal(String((await ask({})).body), 'kept')
  t.equal((await ask({ path: '/other' })).status, 503)
  t.equal((await ask({ method: 'POST', body: 'x' })).status, 503)
  t.equal(upstream.requests.length, 1)
  t.strictSame(
    finished.map(({ denied }) => denied),
    ['', '', 'pressure', 'pressure'],
  )
  t.equal(pressure.load.inFlight, 0)
})

void test('what passes at the socket is not asked again of the request that it becomes', {
  timeout: PATIENCE,
}, async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond())
  const { pressure, parts } = byHand()
  const { ask } = await beforeTargets(t, { to: { targets: [upstream.origin] }, parts })
  for (let request = 0; request < 3; request++) t.equal((await ask({})).status, 200)
  const [, , normal] = pressure.report().classes
  t.equal(normal?.admitted, 3)
})

void test('exchanges beyond maxInFlight are answered 503, and those after them are served', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, upstream } = await managedGatewayBefore(
    t,
    [(exchange) => exchange.stall(), (exchange) => exchange.respond()],
    { config: { pressure: { ...NEVER, maxInFlight: 1 } } },
  )
  const [first, second] = [await gateway.client('h1'), await gateway.client('h1')]
  const held = await first.open({ path: '/' })
  await upstream.received(1)
  t.match(JSON.parse(String((await second.request({ path: '/' })).body)), { code: 'HR_PRESSURE_SHED' })
  held.abort()
  const until = performance.now() + PATIENCE / 2
  let status = 503
  while (status === 503 && performance.now() < until) ({ status } = await second.request({ path: '/' }))
  t.equal(status, 200)
})
