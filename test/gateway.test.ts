import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { test, type Test } from 'tap'
import { gateway, type GatewayOptions } from '../gateway.ts'
import { testCertificate } from './certificate.ts'
import { type Client, connectClient, PROTOCOLS, type Protocol } from './client.ts'
import { isProblem, PATIENCE } from './helper.ts'
import { BrokenResponse } from './incoming.ts'
import { heldByKernel } from './kernel-buffers.ts'
import { connectRaw, type RawConnection } from './raw-client.ts'
import { standstill } from './signal.ts'
import { type Script, startUpstream, type Upstream } from './upstream-server.ts'

interface Hosted {
  app: FastifyInstance
  port: number
  upstream: Upstream
  client: Client
  raw(): Promise<RawConnection>
}

interface SetUp {
  script?: Script
  options?: Omit<GatewayOptions, 'upstreams' | 'routes'>
  routes?: GatewayOptions['routes']
  to?: { timeout: Record<string, string> }
  server?: FastifyServerOptions
  /** What the application has before the gateway is registered. */
  before?: (app: FastifyInstance) => unknown
  discardBodies?: boolean
}

const MIB = 2 ** 20
/** More than sockets whose other end does not read hold. */
const BODY = 16 * MIB
/** What flow control and a few stream buffers on the way may hold; a gateway that hoards exceeds it. */
const IN_FLIGHT = 4 * MIB
const BLOCK = Buffer.alloc(64 * 1024, 'headrace')

const ROUTES = { '/api/*': { to: 'origin' } }

/** Any host application of Fastify's own making; the options that make it speak a protocol. */
async function serverFor(protocol: Protocol): Promise<FastifyServerOptions> {
  if (protocol === 'h1') return {}
  if (protocol === 'h2c') return { http2: true } as object
  const https = await testCertificate()
  const secure: unknown = protocol === 'h2' ? { http2: true, https: { ...https, allowHTTP1: true } } : { https }
  return secure as FastifyServerOptions
}

