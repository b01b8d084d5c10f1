import { test } from 'tap'
import metricsRoute from '../../routes/metrics.ts'
import { LocalControl } from '../../services/control/local.ts'
import { AUTHORIZED, controlPlane } from '../control-plane.ts'

void test('metrics are told as text to who has the token', async (t) => {
  const local = new LocalControl()
  local.answer({
    metrics: () => [
      { name: 'up', type: 'gauge', help: 'Up', aggregator: 'sum', values: [{ labels: { a: 'b' }, value: 1 }] },
    ],
  })
  const fastify = controlPlane(t, local)
  await fastify.register(metricsRoute, { path: '/internal/metrics' })

  const response = await fastify.inject({ url: '/internal/metrics', headers: AUTHORIZED })
  t.equal(response.statusCode, 200)
  t.equal(response.headers['content-type'], 'text/plain; version=0.0.4; charset=utf-8')
  t.equal(response.body, '# HELP up Up\n# TYPE up gauge\nup{a="b"} 1\n')
  t.equal((await fastify.inject('/internal/metrics')).statusCode, 401)
})
