import { test, type Test } from 'tap'
import { buildAndListen } from '../conformance/both-ways.ts'
import { type Client, connectClient, type Protocol } from '../client.ts'
import { everyProtocol, managedGatewayBefore, isProblem, PATIENCE, startManagedGateway } from '../helper.ts'
import type { ClientResponse } from '../incoming.ts'
import type { Field } from '../wire.ts'
import { startUpstream } from '../upstream-server.ts'

const AUTHORIZED: Field = ['Authorization', 'Bearer test-token']
const JSON_TYPE: Field = ['Content-Type', 'application/json']

/** Own paths of a gateway whose routes take everything else, and what each takes. */
const PAGES: [path: string, allow: string][] = [
  ['/health', 'GET, HEAD, OPTIONS'],
  ['/ready', 'GET, HEAD, OPTIONS'],
  ['/docs', 'GET, HEAD, OPTIONS'],
  ['/docs/static/index.css', 'GET, HEAD, OPTIONS'],
  ['/openapi.json', 'GET, HEAD, OPTIONS'],
  ['/metrics', 'GET, HEAD, OPTIONS'],
  ['/performance/pools', 'GET, HEAD, OPTIONS'],
  ['/api/v1/performance/pools', 'GET, HEAD, OPTIONS'],
  ['/performance/log', 'GET, HEAD, OPTIONS, PUT'],
]

const codeOf = (response: ClientResponse): unknown => JSON.parse(response.body.toString()).code

async function takesItsMethodsAlone(t: Test, client: Client): Promise<void> {
  for (const [path, allow] of PAGES) {
    for (const method of ['POST', 'DELETE', 'PROPFIND', 'TRACE']) {
      const body = method === 'POST' ? { body: '{', fields: [JSON_TYPE] } : {}
      const refused = await client.request({ method, path, ...body })
      isProblem(t, refused, 405)
      t.equal(codeOf(refused), 'HR_ENDPOINT_METHOD')
      t.equal(refused.get('allow'), allow, `${method} ${path}`)
    }
    const options = await client.request({ method: 'OPTIONS', path })
    t.strictSame([options.status, options.get('allow')], [204, allow], `OPTIONS ${path}`)
    const get = await client.request({ path, fields: [AUTHORIZED] })
    const head = await client.request({ method: 'HEAD', path, fields: [AUTHORIZED] })
    t.equal(head.status, get.status, path)
    t.ok(get.status < 400, `${path}: ${get.status}`)
    t.equal(head.body.length, 0)
    t.equal(head.get('content-type'), get.get('content-type'))
  }
  const missing = await client.request({ path: '/docs/static/none' })
  t.equal(missing.status, 404, 'a method that the page takes')
}

everyProtocol('another method on an own page is 405 with Allow, and reaches no upstream', async (t, protocol) => {
  const { gateway, upstream } = await managedGatewayBefore(t, (exchange) => exchange.respond(), {
    config: { endpoints: {}, admin: { shared: true, token: 'test-token' } },
  })
  await takesItsMethodsAlone(t, await gateway.client(protocol))
  // Readiness asks for the root itself.
  t.strictSame(
    upstream.requests.map(({ start }) => start).filter((start) => start !== 'HEAD / HTTP/1.1'),
    [],
  )
})

/** A client of a gateway's own admin listener. */
async function adminClient(t: Test): Promise<Client> {
  const { adminUrl = '' } = await startManagedGateway(t, { endpoints: {} })
  return connectClient(t, { cleartext: Number(new URL(adminUrl).port), tls: 0 }, 'h1')
}

void test('the same on a listener of the control plane alone', { timeout: PATIENCE }, async (t) => {
  await takesItsMethodsAlone(t, await adminClient(t))
})

void test('addresses that the router of the control plane cannot read are problems too', {
  timeout: PATIENCE,
}, async (t) => {
  const client = await adminClient(t)
  for (const path of ['/%FF', '/performance/%E0%A4%A', '/docs/static/%FF']) {
    const response = await client.request({ path })
    const { code, requestId } = JSON.parse(response.body.toString())
    t.strictSame([response.status, response.get('content-type')], [400, 'application/problem+json'], path)
    t.type(code, 'string')
    t.equal(response.get('x-request-id'), requestId)
  }
  isProblem(t, await client.request({ path: `/docs/static/${'x'.repeat(200)}` }), 404)
})

