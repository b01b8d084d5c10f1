import fastifyPlugin from 'fastify-plugin'
import { test } from 'tap'
import { buildAndListen } from './both-ways.ts'
import { everyProtocol, PATIENCE } from '../helper.ts'
import { startUpstream } from '../upstream-server.ts'

const routed = (origin: string, routes: Record<string, object> = { '/*': { to: 'origin' } }) => ({
  upstreams: { origin: { targets: [origin] } },
  routes,
})

everyProtocol('a hook of the user sees every request, proxied, answered here or refused', async (t, protocol) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond())
  const begun: string[] = []
  const ended: string[] = []
  const gateway = await buildAndListen(t, {
    input: routed(upstream.origin),
    extend: (app) => {
      app.addHook('onRequest', async (request) => void begun.push(request.url))
      app.addHook('onResponse', async (request, reply) => void ended.push(`${reply.statusCode} ${request.method}`))
    },
  })
  const client = await gateway.client(protocol)
  for (const path of ['/a?x=1', '/health', '/b/../c', '/%FF']) await client.request({ path })
  await client.request({ method: 'POST', path: '/d', body: 'x' })
  await client.request({ path: '/%00' })
  t.strictSame(begun, ['/a?x=1', '/health', '/c', '/%25FF', '/d'], 'what is refused goes no further')
  t.strictSame(ended, ['200 GET', '200 GET', '200 GET', '200 GET', '200 POST', '400 GET'])
})

void test('a hook that refuses keeps the request from the upstream', { timeout: PATIENCE }, async (t) => {
  const upstream = await startUpstream(t, [])
  const gateway = await buildAndListen(t, {
    input: routed(upstream.origin),
    extend: (app) => {
      app.addHook('preHandler', async (_request, reply) => reply.code(403).send('no'))
    },
  })
  const response = await (await gateway.client('h1')).request({ method: 'POST', path: '/a', body: 'abc' })
  t.equal(response.status, 403)
  t.equal(upstream.requests.length, 0)
})

void test('a plugin that breaks its scope open adds hooks to the gateway, and closes the lane', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond())
  const seen: string[] = []
  const gateway = await buildAndListen(t, {
    input: routed(upstream.origin),
    extend: (app) =>
      app.register(
        fastifyPlugin(async (scope) => {
          scope.addHook('onRequest', async (request) => void seen.push(request.url))
        }),
      ),
  })
  await (await gateway.client('h1')).request({ path: '/a' })
  t.strictSame(seen, ['/a'])
  t.type(gateway.app.lane.off, 'string')
})

void test('a hook within a scope is for its routes alone, and leaves the lane open', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond())
  const gateway = await buildAndListen(t, {
    input: routed(upstream.origin),
    extend: (app) =>
      app.register(async (scope) => {
        scope.addHook('onRequest', async (_request, reply) => reply.code(401).send('who are you?'))
        scope.get('/private', async () => 'secret')
      }),
  })
  const client = await gateway.client('h1')
  t.equal(gateway.app.lane.off, undefined)
  t.equal((await client.request({ path: '/private' })).status, 401)
  t.equal((await client.request({ path: '/health' })).status, 200)
  t.equal((await client.request({ path: '/public' })).status, 200)
  t.equal(upstream.requests.length, 1)
})

void test('hooks that see no request leave the lane open', async (t) => {
  const gateway = await buildAndListen(t, {
    input: {},
    extend: (app) => {
      app.addHook('onReady', async () => undefined)
      app.addHook('onClose', async () => undefined)
      app.addHook('onRoute', () => undefined)
    },
  })
  t.equal(gateway.app.lane.off, undefined)
})

