import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { type Test, test } from 'tap'
import { createDrainState } from '../../services/listener/drain.ts'
import type { RequestHandlers } from '../../services/listener/handlers.ts'
import { createListener, type Listener } from '../../services/listener/listener.ts'
import { gatewayBefore, isProblem } from '../helper.ts'
import { limits, type Limits } from '../services/listener/start.ts'

async function listen(t: Test, request: (response: ServerResponse) => void, set: Limits): Promise<[Listener, number]> {
  const handlers: RequestHandlers = {
    head: () => false,
    request: (_request, response) => {
      request(response)
      return true
    },
    stream: () => false,
    fallback: () => undefined,
    broke: () => false,
  }
  const listener = createListener(
    { host: '127.0.0.1', port: 0, tls: null, http2: false, h2c: false, redirect: null },
    { limits: limits(set), handlers, dataDir: t.testdir(), drain: createDrainState(), bodyWindowMs: 20 },
  )
  t.teardown(() => listener.close())
  return [listener, (await listener.listen()).port]
}

void test('a client that never reads an answer which is held whole is cut off', async (t) => {
  const [listener, port] = await listen(t, (response) => response.end(Buffer.alloc(64 * 1_048_576)), {
    sendTimeoutMs: 60,
  })
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined) // it is reset: that is the point
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  while (listener.counters.accepted === 0 || listener.counters.open > 0) await new Promise(setImmediate)
  t.equal(listener.counters.stalledReaders, 1)
  socket.destroy()
})

void test('a pipelining client has 32 requests in flight and no more', async (t) => {
  const held: ServerResponse[] = []
  const [listener, port] = await listen(
    t,
    (response) => {
      held.push(response)
      if (held.length === 32) setImmediate(() => held.forEach((each) => each.end('ok')))
    },
    {},
  )
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk) => (text += chunk))
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(40))
  await once(socket, 'close')
  t.equal(text.match(/HTTP\/1\.1 200 /g)?.length, 32, 'in their order, each answered')
  t.match(text.slice(text.lastIndexOf('HTTP/1.1 200 ')), /HTTP\/1\.1 503 [^]*HR_REQUEST_PIPELINE/)
  t.equal(held.length, 32)
  t.ok((listener.counters.malformed['HR_REQUEST_PIPELINE'] ?? 0) > 0)
})

void test('TRACE goes to an upstream only where a route names it', async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(200))
  const client = await gateway.client('h1')
  isProblem(t, await client.request({ method: 'TRACE', path: '/' }), 405)
  t.equal(upstream.requests.length, 0)
})