everyProtocol('OPTIONS * is answered by the gateway, and CONNECT stays refused', async (t, protocol) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond())
  for (const isLaneOff of [false, true]) {
    const gateway = await buildAndListen(t, {
      input: { upstreams: { origin: { targets: [upstream.origin] } }, routes: { '/*': { to: 'origin' } } },
      extend: (app) => isLaneOff && app.addHook('onRequest', async () => undefined),
    })
    const response = await (await gateway.client(protocol)).request({ method: 'OPTIONS', path: '*' })
    t.equal(response.status, 204)
    t.equal(response.get('allow'), 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS')
    t.ok(response.get('x-request-id'))
    t.ok(response.get('date'))
  }
  t.equal(upstream.requests.length, 0)
})

void test('OPTIONS * of the control plane, and with another method', { timeout: PATIENCE }, async (t) => {
  const client = await adminClient(t)
  t.equal((await client.request({ method: 'OPTIONS', path: '*' })).status, 204)
  t.equal((await client.request({ method: 'GET', path: '*' })).status, 404)
})

const EXPECT: Field = ['Expect', '100-continue']

/** Requests whose answer does not depend on their body, and what they are answered. */
const UNWANTED: [path: string, status: number, method?: string, length?: string][] = [
  ['/none', 404],
  ['/health', 405],
  ['/health', 200, 'GET'],
  ['/narrow', 405],
  ['/performance/log', 401, 'PUT'],
  ['/performance/none', 404],
  ['/a%00', 400],
  ['/narrow', 413, 'GET', '70000'],
  ['/none', 413, 'POST', '70000'],
  ['/performance/log', 413, 'PUT', '70000'],
]

for (const isLaneOff of [false, true]) {
  everyProtocol(
    `a body that nobody wants is not asked for${isLaneOff ? ', by Fastify either' : ''}`,
    async (t, protocol) => {
      const upstream = await startUpstream(t, (exchange) => exchange.respond())
      const gateway = await buildAndListen(t, {
        input: {
          admin: { shared: true },
          limits: { bodySize: '64KiB' },
          upstreams: { origin: { targets: [upstream.origin] } },
          routes: { 'GET /narrow': { to: 'origin' } },
        },
        extend: (app) => isLaneOff && app.addHook('onRequest', async () => undefined),
      })
      const client = await gateway.client(protocol)
      for (const [path, status, method = 'POST', length = '5'] of UNWANTED) {
        const { response } = await client.open({
          method,
          path,
          streamBody: true,
          fields: [EXPECT, JSON_TYPE, ['Content-Length', length]],
        })
        t.equal((await response.head()).status, status, `${method} ${path}`)
        t.strictSame(response.informational, [], `${method} ${path}`)
        if (protocol === 'h1') t.equal((await response.head()).get('connection'), 'close', `${method} ${path}`)
      }
      t.equal(upstream.requests.length, 0)
    },
  )
}

async function isAskedOnce(t: Test, client: Client): Promise<void> {
  const exchange = await client.open({
    method: 'PUT',
    path: '/performance/log',
    streamBody: true,
    fields: [EXPECT, JSON_TYPE, AUTHORIZED, ['Content-Length', '18']],
  })
  await exchange.response.interim()
  await exchange.write('{"level":"silent"}')
  exchange.end()
  t.equal((await exchange.response.whole()).status, 200)
  t.strictSame(
    exchange.response.informational.map(({ status }) => status),
    [100],
  )
}

everyProtocol('a body that an own page reads is asked for, once', async (t, protocol: Protocol) => {
  const gateway = await startManagedGateway(t, { admin: { shared: true, token: 'test-token' } })
  await isAskedOnce(t, await gateway.client(protocol))
})

void test('the same on a listener of the control plane', { timeout: PATIENCE }, async (t) => {
  await isAskedOnce(t, await adminClient(t))
})

everyProtocol('a body that is no JSON does not hide that no route takes the path', async (t, protocol) => {
  const gateway = await startManagedGateway(t, { endpoints: {} })
  const client = await gateway.client(protocol)
  isProblem(t, await client.request({ method: 'POST', path: '/none', body: '{', fields: [JSON_TYPE] }), 404)
  const admin = await adminClient(t)
  isProblem(t, await admin.request({ method: 'POST', path: '/none', body: '{', fields: [JSON_TYPE] }), 404)
})
