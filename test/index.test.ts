import Fastify from 'fastify'
import { test } from 'tap'
import * as headrace from '../index.ts'
import { startUpstream } from './upstream-server.ts'

void test('each capability can be added to an application with the gateway in it', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond())
  const app = Fastify()
  t.teardown(() => app.close())
  const local = new headrace.LocalControl()
  await app.register(headrace.gateway, {
    upstreams: { origin: { targets: [upstream.origin] } },
    routes: { '/api/*': { to: 'origin' } },
  })
  const { upstreams, traffic } = app
  await app.register(headrace.control, { control: local })
  await app.register(headrace.cacheAdmin)
  await app.register(headrace.upstreamAdmin)
  await app.register(headrace.maintenanceAdmin)
  await app.register(headrace.adminToken, { token: 'secret' })
  await app.register(headrace.monitor, { local, upstreams, version: '1.0.0', draining: () => false, loggers: [] })
  const sources = [headrace.upstreamMetrics(upstreams), ...(traffic === null ? [] : [headrace.trafficMetrics(traffic)])]
  await app.register(headrace.metrics, { local, sources })
  await app.register(headrace.healthRoutes, { health: '/health', ready: '/ready', version: '1.0.0', details: false })
  await app.register(headrace.performanceRoutes, { path: '/performance', metrics: true })
  await app.register(headrace.metricsRoute, { path: '/metrics' })

  t.equal((await app.inject('/api/x')).statusCode, 200)
  t.equal((await app.inject('/ready')).json<{ status: string }>().status, 'ready')
  t.equal((await app.inject('/performance/pools')).statusCode, 401)
  const headers = { authorization: 'Bearer secret' }
  t.match((await app.inject({ url: '/performance/pools', headers })).body, '"origin"')
  t.match((await app.inject({ url: '/metrics', headers })).body, /headrace_requests_total\{[^}]*route="\/api\/\*"/)
})

void test('a capability without what it needs says what is missing', async (t) => {
  const health = { health: '/health', ready: '/ready', version: '1.0.0', details: false } as const
  const missing: [name: string, attempt: () => PromiseLike<unknown>][] = [
    ['control', () => Fastify().register(headrace.healthRoutes, health)],
    ['control', () => Fastify().register(headrace.metricsRoute, { path: '/metrics' })],
    ['control', () => Fastify().register(headrace.performanceRoutes, { path: '/performance', metrics: false })],
    [
      'adminGuard',
      () =>
        Fastify()
          .register(headrace.control, { control: new headrace.LocalControl() })
          .register(headrace.metricsRoute, { path: '/metrics' }),
    ],
  ]
  for (const [name, attempt] of missing) {
    await t.rejects(async () => attempt(), { message: new RegExp(`'${name}'.*is not present`) }, name)
  }
})
