import Fastify from 'fastify'
import { test } from 'tap'
import { resolveConfig } from '../../config/resolve.ts'
import upstreamsPlugin from '../../plugins/upstreams.ts'
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
