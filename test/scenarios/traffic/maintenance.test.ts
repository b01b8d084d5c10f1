import { test } from 'tap'
import { request } from 'undici'
import { clustered, PATIENCE_MS } from '../../clustered.ts'
import { decoded } from '../../decode.ts'
import { everyProtocol, managedGatewayBefore, isProblem, PATIENCE, startGateway } from '../../helper.ts'
import { reloadable, to } from '../../server/reloadable.ts'
import { startUpstream } from '../../upstream-server.ts'

everyProtocol('a route in maintenance is answered 503, and others go on', async (t, protocol) => {
  const gateway = await startGateway(t, {
    routes: { '/closed/*': { answer: { body: 'x' }, maintenance: true }, '/open/*': { answer: { body: 'open' } } },
    maintenance: { retryAfter: '2m' },
  })
  const client = await gateway.client(protocol)
  const closed = await client.request({ path: '/closed/1' })
  isProblem(t, closed, 503)
  t.equal(closed.get('retry-after'), '120')
  t.match(JSON.parse(String(closed.body)), { code: 'HR_MAINTENANCE' })
  const upload = await client.request({ method: 'POST', path: '/closed/1', body: 'x'.repeat(200_000) })
  t.equal(upload.status, 503)
  t.equal(String((await client.request({ path: '/open/1' })).body), 'open')
})

everyProtocol('what clients are told in maintenance is compressed where the route is', async (t, protocol) => {
  const gateway = await startGateway(t, {
    compression: { threshold: '16B' },
    routes: { '/*': { answer: { body: 'x' }, maintenance: true } },
  })
  const client = await gateway.client(protocol)
  const answer = await client.request({ path: '/', fields: [['Accept-Encoding', 'gzip']] })
  t.strictSame([answer.status, answer.get('content-encoding')], [503, 'gzip'])
  t.match(JSON.parse(decoded(answer)), { code: 'HR_MAINTENANCE' })
})

void test('what is cached is not answered in maintenance, and is there afterwards', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, upstream } = await managedGatewayBefore(t, (exchange) => exchange.respond(), {
    route: { cache: { ttl: '1m' } },
    config: { cache: { early: true } },
  })
  const client = await gateway.client('h1')
  const switchTo = async (enabled: boolean): Promise<unknown> => {
    const { body } = await request(`${gateway.adminUrl}/performance/maintenance`, {
      method: 'PUT',
      headers: { authorization: 'Bearer test-token', 'content-type': 'application/json' },
      body: JSON.stringify({ enabled }),
    })
    return await body.json()
  }
  t.equal((await client.request({ path: '/a' })).status, 200)
  t.strictSame(await switchTo(true), { gateway: true, routes: [], missing: [] })
  t.equal((await client.request({ path: '/a' })).status, 503)
  t.equal((await client.request({ path: '/health' })).status, 200, 'the gateway’s own pages stay')
  t.strictSame(await switchTo(false), { gateway: false, routes: [], missing: [] })
  t.equal((await client.request({ path: '/a' })).status, 200)
  t.equal(upstream.requests.length, 1)
})

void test('those who are allowed get through', { timeout: PATIENCE }, async (t) => {
  const gateway = await startGateway(t, {
    routes: { '/*': { answer: { body: 'hello' } } },
    maintenance: { enabled: true, allow: ['192.0.2.0/24'] },
    forwarded: { trust: ['loopback'] },
  })
  const client = await gateway.client('h1')
  const from = async (address: string): Promise<number> =>
    (await client.request({ path: '/', fields: [['X-Forwarded-For', address]] })).status
  t.strictSame([await from('192.0.2.7'), await from('198.51.100.7')], [200, 503])
})

void test('/ready says what is true in maintenance, whatever the upstreams', { timeout: PATIENCE }, async (t) => {
  const ready = async (maintenance: object): Promise<unknown> => {
    const gateway = await startGateway(t, {
      upstreams: { origin: { targets: ['http://127.0.0.1:1'] } },
      routes: { '/*': { to: 'origin' } },
      maintenance,
    })
    const client = await gateway.client('h1')
    const { status, body } = await client.request({ path: '/ready' })
    return [status, JSON.parse(String(body))]
  }
  t.strictSame(await ready({ enabled: true }), [200, { status: 'ready', draining: false, maintenance: true }])
  t.strictSame(await ready({ enabled: true, ready: false }), [
    503,
    { status: 'not ready', draining: false, maintenance: true },
  ])
  t.strictSame(await ready({}), [503, { status: 'not ready', draining: false }])
})

void test('what was switched on stays on over a reload that says nothing else', { timeout: PATIENCE }, async (t) => {
  const origin = await startUpstream(t, (exchange) => exchange.respond())
  const base = { upstreams: { a: to(origin.origin) }, routes: { '/*': { to: 'a' } } }
  const gateway = await reloadable(t, base)
  await gateway.running.control.tell('maintenance', { route: '/*', enabled: true })
  t.equal((await gateway.get('/')).status, 503)
  await gateway.reload({ ...base, serverTiming: false })
  t.equal((await gateway.get('/')).status, 503)
  await gateway.reload({ ...base, routes: { '/*': { to: 'a', maintenance: true } } })
  t.equal((await gateway.get('/')).status, 503)
  await gateway.reload(base)
  t.equal((await gateway.get('/')).status, 200, 'the configuration has said something else since')
})

void test('all processes go into maintenance, those that come later too', { timeout: PATIENCE_MS }, async (t) => {
  const { get, running, write, upstream } = await clustered(t)
  const statuses = async (): Promise<Set<number>> => {
    const all = new Set<number>()
    for (let turn = 0; turn < 8; turn++) all.add((await get('/any')).status)
    return all
  }
  const { applied } = await running.control.tell('maintenance', { route: null, enabled: true })
  t.equal(applied, 2)
  t.same([...(await statuses())], [503])
  write({ serverTiming: false })
  await running.reload()
  t.same([...(await statuses())], [503], 'other processes, which were told')
  t.match(JSON.parse((await get('/performance/maintenance', 'secret')).body), { gateway: true, missing: [] })
  t.match(JSON.parse((await get('/performance/health', 'secret')).body), {
    status: 'degraded',
    reasons: ['The gateway is in maintenance'],
  })
  write({ serverTiming: false, maintenance: { enabled: true } })
  await running.reload()
  write({ serverTiming: false })
  await running.reload()
  t.same([...(await statuses())], [200], 'the configuration has said something else since')
  t.ok(upstream.requests.length >= 8)
})
