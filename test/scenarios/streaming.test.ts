import { everyProtocol, gatewayBefore } from '../helper.ts'
import { standstill } from '../signal.ts'

const MIB = 2 ** 20
const BODY = 64 * MIB
/** What the kernel's socket buffers and a few stream buffers on the way may hold; a gateway that hoards exceeds it. */
const IN_FLIGHT = 24 * MIB
const BLOCK = Buffer.alloc(64 * 1024, 'headrace')

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

everyProtocol('an upstream that does not read holds an upload of 64 MiB back', async (t, protocol) => {
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
  const held = await standstill(() => accepted)
  t.ok(held < IN_FLIGHT, `the client could write ${held} bytes`)
  upstream.connections[0]?.socket.resume()
  await sending
  t.equal((await exchange.response.whole()).body.toString(), 'stored')
  t.equal(upstream.requests[0]?.bodyBytes, BODY)
})

everyProtocol('a client that does not read holds a download of 64 MiB back', async (t, protocol) => {
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
  const held = await standstill(() => accepted)
  t.ok(held < IN_FLIGHT, `the upstream could write ${held} bytes`)
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
