import type { RouteOptions } from 'fastify'
import { test } from 'tap'
import performance from '../../../routes/performance/index.ts'
import { LocalControl } from '../../../services/control/local.ts'
import { AUTHORIZED, controlPlane } from '../../control-plane.ts'

function pooled(): LocalControl {
  const local = new LocalControl()
  local.answer({ pools: () => [], metrics: () => [], pressure: () => null })
  return local
}

void test('the routes are mounted at their path and at the alias, which stays out of the documents', async (t) => {
  const fastify = controlPlane(t, pooled())
  // As @fastify/swagger does: it keeps the routes and reads their schemas when the document is made.
  const routes: RouteOptions[] = []
  fastify.addHook('onRoute', (route) => void routes.push(route))
  await fastify.register(performance, { path: '/ops', metrics: true })
  for (const url of [
    '/ops/pools',
    '/ops/pressure',
    '/api/v1/performance/pools',
    '/ops/metrics',
    '/api/v1/performance/metrics',
  ]) {
    t.equal((await fastify.inject({ url, headers: AUTHORIZED })).statusCode, 200, url)
    t.equal((await fastify.inject(url)).statusCode, 401, `${url} without the token`)
  }
  const shown = routes.filter(({ method, schema }) => method === 'GET' && schema?.hide !== true)
  t.strictSame(shown.map(({ url }) => url).toSorted(), [
    '/ops/cache',
    '/ops/cache/entry',
    '/ops/cache/warm',
    '/ops/config',
    '/ops/config/diff',
    '/ops/consumers',
    '/ops/health',
    '/ops/limits',
    '/ops/log',
    '/ops/maintenance',
    '/ops/metrics',
    '/ops/openapi/drift',
    '/ops/pools',
    '/ops/pressure',
  ])
})

void test('mounted at the alias itself, each route is there once', async (t) => {
  const fastify = controlPlane(t, pooled())
  await fastify.register(performance, { path: '/api/v1/performance', metrics: true })
  t.equal((await fastify.inject({ url: '/api/v1/performance/pools', headers: AUTHORIZED })).statusCode, 200)
})

void test('without metrics there is no route for them', async (t) => {
  const fastify = controlPlane(t, pooled())
  await fastify.register(performance, { path: '/performance', metrics: false })
  t.equal((await fastify.inject({ url: '/performance/metrics', headers: AUTHORIZED })).statusCode, 404)
})
