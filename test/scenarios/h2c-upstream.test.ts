import { type AddressInfo, createServer } from 'node:net'
import { test } from 'tap'
import { startDnsServer } from '../dns-server.ts'
import { type H2Exchange, startH2Upstream } from '../h2-upstream.ts'
import { everyProtocol, gatewayBeforeOrigin, isProblem, PATIENCE, startManagedGateway, TIMEOUTS } from '../helper.ts'
import type { ClientResponse } from '../incoming.ts'
import { REFUSING_ORIGIN, startUpstream } from '../upstream-server.ts'
import { until } from '../until.ts'
import { openH1, openH2 } from '../websocket.ts'

/** Upstreams of HTTP/2 in cleartext: what they share with those over TLS is tested there, over every protocol. */

const cleartext = { cleartext: true }
const codeOf = ({ body }: ClientResponse): string => (JSON.parse(body.toString()) as { code: string }).code

function answer({ stream, headers }: H2Exchange): void {
  stream.respond({ ':status': 200 })
  stream.end(headers[':authority'])
}

interface Pool {
  target: string
  state: string
  outcomes: Record<string, number>
  check: { last: { reason: string } } | null
  lastError: { code: string } | null
}

async function pools({ adminUrl, token }: { adminUrl: string | undefined; token: string }): Promise<Pool[]> {
  const response = await fetch(`${adminUrl}/performance/pools`, { headers: { authorization: `Bearer ${token}` } })
  return ((await response.json()) as { pools: Pool[] }).pools
}

everyProtocol('whatever a client speaks, an h2c target is asked over HTTP/2', async (t, protocol) => {
  const upstream = await startH2Upstream(t, answer, cleartext)
  const gateway = await gatewayBeforeOrigin(t, upstream.origin, { http2: false })
  const response = await (await gateway.client(protocol)).request({ path: '/' })
  t.equal(response.body.toString(), upstream.origin.slice('h2c://'.length))
  t.equal(response.get('via'), '2 headrace')
})

for (const [name, says] of Object.entries({
  'that refuses the preface': 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
  'that takes the preface for a request': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
})) {
  void test(`a server of HTTP/1.1 alone ${name}: 502, which says so`, { timeout: PATIENCE }, async (t) => {
    const upstream = await startUpstream(t, () => undefined, {
      connection: (socket) => socket.write(says),
      tolerant: true,
    })
    const gateway = await startManagedGateway(t, {
      upstreams: {
        origin: {
          targets: [upstream.origin.replace('http:', 'h2c:')],
          timeout: TIMEOUTS,
          health: { path: '/', interval: '1h' },
          outliers: false,
        },
      },
      routes: { '/*': { to: 'origin' } },
    })
    const response = await (await gateway.client('h1')).request({ path: '/' })
    isProblem(t, response, 502)
    t.equal(codeOf(response), 'HR_UPSTREAM_NOT_HTTP2')
    t.match(response.body.toString(), /http:\/\/ asks for HTTP\/1\.1/)
    await until(async () => (await pools(gateway))[0]?.check?.last !== null)
    t.match(await pools(gateway), [
      {
        outcomes: { invalid_response: 1 },
        lastError: { code: 'HR_UPSTREAM_NOT_HTTP2' },
        check: { last: { reason: 'invalid_response HR_UPSTREAM_NOT_HTTP2' } },
      },
    ])
  })
}

void test('a server of TLS behind an h2c target: 502', { timeout: PATIENCE }, async (t) => {
  const upstream = await startH2Upstream(t, () => t.fail('nothing is understood'), { cleartext: false })
  const gateway = await gatewayBeforeOrigin(t, upstream.origin.replace('https:', 'h2c:'), { http2: false })
  isProblem(t, await (await gateway.client('h1')).request({ path: '/' }), 502)
})

