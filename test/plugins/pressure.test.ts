import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import pressure from '../../plugins/pressure.ts'
import type { Readings } from '../../services/pressure/readings.ts'

const LATE: Readings = {
  eventLoopDelayMs: 5_000,
  eventLoopUtilization: 1,
  heapUsedBytes: 1,
  heapLimitBytes: 2,
  rssBytes: 1,
}

async function application(t: Test): Promise<{ app: FastifyInstance; closed: () => boolean }> {
  const app = Fastify()
  t.teardown(() => app.close())
  let isClosed = false
  const sensors = { read: () => LATE, close: () => void (isClosed = true) }
  const identified = (request: object): boolean => 'x-known' in (request as { headers: object }).headers
  app.get('/before', async () => 'before')
  await app.register(pressure, { settings: { sampleInterval: '1h' }, sensors, identified, random: () => 0 })
  app.get('/', async () => 'served')
  app.get('/critical', { config: { priority: 'critical' } }, async () => 'served')
  return { app, closed: () => isClosed }
}

void test('alone in an application, it turns its routes away by their priority, and who is not known first', async (t) => {
  const { app, closed } = await application(t)
  const status = async (url: string, headers = {}): Promise<number> => (await app.inject({ url, headers })).statusCode
  const known = { 'x-known': 'yes' }
  t.equal(await status('/'), 200)
  for (let sample = 0; sample < 3; sample++) {
    for (let request = 0; request < 9; request++) await app.inject({ url: '/', headers: known })
    await app.inject('/')
    app.pressure?.sampled(LATE)
  }
  const shed = await app.inject('/')
  t.equal(shed.statusCode, 503)
  t.match(shed.json(), { code: 'HR_PRESSURE_SHED' })
  t.equal(shed.headers['retry-after'], '2')
  t.equal(await status('/critical'), 200)
  t.equal(app.pressure?.report().classes[3]?.priority, 'normal')
  t.ok((app.pressure?.report().classes[3]?.chance ?? 1) < 1, 'who is known fares better')
  t.equal(app.pressure?.load.inFlight, 0)
  await app.close()
  t.ok(closed(), 'nothing is looked at any more')
})

void test('what is no option stops the start, and says which', async (t) => {
  for (const settings of [{ maxEventLoopDelay: 'late' }, { maxHeap: 2 }, { maxInFlight: -1 }, { heap: 1 }]) {
    const app = Fastify()
    await t.rejects(async () => app.register(pressure, { settings } as never), { code: 'HR_PRESSURE_OPTION' })
    await app.close()
  }
})
