import Fastify from 'fastify'
import { test } from 'tap'
import { resolveConfig } from '../../config/resolve.ts'
import upstreamsPlugin from '../../plugins/upstreams.ts'
import { LocalControl } from '../../services/control/local.ts'
import { UpstreamAdmin } from '../../services/control/upstream-admin.ts'
import { Upstreams } from '../../services/upstream/upstreams.ts'
import { startUpstream } from '../upstream-server.ts'

void test('upstreams are shared with siblings, and their connections end with the instance', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [], 'hello'))
  const upstreams = new Upstreams(
    resolveConfig({ upstreams: { api: { targets: [upstream.origin] } } }, { root: t.testdir() }).upstreams,
  )
  const app = Fastify()
  await app.register(upstreamsPlugin, { upstreams })
  app.get('/', async () => {
    const { body } = await app.upstreams.request('api', '/')
    return body
  })
  t.equal((await app.inject('/')).body, 'hello')
  t.equal(upstream.connections[0]?.left, undefined)
  await app.close()
  await upstream.closed(0)
})

void test('registered in a scope of its own way, it leaves the rest of the application alone', async (t) => {
  const app = Fastify()
  const upstreams = new Upstreams([])
  t.teardown(() => app.close())
  await app.register(async (scope) => {
    await scope.register(upstreamsPlugin, { upstreams })
    t.equal(scope.upstreams, upstreams)
  })
  t.equal(app.hasDecorator('upstreams'), false)
})

void test('what is said of a target through the control port is done, and stands in the log', async (t) => {
  const lines: string[] = []
  const upstreams = new Upstreams(
    resolveConfig({ upstreams: { api: { targets: ['http://127.0.0.1:1'] } } }, { root: t.testdir() }).upstreams,
  )
  const local = new LocalControl()
  const stream = { write: (line: string) => void lines.push(line) }
  const app = Fastify({ logger: { level: 'info', stream } })
  t.teardown(() => app.close())
  await app.register(upstreamsPlugin, { upstreams, local })
  await app.ready()
  const admin = new UpstreamAdmin(local)
  local.answer({ pools: () => upstreams.snapshot() })
  const { result } = await admin.change({
    upstream: 'api',
    target: 'http://10.0.0.7:4001',
    as: 'present',
    weight: 2,
  })
  t.match(result, [{ target: 'http://127.0.0.1:1' }, { target: 'http://10.0.0.7:4001', state: 'unknown', weight: 2 }])
  t.match(JSON.parse(lines.at(-1) ?? '{}'), {
    upstream: 'api',
    added: ['http://10.0.0.7:4001'],
    msg: 'The targets of an upstream have changed',
  })
  await local.tell('upstream-target', { upstream: 'gone', change: { url: 'http://a', as: 'present', weight: 1 } })
  t.equal(lines.length, 1, 'an upstream that is no more is none to speak of')
})