/** A user's application with the gateway in it, listening by itself; it closes with the test. */
async function host(t: Test, protocol: Protocol = 'h1', setUp: SetUp = {}): Promise<Hosted> {
  const script: Script = setUp.script ?? ((exchange) => exchange.respond(200, [], exchange.request.target))
  const upstream = await startUpstream(t, script, { discardBodies: setUp.discardBodies ?? false })
  const app = Fastify({ ...(await serverFor(protocol)), ...setUp.server })
  await setUp.before?.(app)
  await app.register(gateway, {
    upstreams: { origin: { targets: [upstream.origin], ...setUp.to } },
    routes: setUp.routes ?? ROUTES,
    ...setUp.options,
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  t.teardown(() => app.close())
  const ports = { cleartext: port, tls: port }
  return { app, port, upstream, client: await connectClient(t, ports, protocol), raw: () => connectRaw(t, { port }) }
}

/** The same over each kind of server that Fastify makes. */
function everyServer(
  name: string,
  scenario: (t: Test, protocol: Protocol) => Promise<void>,
  protocols: readonly Protocol[] = PROTOCOLS,
): void {
  for (const protocol of protocols) {
    void test(`${name} (${protocol})`, { timeout: PATIENCE }, (t) => scenario(t, protocol))
  }
}

everyServer('an application’s own routes and the gateway’s are served side by side', async (t, protocol) => {
  const { client, upstream } = await host(t, protocol, {
    before: (app) => {
      app.get('/own', async () => ({ mine: true }))
      app.get('/api/own', async () => ({ mine: 'below a wildcard' }))
      app.setNotFoundHandler((_request, reply) => reply.code(404).send({ nobody: 'has it' }))
    },
  })
  t.strictSame(JSON.parse((await client.request({ path: '/own' })).body.toString()), { mine: true })
  t.match((await client.request({ path: '/api/own' })).body.toString(), 'below a wildcard')
  const proxied = await client.request({ path: '/api/own/x?y=1' })
  t.equal(proxied.body.toString(), '/api/own/x?y=1')
  t.match(proxied.get('via'), 'headrace')
  const other = await client.request({ path: '/elsewhere' })
  t.strictSame([other.status, other.body.toString()], [404, '{"nobody":"has it"}'])
  t.equal(upstream.requests.length, 1)
})

everyServer('a body of any media type goes on as it is, and the answer comes back as it is', async (t, protocol) => {
  const { client, upstream } = await host(t, protocol, {
    script: async (exchange) => {
      const body = await exchange.body()
      await exchange.send('HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n')
      if (body.length > 0) await exchange.chunk(body)
      await exchange.lastChunk([['x-sum', String(body.length)]])
    },
    before: (app) => app.post('/own', async (request) => request.body),
  })
  const types = ['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'no media type', undefined]
  for (const type of types) {
    for (const method of ['POST', 'DELETE', 'PROPFIND', 'QUERY']) {
      const fields = type === undefined ? [] : [['Content-Type', type] as const]
      const response = await client.request({ method, path: '/api/x', fields, body: '{"broken' })
      t.strictSame([response.status, response.body.toString()], [201, '{"broken'], `${method} ${type}`)
      t.equal(response.trailers.find(([name]) => name.toLowerCase() === 'x-sum')?.[1], '8')
      t.equal(upstream.requests.at(-1)?.get('content-type'), type)
    }
  }
  const fields = [['Content-Type', 'application/json'] as const]
  const own = await client.request({ method: 'POST', path: '/own', fields, body: '{"a":1}' })
  t.equal(own.body.toString(), '{"a":1}', 'the application’s own routes parse as before')
})

everyServer('an upstream that does not read holds an upload back', async (t, protocol) => {
  const { client, port, upstream } = await host(t, protocol, {
    discardBodies: true,
    script: async (exchange) => {
      exchange.pause()
      await exchange.respond(200, [], 'stored')
    },
    to: { timeout: { firstByte: '60s', total: '60s', idle: '60s' } },
  })
  const fields = [['Content-Length', String(BODY)] as const]
  const exchange = await client.open({ method: 'PUT', path: '/api/x', fields, streamBody: true })
  let accepted = 0
  const sending = (async () => {
    for (; accepted < BODY; accepted += BLOCK.length) await exchange.write(BLOCK)
    exchange.end()
  })()
  await upstream.received(1)
  const held = (await standstill(() => accepted)) - heldByKernel(port, upstream.port)
  t.ok(held < IN_FLIGHT, `of what the client could write, ${held} bytes are on the way`)
  upstream.connections[0]?.socket.resume()
  await sending
  t.equal((await exchange.response.whole()).body.toString(), 'stored')
  t.equal(upstream.requests[0]?.bodyBytes, BODY)
})

everyServer('what an upstream does wrong is a problem, past the application’s error handler', async (t, protocol) => {
  const { client } = await host(t, protocol, {
    script: (exchange) =>
      exchange.request.target === '/api/reset' ? exchange.reset() : exchange.lieAboutLength(9, ''),
    before: (app) => app.setErrorHandler((_error, _request, reply) => reply.code(500).send('the application’s')),
  })
  isProblem(t, await client.request({ path: '/api/reset' }), 502)
  await t.rejects(client.request({ path: '/api/short' }), BrokenResponse, 'a truncated answer never looks complete')
})

everyServer(
  'a client that leaves ends the upstream’s request',
  async (t, protocol) => {
    const { client, upstream } = await host(t, protocol, { script: (exchange) => exchange.stall() })
    const exchange = await client.open({ path: '/api/slow' })
    await upstream.received(1)
    exchange.abort()
    t.ok(await upstream.closed(0))
  },
  ['h1', 'h2', 'h2c'],
)

everyServer('hooks of the application see proxied requests, their status and their time', async (t, protocol) => {
  const seen: unknown[] = []
  const told = Promise.withResolvers<void>()
  const { client, app } = await host(t, protocol, {
    script: (exchange) => exchange.respond(203, [], 'x'),
    before: (app) => {
      app.addHook('onRequest', async (request, reply) => {
        if (request.headers.authorization === undefined) return reply.code(401).send({ who: 'are you' })
      })
      app.addHook('preHandler', async ({ routeOptions, exchange }) => {
        seen.push([routeOptions.url, exchange.plan?.key, exchange.path])
      })
      app.addHook('onSend', async (_request, reply) => void reply.header('x-late', 'has no effect'))
      app.addHook('onResponse', async (_request, reply) => {
        if (reply.statusCode !== 401) told.resolve(void seen.push(reply.statusCode))
      })
    },
  })
  const stranger = await client.request({ path: '/api/x' })
  t.strictSame([stranger.status, stranger.body.toString()], [401, '{"who":"are you"}'])
  const response = await client.request({ path: '/api/%78', fields: [['Authorization', 'x']] })
  t.equal(response.status, 203)
  t.equal(response.get('x-late'), undefined)
  await told.promise
  t.strictSame(seen, [['/api/*', '/api/*', '/api/x'], 203])
  t.strictSame(
    app.traffic?.snapshot().flatMap(({ requests }) => requests),
    [{ method: 'GET', status: 203, count: 1 }],
    'what the application answers itself is no traffic of the route',
  )
})

everyServer('closing the application waits for a request in flight, then closes the pools', async (t, protocol) => {
  const finish = Promise.withResolvers<void>()
  const order: string[] = []
  const stopping = Promise.withResolvers<void>()
  const { client, app, upstream } = await host(t, protocol, {
    script: async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf')
      await finish.promise
      await exchange.send('half')
    },
    before: (app) => {
      app.addHook('preClose', async () => stopping.resolve())
      app.addHook('onClose', async () => void order.push('closed'))
    },
  })
  const isHttp1 = protocol.startsWith('h1')
  const exchange = await client.open({ path: '/api/x', fields: isHttp1 ? [['Connection', 'close']] : [] })
  t.equal((await exchange.response.chunk())?.toString(), 'half')
  const closed = app.close()
  await stopping.promise
  order.push('answered')
  finish.resolve()
  t.equal((await exchange.response.whole()).body.toString(), 'halfhalf')
  await closed
  t.strictSame(order, ['answered', 'closed'])
  t.ok(await upstream.closed(0), 'no connection to the upstream is left')
})

everyServer(
  'a path with dot segments is refused, which the application’s router reads in another way',
  async (t, protocol) => {
    const { client, upstream } = await host(t, protocol, {
      routes: { '/*': { to: 'origin' } },
      before: (app) => app.get('/guarded/*', async (_request, reply) => reply.code(403).send('guarded')),
    })
    t.equal((await client.request({ path: '/guarded/x' })).status, 403)
    for (const path of ['/a/../guarded/x', '/a/%2E%2e/guarded/x', '/./guarded/x', '/a/..', '/a/.?q']) {
      const refused = await client.request({ path })
      isProblem(t, refused, 400)
      t.match(refused.body.toString(), 'HR_REQUEST_PATH_AMBIGUOUS', path)
    }
    t.equal((await client.request({ path: '/a/...?../..' })).body.toString(), '/a/...?../..', 'these are none')
    t.equal((await client.request({ path: '/%61%C3%A9%2f' })).body.toString(), '/a%C3%A9%2F', 'sent in canonical form')
    t.equal(upstream.requests.length, 2)
  },
)

void test('what admission refuses reaches no upstream, and ends its connection', { timeout: PATIENCE }, async (t) => {
  const { raw, upstream } = await host(t, 'h1', {
    options: { limits: { bodySize: '10B' } },
    server: { http: { requireHostHeader: false } } as FastifyServerOptions,
  })
  const refused: [bytes: string, status: number][] = [
    ['GET /api/x HTTP/1.1\r\n\r\n', 400],
    ['GET /api/x HTTP/1.1\r\nHost: a b\r\n\r\n', 400],
    ['GET /api/x%00 HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['GET /api/x\\y HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n', 413],
  ]
  for (const [bytes, status] of refused) {
    const connection = await raw()
    const response = await connection.exchange(bytes)
    isProblem(t, response, status)
    t.equal(response.get('connection'), 'close', bytes)
    await connection.ended()
  }
  t.equal(upstream.requests.length, 0)
})

void test('100 Continue is written once', { timeout: PATIENCE }, async (t) => {
  const { raw, upstream } = await host(t)
  const connection = await raw()
  const incoming = connection.expect('POST')
  await connection.send('POST /api/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n')
  await connection.send('abc')
  const { status, informational } = await incoming.whole()
  t.strictSame([status, informational.map((head) => head.status)], [200, [100]])
  t.equal(upstream.requests[0]?.body.toString(), 'abc')
})

void test('a prefix, and that of the scope around, come before each route', { timeout: PATIENCE }, async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [], exchange.request.target))
  const app = Fastify()
  t.teardown(() => app.close())
  const upstreams = { origin: { targets: [upstream.origin] } }
  await app.register(
    async (scope) => {
      scope.get('/x', async () => 'own')
      await scope.register(gateway, {
        prefix: '/x/',
        upstreams,
        routes: {
          '/': { to: 'origin' },
          '/api/*': { to: 'origin' },
          '/cut/*': { to: 'origin', stripPrefix: true },
          'GET a.test/v/:id': { to: 'origin', rewrite: '/w/:id' },
        },
      })
    },
    { prefix: '/v1' },
  )
  const ask = async (url: string): Promise<string> => (await app.inject({ url, headers: { host: 'a.test' } })).body
  t.equal(await ask('/v1/x/api/7'), '/v1/x/api/7')
  t.equal(await ask('/v1/x/cut/7?a'), '/7?a')
  t.equal(await ask('/v1/x/v/7'), '/w/7')
  t.equal(await ask('/v1/x/'), '/v1/x/')
  t.equal(await ask('/v1/x'), 'own')
  for (const path of ['/x/api/7', '/v1/api/7', '/api/7']) t.match(await ask(path), 'Not Found', path)
  for (const prefix of ['x', 'x/y']) {
    await t.rejects(async () => Fastify().register(gateway, { prefix, upstreams, routes: ROUTES }), {
      code: 'HR_ROUTE_INVALID',
      message: `the prefix '${prefix}' is no path: write '/${prefix}'`,
    })
  }
})

