import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { test, type Test } from 'tap'
import { buildGateway } from '../app.ts'
import type { DataPlaneParts, Gateway } from '../app/parts.ts'
import { resolveConfig } from '../config/resolve.ts'
import { LocalControl } from '../services/control/local.ts'
import { createHttp2Counters } from '../services/listener/counters.ts'
import { accessLog } from '../services/log/access-log.ts'
import { connectClient } from './client.ts'
import { startListener } from './services/listener/start.ts'
import { startUpstream } from './upstream-server.ts'

const AUTHORIZATION = { authorization: 'Bearer test-token' }

/** The data plane without listeners, and what it logs. */
async function gateway(
  t: Test,
  input: Record<string, unknown> = {},
  parts: Partial<DataPlaneParts> = {},
): Promise<Gateway & { lines: string[] }> {
  const config = resolveConfig({ admin: { shared: true }, log: { level: 'silent' }, ...input }, { root: t.testdir() })
  const lines: string[] = []
  const stream = { write: (line: string) => void lines.push(line) }
  const log = pino({ level: config.log.level }, stream)
  const local = new LocalControl()
  const built = await buildGateway(config, {
    log,
    version: '1.2.3',
    control: local,
    local,
    token: 'test-token',
    draining: () => false,
    finished: [accessLog({ log, lines: stream, base: '"pid":1' }, config.log)],
    sources: [],
    ...parts,
  })
  t.teardown(() => built.app.close())
  return { ...built, lines }
}

void test('PUT /performance/log changes what is written by every logger, at once', async (t) => {
  const { app, lines } = await gateway(t)
  app.get('/fails', (request) => {
    request.log.warn('of the request')
    app.log.info('of the instance')
    throw new Error('on purpose')
  })
  const failing = async (level: string): Promise<string[]> => {
    const put = { method: 'PUT', url: '/performance/log', headers: AUTHORIZATION, payload: { level } } as const
    t.equal((await app.inject(put)).statusCode, 200)
    lines.length = 0
    t.equal((await app.inject('/fails')).statusCode, 500)
    return lines.map((line) => (JSON.parse(line) as { msg: string }).msg)
  }
  t.same(await failing('silent'), [])
  t.same(await failing('info'), ['of the request', 'of the instance', 'Unexpected error', 'request'])
  t.same(await failing('warn'), ['of the request', 'Unexpected error', 'request'], 'a failure is a warning')
  t.same(await failing('error'), ['Unexpected error'])
  t.same(await failing('silent'), [])
})

void test('a page whose reply holds fields of an HTTP/1.1 connection is answered on h2 without them', async (t) => {
  const { app, handlers } = await gateway(t)
  app.get('/page', (_request, reply) =>
    reply.headers({ 'keep-alive': 'timeout=5', 'proxy-connection': 'close', 'x-own': 'kept' }).send('hello'),
  )
  app.get('/stream', (_request, reply) => {
    reply.raw.setHeader('upgrade', 'h2c')
    reply.raw.end('by hand')
    return reply.hijack()
  })
  await app.ready()
  const { port } = await startListener(t, { options: { h2c: true }, context: { handlers } })
  const h2 = await connectClient(t, { cleartext: port, tls: 0 }, 'h2c')
  const page = await h2.request({ path: '/page' })
  t.same([page.status, page.body.toString(), page.get('x-own')], [200, 'hello', 'kept'])
  t.notOk(page.get('keep-alive') ?? page.get('proxy-connection'))
  t.equal((await h2.request({ path: '/stream' })).body.toString(), 'by hand')
  const h1 = await connectClient(t, { cleartext: port, tls: 0 }, 'h1')
  t.equal((await h1.request({ path: '/page' })).get('keep-alive'), 'timeout=5', 'where they belong they stay')
})

void test('what listeners count of HTTP/2 is told by the instance', async (t) => {
  const { app } = await gateway(t, {}, { http2: () => [{ ...createHttp2Counters(), streams: 3 }] })
  t.equal(app.http2Sessions.counters().streams, 3)
})

void test('a hook that fails is its writer’s fault: one line says which, for whom, and it is no bug of the gateway', async (t) => {
  const upstream = await startUpstream(t, (exchange) =>
    exchange.respond(200, [['Content-Type', 'application/json']], '{}'),
  )
  const file = join(t.testdir(), '..', 'hooks-that-fail.mjs')
  writeFileSync(file, "export const thrown = () => { throw new TypeError('on purpose') }")
  const { app, handlers, lines } = await gateway(t, {
    log: { level: 'error' },
    upstreams: { origin: { targets: [upstream.origin] } },
    routes: {
      '/request': { to: 'origin', transform: { request: { hook: `${file}#thrown` } } },
      '/response': { to: 'origin', transform: { response: { hook: `${file}#thrown` } } },
    },
  })
  await app.ready()
  const { port } = await startListener(t, { context: { handlers } })
  const client = await connectClient(t, { cleartext: port, tls: 0 }, 'h1')
  for (const side of ['request', 'response']) {
    const answer = await client.request({ path: `/${side}` })
    t.match(answer.body.toString(), /HR_TRANSFORM_HOOK"/)
    const [line = '{}', ...others] = lines.splice(0)
    t.same(others, [], 'one line')
    const { msg, requestId, err, ...told } = JSON.parse(line)
    t.equal(msg, 'A hook failed')
    t.equal(requestId, answer.get('x-request-id'))
    t.match(told, { side, route: `/${side}`, hook: 'hooks-that-fail.mjs#thrown' })
    t.match(err.stack, /TypeError: on purpose/)
  }
  const metrics = await app.inject({ url: '/metrics', headers: AUTHORIZATION })
  t.match(metrics.body, /^headrace_internal_errors_total 0$/m)
})
