import Fastify from 'fastify'
import { test } from 'tap'
import traffic from '../../plugins/traffic.ts'
import { Traffic } from '../../services/monitor/traffic.ts'

void test('the counters are shared with every scope', async (t) => {
  const counted = new Traffic()
  const app = Fastify()
  await app.register(traffic, { traffic: counted })
  await app.register(async (scope) => t.equal(scope.traffic, counted))
  t.equal(app.traffic, counted)
})

void test('where nothing is counted, there are none', async (t) => {
  const app = Fastify()
  await app.register(traffic, { traffic: null })
  t.equal(app.traffic, null)
})