void test('a route that the application has already is left to it, method by method', {
  timeout: PATIENCE,
}, async (t) => {
  const { app } = await host(t, 'h1', {
    routes: { '/*': { to: 'origin' }, 'GET /both/:id': { to: 'origin' }, '/both/:other': { to: 'origin' } },
    before: (app) => {
      // As @fastify/cors does.
      app.options('*', async () => 'options')
      app.get('/both/:name', async ({ params }) => params)
    },
  })
  const ask = async (method: 'GET' | 'PUT' | 'OPTIONS', url: string): Promise<string> =>
    (await app.inject({ method, url })).body
  t.equal(await ask('OPTIONS', '/a'), 'options')
  t.equal(await ask('GET', '/both/7'), '{"name":"7"}')
  t.equal(await ask('PUT', '/both/7'), '/both/7')
  t.equal(await ask('GET', '/both/7/x'), '/both/7/x')
  await t.rejects(
    async () => {
      const late = Fastify()
      await late.register(gateway, {
        upstreams: { a: { targets: ['http://127.0.0.1:1'] } },
        routes: { '/*': { to: 'a' } },
      })
      late.get('/*', async () => 'late')
    },
    { code: 'FST_ERR_DUPLICATED_ROUTE' },
    'and one that comes later is Fastify’s error',
  )
})

