import { test } from 'tap'
import { everyProtocol, type Gateway, gatewayBefore, PATIENCE } from '../helper.ts'
import { heldByKernel } from '../kernel-buffers.ts'
import { data, FRAME, frame, headers, type RawH2, requestFields } from '../raw-h2.ts'
import { standstill } from '../signal.ts'
import type { Play, Upstream } from '../upstream-server.ts'

const MIB = 2 ** 20
/** More than sockets whose other end does not read hold. */
const BODY = 16 * MIB
/** What flow control and a few stream buffers on the way may hold; a gateway that hoards exceeds it. */
const IN_FLIGHT = 4 * MIB
const BLOCK = Buffer.alloc(64 * 1024, 'headrace')

const inKernel = ({ ports }: Gateway, { port }: Upstream): number => heldByKernel(ports.cleartext, ports.tls, port)

everyProtocol('a request body reaches the upstream piece by piece', async (t, protocol) => {
  const first = Promise.withResolvers<void>()
  const { gateway, upstream } = await gatewayBefore(t, async (exchange) => {
    first.resolve()
    await exchange.respond()
  })
  const client = await gateway.client(protocol)
  const exchange = await client.open({ method: 'POST', path: '/', streamBody: true })
  await exchange.write('first')
  await first.promise
  t.notOk(upstream.requests[0]?.complete, 'the upstream has the head while the body is still being sent')
  await exchange.write('second')
  exchange.end()
  t.equal((await exchange.response.whole()).status, 200)
  t.equal(upstream.requests[0]?.body.toString(), 'firstsecond')
})

everyProtocol('a response streams while the request body is still coming', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    await exchange.chunk('early')
    const body = await exchange.body()
    await exchange.chunk(`got ${body.length}`)
    await exchange.lastChunk()
  })
  const client = await gateway.client(protocol)
  const exchange = await client.open({ method: 'POST', path: '/', streamBody: true })
  await exchange.write('abc')
  t.equal((await exchange.response.chunk())?.toString(), 'early')
  await exchange.write('def')
  exchange.end()
  t.equal((await exchange.response.whole()).body.toString(), 'earlygot 6')
})

everyProtocol('a server-sent event arrives before the next is sent', async (t, protocol) => {
  const seen = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n')
    await exchange.chunk('data: 1\n\n')
    await seen[0]?.promise
    await exchange.chunk('data: 2\n\n')
    await seen[1]?.promise
    await exchange.lastChunk()
  })
  const client = await gateway.client(protocol)
  const exchange = await client.open({ path: '/events' })
  t.equal((await exchange.response.head()).get('content-type'), 'text/event-stream')
  t.equal((await exchange.response.chunk())?.toString(), 'data: 1\n\n')
  seen[0]?.resolve()
  t.equal((await exchange.response.chunk())?.toString(), 'data: 2\n\n')
  seen[1]?.resolve()
  t.equal(await exchange.response.chunk(), null)
})

everyProtocol('a response head goes out before its body has begun', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n')
    await exchange.stall()
  })
  const client = await gateway.client(protocol)
  const exchange = await client.open({ path: '/' })
  t.equal((await exchange.response.head()).status, 200)
  exchange.abort()
  await upstream.closed(0)
})

everyProtocol('an upstream that does not read holds an upload of 16 MiB back', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(
    t,
    async (exchange) => {
      exchange.pause()
      await exchange.respond(200, [], 'stored')
    },
    { upstream: { discardBodies: true }, to: { timeout: { firstByte: '60s', total: '60s', idle: '60s' } } },
  )
  const client = await gateway.client(protocol)
  const exchange = await client.open({
    method: 'PUT',
    path: '/',
    fields: [['Content-Length', String(BODY)]],
    streamBody: true,
  })
  let accepted = 0
  const sending = (async () => {
    while (accepted < BODY) {
      await exchange.write(BLOCK)
      accepted += BLOCK.length
    }
    exchange.end()
  })()
  await upstream.received(1)
  const held = (await standstill(() => accepted)) - inKernel(gateway, upstream)
  t.ok(held < IN_FLIGHT, `of what the client could write, ${held} bytes are on the way`)
  upstream.connections[0]?.socket.resume()
  await sending
  t.equal((await exchange.response.whole()).body.toString(), 'stored')
  t.equal(upstream.requests[0]?.bodyBytes, BODY)
})

