import { test } from 'tap'
import logRoutes from '../../../routes/performance/log.ts'
import type { LogLevel } from '../../../services/control/commands.ts'
import { LocalControl } from '../../../services/control/local.ts'
import { AUTHORIZED, controlPlane } from '../../control-plane.ts'

function logging(): LocalControl {
  let current: LogLevel = 'info'
  const local = new LocalControl()
  local.answer({ 'log-level': () => current })
  local.obey({
    'log-level': ({ level }) => {
      current = level
    },
  })
  return local
}

void test('the level is read and set', async (t) => {
  const fastify = controlPlane(t, logging())
  await fastify.register(logRoutes)
  t.strictSame((await fastify.inject({ url: '/log', headers: AUTHORIZED })).json(), { level: 'info', missing: [] })
  const put = await fastify.inject({ method: 'PUT', url: '/log', headers: AUTHORIZED, payload: { level: 'debug' } })
  t.strictSame([put.statusCode, put.json()], [200, { level: 'debug', applied: 1 }])
  t.match((await fastify.inject({ url: '/log', headers: AUTHORIZED })).json(), { level: 'debug' })
})

void test('what is no level is refused and changes nothing', async (t) => {
  const fastify = controlPlane(t, logging())
  await fastify.register(logRoutes)
  for (const payload of [{ level: 'loud' }, {}, { level: null }]) {
    const put = await fastify.inject({ method: 'PUT', url: '/log', headers: AUTHORIZED, payload })
    t.equal(put.statusCode, 400)
  }
  const put = await fastify.inject({ method: 'PUT', url: '/log', headers: AUTHORIZED })
  t.equal(put.statusCode, 400, 'a body is required')
  t.match((await fastify.inject({ url: '/log', headers: AUTHORIZED })).json(), { level: 'info' })
})

void test('without the token the level can be neither read nor set', async (t) => {
  const fastify = controlPlane(t, logging())
  await fastify.register(logRoutes)
  t.equal((await fastify.inject('/log')).statusCode, 401)
  t.equal((await fastify.inject({ method: 'PUT', url: '/log', payload: { level: 'warn' } })).statusCode, 401)
  t.match((await fastify.inject({ url: '/log', headers: AUTHORIZED })).json(), { level: 'info' })
})