void test('routes of hosts and methods leave all else to the application', { timeout: PATIENCE }, async (t) => {
  const { app } = await host(t, 'h1', {
    routes: {
      'api.test/*': { to: 'origin', rewrite: '/exact/*' },
      '*.test/*': { to: 'origin', rewrite: '/suffix/*' },
      '*.deep.test/*': { to: 'origin', rewrite: '/deep/*' },
      'GET /only': { to: 'origin' },
      '/a:b/%20/*': { to: 'origin' },
      'encoded/s%2Ft/*': { to: 'origin' },
      'named.example/*': { to: 'origin' },
    },
    before: (app) => app.get('/*', async () => 'own'),
  })
  const ask = async (url: string, hostname: string, method: 'GET' | 'POST' = 'GET'): Promise<string> =>
    (await app.inject({ method, url, headers: { host: hostname } })).body
  t.equal(await ask('/x', 'api.test'), '/exact/x')
  t.equal(await ask('/x', 'b.test:8080'), '/suffix/x')
  t.equal(await ask('/x', 'a.deep.test'), '/deep/x')
  t.equal(await ask('/x', 'test'), 'own')
  t.equal(await ask('/x', 'api.testy'), 'own')
  t.equal(await ask('/only', 'other'), '/only')
  t.match(await ask('/only', 'other', 'POST'), 'Route POST:/only not found')
  t.equal(await ask('/x', 'Named.Example.:80'), '/x')
  t.equal(await ask('/a:b/%20/x', 'other'), '/a:b/%20/x')
  t.equal(await ask('/ab/%20/x', 'other'), 'own', 'a colon is none of Fastify’s parameters')
  t.equal(await ask('/a:b/c/x', 'other'), 'own')
  t.equal(await ask('/s%2Ft/x', 'encoded'), '/s%2Ft/x')
  t.match(
    await ask('/s%2Fu/x', 'encoded'),
    'Route GET:/s%2Fu/x not found',
    'Fastify’s router cannot tell; the table can',
  )
})

