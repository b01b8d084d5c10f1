import { everyProtocol, gatewayBefore, isProblem, TIMEOUTS } from '../helper.ts'
import { standstill } from '../signal.ts'
import { LONGER_MS, pass, SHORT } from '../standing-clock.ts'

everyProtocol('no first byte in time is answered 504, and the upstream request is aborted', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.stall(), {
    to: { timeout: { ...TIMEOUTS, firstByte: SHORT } },
  })
  const answer = (await gateway.client(protocol)).request({ path: '/' })
  await upstream.received(1)
  await pass(LONGER_MS)
  isProblem(t, await answer, 504)
  await upstream.closed(0)
  t.equal(upstream.requests.length, 1, 'a slow upstream is not asked twice')
})

everyProtocol('a head that stops half way is answered 504', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(
    t,
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nX-Half: ')
      await exchange.stall()
    },
    { to: { timeout: { ...TIMEOUTS, firstByte: SHORT } } },
  )
  const answer = (await gateway.client(protocol)).request({ path: '/' })
  await upstream.received(1)
  await pass(LONGER_MS)
  isProblem(t, await answer, 504)
  await upstream.closed(0)
})

everyProtocol('the total time without a head is answered 504', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.stall(), {
    to: { timeout: { ...TIMEOUTS, total: SHORT } },
  })
  const answer = (await gateway.client(protocol)).request({ path: '/' })
  await upstream.received(1)
  await pass(LONGER_MS)
  isProblem(t, await answer, 504)
  await upstream.closed(0)
})

everyProtocol('a POST that times out is sent once', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.stall(), {
    to: { timeout: { ...TIMEOUTS, firstByte: SHORT } },
  })
  const client = await gateway.client(protocol)
  const answer = client.request({ method: 'POST', path: '/', body: 'abc' })
  await upstream.received(1)
  await pass(LONGER_MS)
  isProblem(t, await answer, 504)
  t.equal(upstream.requests.length, 1)
})

everyProtocol('a body that stalls breaks the response', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(
    t,
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun')
      await exchange.stall()
    },
    { to: { timeout: { ...TIMEOUTS, idle: SHORT } } },
  )
  const exchange = await (await gateway.client(protocol)).open({ path: '/' })
  t.equal((await exchange.response.chunk())?.toString(), 'begun')
  await pass(LONGER_MS)
  t.equal(await exchange.response.ending(), 'broken')
  await upstream.closed(0)
})

everyProtocol('the total time ends at the head: a long body may take longer', async (t, protocol) => {
  const begun = Promise.withResolvers<void>()
  const { gateway } = await gatewayBefore(
    t,
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nx')
      await begun.promise
      await exchange.drip('xxx', () => pass(LONGER_MS / 2))
    },
    { to: { timeout: { ...TIMEOUTS, total: SHORT, firstByte: SHORT } } },
  )
  const { response } = await (await gateway.client(protocol)).open({ path: '/' })
  await response.chunk()
  begun.resolve()
  t.equal(await response.ending(), 'complete')
})

everyProtocol('an event stream may be silent for longer than idle', async (t, protocol) => {
  const silence = Promise.withResolvers<void>()
  const { gateway } = await gatewayBefore(
    t,
    async (exchange) => {
      await exchange.send(
        'HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream;charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n',
      )
      await exchange.chunk('data: 1\n\n')
      await silence.promise
      await exchange.chunk('data: 2\n\n')
      await exchange.lastChunk()
    },
    { to: { timeout: { ...TIMEOUTS, idle: SHORT, streamIdle: '30s' } } },
  )
  const { response } = await (await gateway.client(protocol)).open({ path: '/' })
  t.equal((await response.chunk())?.toString(), 'data: 1\n\n')
  await pass(LONGER_MS)
  silence.resolve()
  t.equal((await response.chunk())?.toString(), 'data: 2\n\n')
  t.equal(await response.ending(), 'complete')
})

everyProtocol('a client that reads slowly is no stall of the upstream', async (t, protocol) => {
  const body = Buffer.alloc(8 * 2 ** 20, 'x')
  const { gateway } = await gatewayBefore(t, (exchange) => exchange.respond(200, [], body), {
    to: { timeout: { ...TIMEOUTS, idle: SHORT } },
  })
  const exchange = await (await gateway.client(protocol)).open({ path: '/', keepBody: false })
  await exchange.response.head()
  exchange.pause()
  await standstill(() => exchange.response.received)
  await pass(LONGER_MS)
  exchange.resume()
  t.equal(await exchange.response.ending(), 'complete')
  t.equal(exchange.response.received, body.length)
})

everyProtocol('a slow upload is no missing first byte', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, (exchange) => exchange.respond(), {
    to: { timeout: { ...TIMEOUTS, firstByte: SHORT } },
  })
  const exchange = await (await gateway.client(protocol)).open({ method: 'POST', path: '/', streamBody: true })
  for (let turn = 0; turn < 4; turn++) {
    await exchange.write('piece')
    await pass(LONGER_MS / 2)
  }
  exchange.end()
  t.equal((await exchange.response.whole()).status, 200)
})
