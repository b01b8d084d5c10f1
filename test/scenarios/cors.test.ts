import { test } from 'tap'
import { everyProtocol, gatewayBefore, isProblem, PATIENCE, startGateway } from '../helper.ts'
import { all, type Field } from '../wire.ts'

const PAGE = 'https://app.test'
const PREFLIGHT: Field[] = [
  ['origin', PAGE],
  ['access-control-request-method', 'PUT'],
  ['access-control-request-headers', 'content-type,x-tenant'],
]

everyProtocol(
  'a preflight is answered by the gateway, and its upstream hears nothing',
  async (t, protocol) => {
    const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), {
      key: 'PUT /orders/:id',
      route: { cors: { origin: [PAGE], methods: ['PUT'], credentials: true, maxAge: '10m' } },
    })
    const client = await gateway.client(protocol)
    const answer = await client.request({ method: 'OPTIONS', path: '/orders/7', fields: PREFLIGHT })
    t.equal(answer.status, 204)
    t.equal(answer.get('access-control-allow-origin'), PAGE)
    t.equal(answer.get('access-control-allow-credentials'), 'true')
    t.equal(answer.get('access-control-allow-methods'), 'PUT')
    t.equal(answer.get('access-control-allow-headers'), 'content-type,x-tenant')
    t.equal(answer.get('access-control-max-age'), '600')
    t.equal(all(answer.fields, 'vary').join(', '), 'origin, access-control-request-headers')
    const other = await client.request({
      method: 'OPTIONS',
      path: '/orders/7',
      fields: [['origin', 'https://evil.test'], ...PREFLIGHT.slice(1)],
    })
    t.equal(other.get('access-control-allow-origin'), undefined)
    t.equal(other.get('access-control-allow-methods'), undefined)
    t.equal(upstream.requests.length, 0)
  },
  ['h1', 'h2'],
)

everyProtocol(
  'one stored answer serves every origin, and what its upstream says of CORS is left out',
  async (t, protocol) => {
    const { gateway, upstream } = await gatewayBefore(
      t,
      [
        (exchange) =>
          exchange.respond(
            200,
            [
              ['Cache-Control', 'max-age=60'],
              ['Access-Control-Allow-Origin', '*'],
              ['Access-Control-Max-Age', '1'],
            ],
            'stored',
          ),
      ],
      {
        route: {
          cache: true,
          cors: { origin: [PAGE, 'https://*.other.test'], exposedHeaders: ['ETag'] },
          securityHeaders: { contentSecurityPolicy: false },
        },
      },
    )
    const client = await gateway.client(protocol)
    const ask = (origin?: string) =>
      client.request({ path: '/x', fields: origin === undefined ? [] : [['origin', origin]] })
    for (const origin of [PAGE, 'https://a.b.other.test', PAGE]) {
      const answer = await ask(origin)
      t.equal(answer.body.toString(), 'stored')
      t.same(all(answer.fields, 'access-control-allow-origin'), [origin])
      t.equal(answer.get('access-control-expose-headers'), 'ETag')
      t.equal(answer.get('access-control-max-age'), undefined)
      t.equal(answer.get('x-content-type-options'), 'nosniff')
      t.same(all(answer.fields, 'vary'), ['origin'])
    }
    for (const origin of [undefined, 'https://evil.test', 'https://other.test', 'https://evil.test/.other.test']) {
      const answer = await ask(origin)
      t.equal(answer.body.toString(), 'stored')
      t.equal(answer.get('access-control-allow-origin'), undefined, origin ?? 'without an origin')
      t.same(all(answer.fields, 'vary'), ['origin'])
    }
    t.equal(upstream.requests.length, 1)
  },
)

everyProtocol(
  'a problem says what its page may do with it, and carries the security headers',
  async (t, protocol) => {
    const { gateway } = await gatewayBefore(t, [], {
      route: { cors: true, request: { headers: { required: ['x-tenant'] } }, securityHeaders: true },
    })
    const answer = await (await gateway.client(protocol)).request({ path: '/x', fields: [['origin', PAGE]] })
    isProblem(t, answer, 400)
    t.equal(answer.get('access-control-allow-origin'), '*')
    t.equal(answer.get('vary'), undefined)
    t.match(answer.get('content-security-policy'), /default-src 'self'/)
  },
  ['h1', 'h2'],
)

void test('OPTIONS that is no preflight goes to the upstream, or is refused', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, [(exchange) => exchange.respond(200, [], 'own')], {
    route: { cors: true },
    config: {},
  })
  const client = await gateway.client('h1')
  const answer = await client.request({ method: 'OPTIONS', path: '/x', fields: [['origin', PAGE]] })
  t.equal(answer.body.toString(), 'own')
  t.equal((await upstream.received(1)).method, 'OPTIONS')
  const strict = await startGateway(t, {
    upstreams: { origin: { targets: [upstream.origin] } },
    routes: { '/*': { to: 'origin', cors: { strictPreflight: true } } },
  })
  isProblem(t, await (await strict.client('h1')).request({ method: 'OPTIONS', path: '/x' }), 400)
})

void test('a preflight is answered by the route of the method that it asks for', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await gatewayBefore(t, [], {
    key: 'GET /x',
    route: { cors: true },
    config: {
      routes: {
        'GET /x': { to: 'origin', cors: { origin: [PAGE], methods: ['GET'] } },
        'PUT /x': { to: 'origin', cors: { origin: ['https://admin.test'], methods: ['PUT'] } },
        'DELETE /x': { to: 'origin' },
      },
    },
  })
  const client = await gateway.client('h1')
  const ask = (origin: string, method: string) =>
    client.request({
      method: 'OPTIONS',
      path: '/x',
      fields: [
        ['origin', origin],
        ['access-control-request-method', method],
      ],
    })
  t.equal((await ask(PAGE, 'GET')).get('access-control-allow-methods'), 'GET')
  t.equal((await ask(PAGE, 'PUT')).get('access-control-allow-methods'), undefined)
  t.equal((await ask('https://admin.test', 'PUT')).get('access-control-allow-methods'), 'PUT')
  isProblem(t, await ask(PAGE, 'DELETE'), 405)
})
