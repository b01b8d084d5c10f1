import { test } from 'tap'
import healthRoutes from '../../routes/health.ts'
import { LocalControl } from '../../services/control/local.ts'
import type { Readiness } from '../../services/monitor/readiness.ts'
import { controlPlane } from '../control-plane.ts'

const options = { health: '/health', ready: '/ready', version: '1.2.3', details: true } as const
const readiness = (answer: Readiness): LocalControl => {
  const local = new LocalControl()
  local.answer({ readiness: () => answer })
  return local
}

void test('liveness answers without a token and without asking anyone', async (t) => {
  const fastify = controlPlane(t)
  await fastify.register(healthRoutes, options)
  const response = await fastify.inject('/health')
  t.equal(response.statusCode, 200)
  t.match(response.json(), { status: 'ok', version: '1.2.3', uptimeSeconds: Number })
  t.equal(response.headers['cache-control'], 'no-store')
  t.equal((await fastify.inject({ method: 'HEAD', url: '/health' })).statusCode, 200)
})

void test('a ready gateway says 200, an unready one 503 and why', async (t) => {
  const ready = controlPlane(t, readiness({ ready: true, draining: false, unavailable: [], maintenance: false }))
  await ready.register(healthRoutes, options)
  const good = await ready.inject('/ready')
  t.equal(good.statusCode, 200)
  t.strictSame(good.json(), { status: 'ready', draining: false, unavailable: [] })

  const unready = controlPlane(
    t,
    readiness({ ready: false, draining: false, unavailable: ['fleet'], maintenance: false }),
  )
  await unready.register(healthRoutes, options)
  const bad = await unready.inject('/ready')
  t.equal(bad.statusCode, 503)
  t.strictSame(bad.json(), { status: 'not ready', draining: false, unavailable: ['fleet'] })
  t.equal(bad.headers['cache-control'], 'no-store')
})

void test('strangers do not learn the names of upstreams', async (t) => {
  const fastify = controlPlane(
    t,
    readiness({ ready: false, draining: true, unavailable: ['fleet'], maintenance: false }),
  )
  await fastify.register(healthRoutes, { ...options, details: false })
  t.strictSame((await fastify.inject('/ready')).json(), { status: 'not ready', draining: true })
})

void test('both can be moved or left out', async (t) => {
  const fastify = controlPlane(t)
  await fastify.register(healthRoutes, { ...options, health: '/live', ready: false })
  t.equal((await fastify.inject('/live')).statusCode, 200)
  t.equal((await fastify.inject('/health')).statusCode, 404)
  t.equal((await fastify.inject('/ready')).statusCode, 404)
})
