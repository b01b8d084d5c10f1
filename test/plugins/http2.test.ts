import Fastify from 'fastify'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test, type Test } from 'tap'
import http2 from '../../plugins/http2.ts'
import { createHttp2Counters } from '../../services/listener/counters.ts'
import { http2ServerOptions } from '../../services/listener/http2-options.ts'
import { connectRawH2, FRAME, frame, headers, requestFields, type RawH2 } from '../raw-h2.ts'
import { limits } from '../services/listener/start.ts'

async function start(t: Test) {
  const options = limits()
  const fastify = Fastify({
    http2: true,
    serverFactory: (handler) => createServer(http2ServerOptions(options), handler as never),
  })
  await fastify.register(http2, { limits: options })
  fastify.get('/', async () => 'hello')
  await fastify.listen({ port: 0, host: '127.0.0.1' })
  t.teardown(() => fastify.close())
  return { fastify, h2: await connectRawH2(t, { port: (fastify.server.address() as AddressInfo).port }) }
}

const flood = (h2: RawH2): void =>
  h2.send(...Array.from({ length: 50 }, () => frame(FRAME.ping, 0, 0, Buffer.alloc(8))))

void test('on a bare Fastify the plugin guards sessions and counts them', async (t) => {
  const { fastify, h2 } = await start(t)
  h2.send(headers(1, requestFields()))
  t.same(await h2.outcome(1), { status: 200 })
  t.match(fastify.http2Sessions.counters(), { sessions: 1, open: 1, streams: 1 })
  flood(h2)
  t.same(await h2.outcome(9_999), { goaway: 11 })
  t.equal(fastify.http2Sessions.counters().goaways.flood, 1)
})

void test('a head that HTTP/1.1 cannot say is reset or answered 400 before any route', async (t) => {
  const { fastify, h2 } = await start(t)
  h2.send(headers(1, requestFields([['http2-settings', 'AAA']])))
  t.same(await h2.outcome(1), { reset: 1 })
  h2.send(headers(3, requestFields([['host', 'other.test']])))
  t.same(await h2.outcome(3), { status: 400 })
  t.equal(fastify.http2Sessions.counters().malformed, 1)
})

void test('closing tells sessions to go away', async (t) => {
  const { fastify, h2 } = await start(t)
  h2.send(headers(1, requestFields()))
  await h2.over(1)
  const closing = fastify.close()
  t.same(await h2.outcome(9_999), { goaway: 0 })
  await closing
})

void test('on an HTTP/1 server it only adds up what listeners count, and changes nothing', async (t) => {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  const counters = { ...createHttp2Counters(), streams: 3 }
  await fastify.register(async (scope) => {
    await scope.register(http2, { limits: limits(), listeners: () => [counters, counters] })
    t.equal(scope.http2Sessions.counters().streams, 6)
  })
  fastify.get('/', async () => 'hello')
  t.equal((await fastify.inject('/')).body, 'hello')
  t.notOk(fastify.hasDecorator('http2Sessions'), 'what it shares stays in the scope it was registered in')
})