void test('a connection that is closed before a word is a reset, and no other protocol', {
  timeout: PATIENCE,
}, async (t) => {
  const server = createServer((socket) => socket.on('error', () => undefined).once('data', () => socket.end()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const gateway = await gatewayBeforeOrigin(t, `h2c://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const response = await (await gateway.client('h1')).request({ path: '/' })
  isProblem(t, response, 502)
  t.equal(codeOf(response), 'HR_UPSTREAM_RESET')
})

for (const [protocol, open] of Object.entries({ h1: openH1, h2: openH2 })) {
  void test(`WebSocket is not asked of an h2c target, which is not blamed (${protocol})`, {
    timeout: PATIENCE,
  }, async (t) => {
    const upstream = await startH2Upstream(t, () => t.fail('nothing is sent'), cleartext)
    const gateway = await startManagedGateway(t, {
      upstreams: { origin: { targets: [upstream.origin] } },
      routes: { '/*': { to: 'origin', websocket: { connections: 1 } } },
    })
    // The place on the route is given back.
    for (let turn = 0; turn < 2; turn++) {
      const refused = await open(t, { port: gateway.ports.cleartext })
      t.equal(refused.status, 501)
      t.match(String(await refused.body()), /HR_WEBSOCKET_TARGET/)
    }
    t.equal(upstream.sessions.length, 0)
    t.match(await pools(gateway), [{ state: 'unknown', lastError: null }])
  })
}

void test('a target that refuses connections: another takes the request, of whatever protocol', {
  timeout: PATIENCE,
}, async (t) => {
  const upstream = await startH2Upstream(t, answer, cleartext)
  const gateway = await gatewayBeforeOrigin(t, REFUSING_ORIGIN.replace('http:', 'h2c:'), {
    targets: [REFUSING_ORIGIN.replace('http:', 'h2c:'), upstream.origin],
    balance: 'round-robin',
    outliers: false,
  })
  const client = await gateway.client('h1')
  for (let turn = 0; turn < 4; turn++) t.equal((await client.request({ path: '/' })).status, 200)
})

void test('an upstream has targets of both kinds, and each is asked as it says', { timeout: PATIENCE }, async (t) => {
  const modern = await startH2Upstream(t, answer, cleartext)
  const old = await startUpstream(t, (exchange) => exchange.respond())
  const gateway = await gatewayBeforeOrigin(t, '', {
    targets: [modern.origin, old.origin],
    http2: false,
    balance: 'round-robin',
  })
  const client = await gateway.client('h1')
  const vias = new Set<string | undefined>()
  for (let turn = 0; turn < 4; turn++) vias.add((await client.request({ path: '/' })).get('via'))
  t.same(vias, new Set(['1.1 headrace', '2 headrace']))
})

void test('names lead to h2c targets, which are asked for by their names', { timeout: PATIENCE }, async (t) => {
  const upstream = await startH2Upstream(t, answer, cleartext)
  const port = Number(new URL(upstream.origin).port)
  const names = await startDnsServer(t, {
    'api.test': ['127.0.0.1'],
    '_orders._tcp.test': [{ name: 'orders-1.test', port }],
    'orders-1.test': ['127.0.0.1'],
  })
  const gateway = await startManagedGateway(t, {
    upstreams: {
      api: { targets: [`dns+h2c://api.test:${port}`], nameServers: [names.address] },
      orders: { targets: ['srv+h2c://_orders._tcp.test'], nameServers: [names.address] },
    },
    routes: { '/api': { to: 'api' }, '/orders': { to: 'orders' } },
  })
  const client = await gateway.client('h1')
  const asked = async (path: string): Promise<string> => (await client.request({ path })).body.toString()
  t.equal(await asked('/api'), `api.test:${port}`)
  t.equal(await asked('/orders'), `orders-1.test:${port}`)
  t.strictSame(
    (await pools(gateway)).map(({ target }) => target),
    [upstream.origin, upstream.origin],
  )
})

void test('an h2c target comes and goes at run time, also to an upstream of HTTP/1.1', {
  timeout: PATIENCE,
}, async (t) => {
  const modern = await startH2Upstream(
    t,
    ({ stream }) => {
      stream.respond({ ':status': 200 })
      stream.write('begun')
      stream.close(0)
    },
    cleartext,
  )
  const old = await startUpstream(t, (exchange) => exchange.respond(200, [], 'old'))
  const gateway = await startManagedGateway(t, {
    upstreams: { origin: { targets: [old.origin], timeout: TIMEOUTS } },
    routes: { '/*': { to: 'origin' } },
  })
  const change = async (target: string, state: string): Promise<number> => {
    const { status } = await fetch(`${gateway.adminUrl}/performance/pools/targets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ upstream: 'origin', target, state }),
    })
    return status
  }
  t.equal(await change(modern.origin, 'active'), 200)
  t.equal(await change(old.origin, 'draining'), 200)
  const client = await gateway.client('h1')
  const exchange = await client.open({ path: '/' })
  t.equal((await exchange.response.chunk())?.toString(), 'begun')
  t.equal(await exchange.response.ending(), 'broken', 'its streams are watched as those of any other')
  t.equal(await change(`${modern.origin}/`, 'removed'), 200)
  t.equal(await change(old.origin, 'active'), 200)
  t.equal((await client.request({ path: '/' })).body.toString(), 'old')
})

void test('a mirror and a hedge go over HTTP/2 too', { timeout: PATIENCE }, async (t) => {
  const shadow = await startH2Upstream(t, answer, cleartext)
  const slow = await startH2Upstream(t, () => undefined, cleartext)
  const quick = await startH2Upstream(t, answer, cleartext)
  const gateway = await startManagedGateway(t, {
    upstreams: {
      origin: {
        targets: [slow.origin, quick.origin],
        hedge: { after: '1ms' },
        balance: 'round-robin',
        outliers: false,
      },
      shadow: { targets: [shadow.origin] },
    },
    routes: { '/*': { to: 'origin', mirror: { to: 'shadow' } } },
  })
  const client = await gateway.client('h1')
  for (let turn = 0; turn < 2; turn++) {
    t.equal((await client.request({ path: '/' })).body.toString(), quick.origin.slice('h2c://'.length))
  }
  await shadow.received(2)
})
