import { test } from 'tap'
import { everyProtocol, gatewayBefore, isProblem, startGateway, TIMEOUTS, PATIENCE } from '../helper.ts'
import { headers, requestFields } from '../raw-h2.ts'
import { startUpstream } from '../upstream-server.ts'

/** What a client asks for, and what the upstream is asked. */
const CANONICAL: [asked: string, sent: string][] = [
  ['/a/b?x=1&y=%2F', '/a/b?x=1&y=%2F'],
  ['/a/./b', '/a/b'],
  ['/a/x/../b', '/a/b'],
  ['/a/%2e/b', '/a/b'],
  ['/a/x/%2E%2e/b', '/a/b'],
  ['/a/x/.%2e/b', '/a/b'],
  ['/%61%7E', '/a~'],
  ['/@scope%2Fname', '/@scope%2Fname'],
  ['//a//b', '//a//b'],
  ['/a;v=1/b', '/a;v=1/b'],
  ['/a/..;/b', '/a/..;/b'],
  ['/%252e%252e/a', '/%252e%252e/a'],
  ['/a?q=../%7e/../b', '/a?q=../%7e/../b'],
  ['/caf%C3%A9', '/caf%C3%A9'],
]

everyProtocol('the path that the upstream gets is the canonical one', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const client = await gateway.client(protocol)
  for (const [path] of CANONICAL) t.equal((await client.request({ path })).status, 200, path)
  t.same(
    upstream.requests.map(({ target }) => target),
    CANONICAL.map(([, sent]) => sent),
  )
})

everyProtocol("npm's encoded scope reaches the route of its path", async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), { key: 'GET /:package' })
  const client = await gateway.client(protocol)
  t.equal((await client.request({ path: '/@scope%2fname' })).status, 200)
  t.match((await upstream.received(1)).target, /^\/@scope%2fname$/i, 'neither decoded nor a separator')
})

everyProtocol('an encoded slash is refused where the route says so', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), {
    route: { encodedSlash: 'refuse' },
  })
  isProblem(t, await (await gateway.client(protocol)).request({ path: '/a%2fb' }), 400)
  t.equal(upstream.requests.length, 0)
})

everyProtocol('dot segments are resolved before a route is chosen', async (t, protocol) => {
  const open = await startUpstream(t, (exchange) => exchange.respond(200, [], 'open'))
  const inner = await startUpstream(t, (exchange) => exchange.respond(200, [], 'inner'))
  const gateway = await startGateway(t, {
    upstreams: {
      open: { targets: [open.origin], timeout: TIMEOUTS },
      inner: { targets: [inner.origin], timeout: TIMEOUTS },
    },
    routes: { '/open/*': { to: 'open' }, '/inner/*': { to: 'inner' } },
  })
  const client = await gateway.client(protocol)
  for (const path of ['/open/../inner/x', '/open/%2e%2e/inner/x', '/open/a/../../inner/x', '/%69nner/x']) {
    t.equal((await client.request({ path })).body.toString(), 'inner', path)
  }
  t.equal(open.requests.length, 0)
  t.same(new Set(inner.requests.map(({ target }) => target)), new Set(['/inner/x']))
})

everyProtocol('a path whose lax reading is the control plane is refused', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), {
    config: { admin: { shared: true, token: 'test-token' } },
  })
  const client = await gateway.client(protocol)
  for (const path of [
    '/performance%2Fhealth',
    '//performance/health',
    '/performance;x=1/health',
    '/x%2F..%2Fperformance/health',
  ]) {
    t.equal((await client.request({ path })).status, 400, path)
  }
  t.equal(upstream.requests.length, 0)
})

void test('a target in absolute form never leads elsewhere', { timeout: PATIENCE }, async (t) => {
  const elsewhere = await startUpstream(t, (exchange) => exchange.respond(200, [], 'elsewhere'))
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(200, [], 'configured'))
  for (const [target, host] of [
    [`${elsewhere.origin}/x?y`, `127.0.0.1:${elsewhere.port}`],
    [`${elsewhere.origin}/x?y`, 'gateway.test'],
    ['http://gateway.test/x?y', 'gateway.test'],
  ] as const) {
    const raw = await gateway.raw()
    const response = await raw.exchange(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
    t.ok(response.body.toString() === 'configured' || response.status === 400, target)
  }
  for (const request of upstream.requests) t.equal(request.target, '/x?y', 'in origin form')
  t.equal(elsewhere.connections.length, 0)
})

void test('CONNECT opens no tunnel', { timeout: PATIENCE }, async (t) => {
  const elsewhere = await startUpstream(t, (exchange) => exchange.respond())
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const authority = `127.0.0.1:${elsewhere.port}`
  const raw = await gateway.raw()
  const response = await raw.exchange(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`, 'CONNECT')
  t.ok(response.status >= 400 && response.status < 500, `status ${response.status}`)
  t.equal((await raw.ended()).broken, false)
  const h2 = await gateway.rawH2()
  h2.send(
    headers(1, requestFields([], { ':method': 'CONNECT', ':scheme': null, ':path': null, ':authority': authority })),
  )
  const outcome = await h2.outcome(1)
  t.ok(!('status' in outcome) || (outcome.status >= 400 && outcome.status < 500), JSON.stringify(outcome))
  t.equal(elsewhere.connections.length + upstream.requests.length, 0)
})

void test('OPTIONS * is answered, and reaches an upstream as a path if at all', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const raw = await gateway.raw()
  const response = await raw.exchange('OPTIONS * HTTP/1.1\r\nHost: gateway.test\r\n\r\n', 'OPTIONS')
  t.ok(response.status < 500)
  for (const request of upstream.requests) t.equal(request.start, 'OPTIONS / HTTP/1.1')
})

everyProtocol('what no route matches is a 404 problem, and a method that none takes a 405', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), { key: 'GET /only' })
  const client = await gateway.client(protocol)
  isProblem(t, await client.request({ path: '/other' }), 404)
  const response = await client.request({ method: 'DELETE', path: '/only' })
  isProblem(t, response, 405)
  t.equal(response.get('allow'), 'GET')
  t.equal(upstream.requests.length, 0)
})
