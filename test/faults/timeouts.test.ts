import { everyProtocol, gatewayBefore, isProblem, TIMEOUTS } from '../helper.ts'

/** Time must pass for these: the gateway's own timers are short, everything else is an event. */
const SHORT = '300ms'
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

everyProtocol('no first byte in time is answered 504, and the upstream request is aborted', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.stall(), {
    to: { timeout: { ...TIMEOUTS, firstByte: SHORT } },
  })
  isProblem(t, await (await gateway.client(protocol)).request({ path: '/' }), 504)
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
  isProblem(t, await (await gateway.client(protocol)).request({ path: '/' }), 504)
  await upstream.closed(0)
})

everyProtocol('the total time without a head is answered 504', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.stall(), {
    to: { timeout: { ...TIMEOUTS, total: SHORT } },
  })
  isProblem(t, await (await gateway.client(protocol)).request({ path: '/' }), 504)
  await upstream.closed(0)
})

everyProtocol('a POST that times out is sent once', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.stall(), {
    to: { timeout: { ...TIMEOUTS, firstByte: SHORT } },
  })
  const client = await gateway.client(protocol)
  isProblem(t, await client.request({ method: 'POST', path: '/', body: 'abc' }), 504)
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
  t.equal(await exchange.response.ending(), 'broken')
  await upstream.closed(0)
})

everyProtocol('the total time ends at the head: a long body may take longer', async (t, protocol) => {
  const { gateway } = await gatewayBefore(
    t,
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n')
      await exchange.drip('x'.repeat(8), () => pause(100))
    },
    { to: { timeout: { ...TIMEOUTS, total: SHORT, firstByte: SHORT } } },
  )
  const response = await (await gateway.client(protocol)).request({ path: '/' })
  t.equal(response.body.length, 8)
})

everyProtocol('an event stream may be silent for longer than idle', async (t, protocol) => {
  const { gateway } = await gatewayBefore(
    t,
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n')
      await exchange.chunk('data: 1\n\n')
      await pause(900)
      await exchange.chunk('data: 2\n\n')
      await exchange.lastChunk()
    },
    { to: { timeout: { ...TIMEOUTS, idle: SHORT, streamIdle: '30s' } } },
  )
  const response = await (await gateway.client(protocol)).request({ path: '/' })
  t.equal(response.body.toString(), 'data: 1\n\ndata: 2\n\n')
})

everyProtocol('a client that reads slowly is no stall of the upstream', async (t, protocol) => {
  const body = Buffer.alloc(8 * 2 ** 20, 'x')
  const { gateway } = await gatewayBefore(t, (exchange) => exchange.respond(200, [], body), {
    to: { timeout: { ...TIMEOUTS, idle: SHORT } },
  })
  const exchange = await (await gateway.client(protocol)).open({ path: '/', keepBody: false })
  await exchange.response.head()
  exchange.pause()
  await pause(900)
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
    await pause(200)
  }
  exchange.end()
  t.equal((await exchange.response.whole()).status, 200)
})