void test('the request’s id is the application’s', { timeout: PATIENCE }, async (t) => {
  const { app, upstream } = await host(t, 'h1', {
    server: { requestIdHeader: 'x-request-id', genReqId: () => 'made' },
    script: (exchange) => (exchange.request.target === '/api/no' ? exchange.reset() : exchange.respond()),
  })
  const made = await app.inject('/api/x')
  t.strictSame([made.headers['x-request-id'], upstream.requests[0]?.get('x-request-id')], ['made', 'made'])
  t.equal((await app.inject({ url: '/api/x', headers: { 'x-request-id': 'sent' } })).headers['x-request-id'], 'sent')
  t.equal((await app.inject('/api/no')).json<{ requestId: string }>().requestId, 'made')
  const odd = await app.inject({ url: '/api/x', headers: { 'x-request-id': 'é'.repeat(9) } })
  t.match(odd.headers['x-request-id'], /^[\x21-\x7e]+$/)
})

void test('inject() proxies, and fails where the answer breaks off', { timeout: PATIENCE }, async (t) => {
  const { app } = await host(t, 'h1', {
    script: async (exchange) => {
      if (exchange.request.target === '/api/short') return exchange.lieAboutLength(9, 'x')
      return exchange.respond(
        200,
        [['X-From', 'upstream']],
        `${exchange.request.method} ${String(await exchange.body())}`,
      )
    },
  })
  const response = await app.inject({ method: 'POST', url: '/api/x', payload: { a: 1 } })
  t.equal(response.body, 'POST {"a":1}')
  t.equal(response.headers['x-from'], 'upstream')
  await t.rejects(app.inject('/api/short'), /destroyed before completion/)
  t.equal((await app.inject('/api/x')).statusCode, 200, 'and goes on after that')
})

everyServer('a body that a hook has read is an error that says so, and not sent in part', async (t, protocol) => {
  const { client, upstream } = await host(t, protocol, {
    before: (app) =>
      app.addHook('onRequest', async ({ raw, headers }) => {
        if (headers['x-read'] !== undefined) for await (const _ of raw);
      }),
  })
  const refused = await client.request({ method: 'POST', path: '/api/x', body: 'abc', fields: [['X-Read', '1']] })
  t.strictSame([refused.status, JSON.parse(refused.body.toString()).code], [500, 'HR_BODY_READ'])
  t.equal((await client.request({ method: 'POST', path: '/api/x', body: 'abc' })).status, 200)
  t.equal((await client.request({ path: '/api/x', fields: [['X-Read', '1']] })).status, 200, 'nothing was to be read')
  t.equal(upstream.requests.length, 2)
})

