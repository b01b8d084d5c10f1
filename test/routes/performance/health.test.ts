import { test } from 'tap'
import healthRoute from '../../../routes/performance/health.ts'
import { LocalControl } from '../../../services/control/local.ts'
import type { ProcessReport } from '../../../services/monitor/process.ts'
import { AUTHORIZED, controlPlane } from '../../control-plane.ts'
import { targetSnapshot } from '../../target-snapshot.ts'

const report = (parts: Partial<ProcessReport>): ProcessReport => ({
  pid: 42,
  version: '1.2.3',
  uptimeMs: 61_400,
  draining: false,
  memory: { heapUsedBytes: 40, heapLimitBytes: 100, externalBytes: 1, rssBytes: 80, limitBytes: null },
  eventLoop: { delayMs: null, utilization: 0.25 },
  targets: [targetSnapshot()],
  notices: [],
  ...parts,
})

void test('the whole report passes the schema', async (t) => {
  const local = new LocalControl()
  local.answer({ health: () => report({}) })
  const fastify = controlPlane(t, local)
  await fastify.register(healthRoute)
  const response = await fastify.inject({ url: '/health', headers: AUTHORIZED })
  t.equal(response.statusCode, 200)
  const body = response.json()
  t.strictSame(body, JSON.parse(JSON.stringify({ ...(await local.ask('health')).result, system: body.system })))
  t.match(body, { status: 'healthy', processes: [{ pid: 42, uptimeSeconds: 61, eventLoop: { delayMs: null } }] })
})

void test('an unhealthy gateway is reported with 200: the verdict is in the body', async (t) => {
  const local = new LocalControl()
  local.answer({ health: () => report({ targets: [targetSnapshot({ state: 'down' })] }) })
  const fastify = controlPlane(t, local)
  await fastify.register(healthRoute)
  const response = await fastify.inject({ url: '/health', headers: AUTHORIZED })
  t.equal(response.statusCode, 200)
  t.match(response.json(), { status: 'unhealthy', reasons: ['No target of upstream fleet accepts connections'] })
})

void test('without the token there is no report', async (t) => {
  const fastify = controlPlane(t)
  await fastify.register(healthRoute)
  t.equal((await fastify.inject('/health')).statusCode, 401)
})