everyProtocol('a client that does not read holds a download of 16 MiB back', async (t, protocol) => {
  let accepted = 0
  const { gateway, upstream } = await gatewayBefore(t, async (exchange) => {
    await exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: ${BODY}\r\n\r\n`)
    while (accepted < BODY) {
      await exchange.send(BLOCK)
      accepted += BLOCK.length
    }
  })
  const client = await gateway.client(protocol)
  const exchange = await client.open({ path: '/', keepBody: false })
  exchange.pause()
  await upstream.received(1)
  const held = (await standstill(() => accepted)) - inKernel(gateway, upstream)
  t.ok(held < IN_FLIGHT, `of what the upstream could write, ${held} bytes are on the way`)
  exchange.resume()
  t.equal((await exchange.response.whole()).status, 200)
  t.equal(exchange.response.received, BODY)
})

everyProtocol('a client that leaves before the response aborts the upstream request', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.stall())
  const client = await gateway.client(protocol)
  const exchange = await client.open({ path: '/' })
  await upstream.received(1)
  exchange.abort()
  t.ok(await upstream.closed(0), 'its connection is gone')
})

everyProtocol('a client that leaves within the response aborts the upstream request', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun')
    await exchange.stall()
  })
  const client = await gateway.client(protocol)
  const exchange = await client.open({ path: '/' })
  t.equal((await exchange.response.chunk())?.toString(), 'begun')
  exchange.abort()
  t.ok(await upstream.closed(0))
})

everyProtocol(
  'a client that leaves within its upload aborts it: the upstream never sees an end',
  async (t, protocol) => {
    const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
    const client = await gateway.client(protocol)
    const exchange = await client.open({ method: 'POST', path: '/', streamBody: true })
    await exchange.write('begun')
    await upstream.received(1)
    exchange.abort()
    t.ok(await upstream.closed(0))
    t.notOk(upstream.requests[0]?.complete, 'the upload is not passed off as complete')
  },
)

everyProtocol('an early refusal reaches a client that is still sending', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 413 Too Much\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig')
    exchange.fin()
  })
  const client = await gateway.client(protocol)
  const exchange = await client.open({ method: 'POST', path: '/', streamBody: true })
  await exchange.write('begun')
  const head = await exchange.response.head()
  t.equal(head.status, 413)
  exchange.end()
})

/** RFC 9113 §8.1. */
const EARLY: [name: string, path: string, play: Play][] = [
  ['a whole answer', '/x', (exchange) => exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')],
  ['an answer without a body', '/x', (exchange) => exchange.send('HTTP/1.1 204 No Content\r\n\r\n')],
  [
    'an answer with trailers',
    '/x',
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      await exchange.chunk('ok')
      await exchange.lastChunk([['X-Sum', '1']])
    },
  ],
  [
    'an answer that the client takes slowly',
    '/x',
    (exchange) => exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(100_000)}`),
  ],
  ['an upstream that fails', '/x', (exchange) => exchange.reset()],
  ['a page of the gateway’s own', '/health', () => undefined],
]

for (const [name, path, play] of EARLY) {
  void test(`HTTP/2: ${name} ends an upload without an error`, { timeout: PATIENCE }, async (t) => {
    const { gateway } = await gatewayBefore(t, play, { upstream: { discardBodies: true } })
    const h2 = await gateway.rawH2()
    h2.send(headers(1, requestFields([], { ':method': 'POST', ':path': path }), false), data(1, 'a piece'))
    // Beyond the window of 65,535 bytes the answer waits for the client.
    const waits = name.includes('slowly')
    if (waits) {
      await h2.until(() => (received(h2) === 65_535 ? true : undefined))
      t.notOk(h2.frames.some(({ type }) => type === FRAME.reset))
      const more = Buffer.from([0, 1, 0, 0])
      h2.send(frame(FRAME.window, 0, 0, more), frame(FRAME.window, 0, 1, more))
    }
    t.equal(await h2.over(1), 'ended', 'the answer comes first')
    const reset = await h2.until(() => h2.frames.find(({ type }) => type === FRAME.reset))
    t.match(reset, { stream: 1, payload: Buffer.alloc(4) })
    if (waits) t.equal(received(h2), 100_000)
    h2.send(data(1, 'what the client had sent meanwhile', true))
    h2.send(headers(3, requestFields([], { ':path': '/health' })))
    t.same(await h2.outcome(3), { status: 200 })
    t.equal(await h2.over(3), 'ended')
    t.equal(h2.frames.filter(({ type }) => type === FRAME.reset).length, 1, 'one that has sent all is told nothing')
  })
}

function received(h2: RawH2): number {
  return h2.frames.reduce((sum, { type, payload }) => sum + (type === FRAME.data ? payload.length : 0), 0)
}