void test('several gateways in scopes of one application know nothing of each other', {
  timeout: PATIENCE,
}, async (t) => {
  const upstream = await startUpstream(t, async (exchange) => {
    await exchange.respond(200, [], exchange.request.get('x-forwarded-for'))
  })
  const app = Fastify()
  const upstreams = { origin: { targets: [upstream.origin] } }
  for (const [prefix, trust] of [
    ['/plain', []],
    ['/trusting', ['loopback']],
  ] as const) {
    await app.register(async (scope) => {
      await scope.register(gateway, { prefix, upstreams, forwarded: { trust }, routes: { '/*': { to: 'origin' } } })
    })
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => app.close())
  const connection = await connectRaw(t, { port: (app.server.address() as AddressInfo).port })
  const ask = async (path: string): Promise<string> =>
    (await connection.exchange(`GET ${path} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n`)).body.toString()
  t.equal(await ask('/plain/x'), '127.0.0.1')
  t.equal(await ask('/trusting/x'), '9.9.9.9, 127.0.0.1')
  t.equal(await ask('/plain/x'), '127.0.0.1', 'on the same connection')
})

void test('an application’s rewriteUrl and options of its router are followed', { timeout: PATIENCE }, async (t) => {
  const rewriteUrl: FastifyServerOptions['rewriteUrl'] = ({ url = '' }) => url.replace('/old/', '/api/')
  for (const protocol of ['h1', 'h2c'] as const) {
    const { client } = await host(t, protocol, { server: { rewriteUrl } })
    t.equal((await client.request({ path: '/old/x?y' })).body.toString(), '/api/x?y', protocol)
  }
})

void test('what is wrong with the options is said at register, all of it', { timeout: PATIENCE }, async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const options = {
    listen: { port: 80 },
    limits: { connections: 5, bodySize: 'much' },
    upstreams: { origin: { targets: ['http://127.0.0.1:1'], conections: 5 } },
    routes: { '/api/*': { to: 'orgin' } },
    routs: {},
  }
  await t.rejects(async () => app.register(gateway, options as never), {
    code: 'HR_CONFIG_INVALID',
    message: [
      'The configuration is invalid:',
      "  listen: 'listen' has no effect inside another application: listeners and processes are that application's",
      "  routs: unknown property 'routs'; did you mean routes?",
      "  limits.connections: 'connections' has no effect inside another application: listeners and processes are that application's",
      "  limits.bodySize: expected a size such as '64KiB' or '256MiB', got 'much'",
      "  upstreams.origin.conections: unknown property 'conections'; did you mean connections?",
      "  routes['/api/*'].to: no upstream is named 'orgin'; there is origin; did you mean origin?",
    ].join('\n'),
  })
})

void test('decorators are shared with the application, and a second gateway beside the first is refused', async (t) => {
  const { app, upstream } = await host(t, 'h1', {
    options: { metrics: false, serverTiming: false, logLevel: 'warn' } as never,
  })
  t.equal(app.traffic, null)
  t.equal((await app.inject('/api/x')).headers['server-timing'], undefined)
  t.match(app.upstreams.snapshot(), [{ upstream: 'origin', state: 'up' }])
  const second = Fastify()
  t.teardown(() => second.close())
  const options = { upstreams: { origin: { targets: [upstream.origin] } }, routes: ROUTES }
  await second.register(gateway, options)
  await t.rejects(async () => second.register(gateway, options), { code: 'FST_ERR_DEC_ALREADY_PRESENT' })
})

void test('a preflight to a route of one method is answered inside an application too', {
  timeout: PATIENCE,
}, async (t) => {
  const { client, upstream } = await host(t, 'h1', {
    routes: { 'GET /api/*': { to: 'origin', cors: { origin: ['https://app.test'] } } },
  })
  const answer = await client.request({
    method: 'OPTIONS',
    path: '/api/x',
    fields: [
      ['origin', 'https://app.test'],
      ['access-control-request-method', 'GET'],
    ],
  })
  t.equal(answer.status, 204)
  t.equal(answer.get('access-control-allow-origin'), 'https://app.test')
  t.equal(upstream.requests.length, 0)
})
