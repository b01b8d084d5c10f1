import { METHODS, type IncomingMessage } from 'node:http'
import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import { proxyRoutes } from '../../routes/proxy.ts'

/** A bare Fastify that follows the header `x-plan` as the gateway's follows its own router. */
async function proxied(t: Test, extend?: (app: FastifyInstance) => unknown): Promise<FastifyInstance> {
  const app = Fastify({
    routerOptions: {
      constraints: {
        plan: {
          name: 'plan',
          storage: () => {
            const handlers = new Map<unknown, never>()
            return {
              get: (key) => handlers.get(key) ?? null,
              set: (key, handler) => void handlers.set(key, handler as never),
            }
          },
          deriveConstraint: (request: IncomingMessage) => request.headers['x-plan'] as string,
          mustMatchWhenDerived: false,
        },
      },
    },
  })
  t.teardown(() => app.close())
  // Stands for the lane: takes the reply over, and says what it got without reading the body first.
  app.decorateRequest('exchange')
  app.addHook('onRequest', async (request, reply) => {
    request.exchange = { request, reply, plan: request.headers['x-plan'] } as never
  })
  app.decorate('lane', {
    proxy({
      request,
      reply,
    }: {
      request: { raw: IncomingMessage; method: string }
      reply: { raw: { end(text: string): void } }
    }) {
      const chunks: Buffer[] = []
      request.raw.on('data', (chunk: Buffer) => chunks.push(Buffer.from(chunk)))
      request.raw.on('end', () => reply.raw.end(`${request.method} ${Buffer.concat(chunks).toString()}`))
    },
  } as never)
  await extend?.(app)
  await app.register(proxyRoutes, {
    routes: ['GET /a', '/*'].map((plan) => ({ url: '/*', methods: null, constraints: { plan } })),
  })
  return app
}

const PLAN = { 'x-plan': '/*' }

void test('every method that Node parses is proxied, CONNECT aside', async (t) => {
  const app = await proxied(t)
  await app.ready()
  for (const method of METHODS.filter((name) => name !== 'CONNECT')) {
    t.ok(app.hasRoute({ method: method as 'GET', url: '/*', constraints: { plan: '/*' } }), method)
  }
})

void test('the body is not parsed, whatever it is said to be', async (t) => {
  const app = await proxied(t)
  for (const type of [
    'application/json',
    'application/x-www-form-urlencoded',
    'nonsense',
    'a/b; c',
    ' text/plain ;x=y',
    undefined,
  ]) {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'QUERY'] as const) {
      const headers = { ...PLAN, ...(type !== undefined && { 'content-type': type }) }
      const response = await app.inject({ method: method as 'PUT', url: '/x', headers, payload: '{"broken' })
      t.equal(response.body, `${method} {"broken`, `${method} ${type}`)
    }
  }
})

void test('a hook sees the media type as it came, where Fastify can read it', async (t) => {
  const seen: (string | undefined)[] = []
  const app = await proxied(t, (fastify) => {
    fastify.addHook('preHandler', async ({ headers }) => void seen.push(headers['content-type']))
  })
  for (const type of ['application/json; charset=utf-8', 'text/plain']) {
    await app.inject({ method: 'POST', url: '/x', headers: { ...PLAN, 'content-type': type }, payload: 'x' })
  }
  await app.inject({ url: '/x', headers: PLAN })
  t.strictSame(seen, ['application/json; charset=utf-8', 'text/plain', undefined])
})

void test('the routes are told apart from the gateway’s own, are in no document, and parse nothing for other scopes', async (t) => {
  const told: unknown[] = []
  const app = await proxied(t, (fastify) => {
    fastify.addHook('onRoute', ({ url, config, schema }) => {
      if (url === '/*') told.push([config?.proxied, (schema as { hide?: boolean } | undefined)?.hide])
    })
    fastify.post('/own', async (request) => request.body)
  })
  t.strictSame((await app.inject({ method: 'POST', url: '/own', payload: { a: 1 } })).json(), { a: 1 })
  t.strictSame(told, [
    [true, true],
    [true, true],
  ])
  t.equal((await app.inject('/x')).statusCode, 404, 'without a plan there is no proxying')
})