for (const off of [false, true]) {
  void test(`a route of the user goes before a wildcard, lane ${off ? 'off' : 'on'}`, {
    timeout: PATIENCE,
  }, async (t) => {
    const upstream = await startUpstream(t, (exchange) =>
      exchange.respond(200, [], `upstream ${exchange.request.target}`),
    )
    const gateway = await buildAndListen(t, {
      input: routed(upstream.origin, { '/*': { to: 'origin' }, 'GET /users/:id/only': { to: 'origin' } }),
      extend: (app) => {
        app.get('/mine', async () => 'mine')
        app.get<{ Params: { id: string } }>('/users/:id', async (request) => `user ${request.params.id}`)
        app.get<{ Params: { '*': string } }>('/files/*', async (request) => `file ${request.params['*']}`)
        if (off) app.addHook('onRequest', async () => undefined)
      },
    })
    const client = await gateway.client('h1')
    const text = async (path: string, method = 'GET'): Promise<string> =>
      (await client.request({ path, method })).body.toString()
    t.equal(await text('/mine'), 'mine')
    t.equal(await text('/users/7'), 'user 7')
    t.equal(await text('/files/a/b'), 'file a/b')
    t.equal(await text('/users/7/photos'), 'upstream /users/7/photos', 'not below a parameter that is one segment')
    t.equal(await text('/users/7', 'DELETE'), 'upstream /users/7', 'nor with another method')
    t.equal(await text('/other'), 'upstream /other')
  })
}

void test('a request that neither a route of the user nor a configured one takes is refused as the configured one says', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond())
  const gateway = await buildAndListen(t, {
    input: routed(upstream.origin, {
      'PUT /users/*': { to: 'origin' },
      'GET /users/x/*': { to: 'origin', encodedSlash: 'refuse' },
    }),
    extend: (app) => {
      app.get('/users/:id', async () => 'user')
    },
  })
  const client = await gateway.client('h1')
  const refused = await client.request({ path: '/users/1/photos' })
  t.equal(refused.status, 405)
  t.equal(refused.get('allow'), 'PUT')
  t.equal((await client.request({ path: '/users/x/a%2Fb' })).status, 400)
  t.equal((await client.request({ path: '/users/1', method: 'PUT' })).status, 200)
  t.equal((await client.request({ path: '/users/1' })).body.toString(), 'user')
  t.equal(upstream.requests.length, 1)
})

void test('what a route of the user answers is no traffic of a configured route', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond())
  const gateway = await buildAndListen(t, {
    input: routed(upstream.origin),
    extend: (app) => {
      app.get('/users/:id', async (request) => (request.exchange.plan === undefined ? 'no plan' : 'a plan'))
    },
  })
  const client = await gateway.client('h1')
  t.equal((await client.request({ path: '/users/1' })).body.toString(), 'no plan')
})

void test('injected requests go the same way: own pages, proxied routes, refusals', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [['X-A', '1']], 'from upstream'))
  const { app } = await buildAndListen(t, { input: routed(upstream.origin) })
  t.equal((await app.inject('/health')).statusCode, 200)
  const proxied = await app.inject('/a/%2e/b?c')
  t.equal(proxied.body, 'from upstream')
  t.equal(proxied.headers['x-a'], '1')
  t.equal(upstream.requests[0]?.target, '/a/b?c')
  const posted = await app.inject({ method: 'POST', url: '/a', payload: { a: 1 } })
  t.equal(posted.statusCode, 200)
  t.equal(upstream.requests[1]?.body.toString(), '{"a":1}')
  const refused = await app.inject('/%00')
  t.equal(refused.statusCode, 400)
  t.equal(refused.json().code, 'HR_REQUEST_TARGET')
  t.equal(upstream.requests.length, 2)
})

void test('a path that is longer than any parameter may be is a problem, or its route', async (t) => {
  const gateway = await buildAndListen(t, {
    input: {},
    extend: (app) => {
      app.get<{ Params: { id: string } }>('/users/:id', async (request) => String(request.params.id.length))
    },
  })
  const client = await gateway.client('h1')
  t.equal((await client.request({ path: `/users/${'x'.repeat(20_000)}` })).body.toString(), '20000')
  const missing = await client.request({ path: `/none/${'x'.repeat(20_000)}` })
  t.equal(missing.get('content-type'), 'application/problem+json')
})
