import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { everyProtocol, gatewayBeforeOrigin } from '../helper.ts'
import { gatewayBeforeH2 } from '../h2-upstream.ts'
import { standstill } from '../signal.ts'
import { startUpstream } from '../upstream-server.ts'

everyProtocol('an HTTP/2 upstream is asked in HTTP/2, and Via says so', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBeforeH2(t, ({ stream }) => {
    stream.respond({ ':status': 200, 'content-length': '4', 'x-one': ['1', '2'], 'set-cookie': ['a=1', 'b=2'] })
    stream.end('body')
  })
  const client = await gateway.client(protocol)
  const response = await client.request({
    path: '/a/b?c',
    fields: [
      ['X-Own', '1'],
      ['Cookie', 'a=1; b=2'],
      ['TE', 'trailers'],
    ],
  })
  t.equal(response.status, 200)
  t.equal(response.body.toString(), 'body')
  t.equal(response.get('via'), '2 headrace')
  t.equal(response.get('content-length'), '4')
  t.strictSame(
    response.fields.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value),
    ['a=1', 'b=2'],
  )
  const { headers } = await upstream.received()
  t.match(headers, {
    ':method': 'GET',
    ':path': '/a/b?c',
    ':scheme': upstream.origin.startsWith('h2c:') ? 'http' : 'https',
    ':authority': upstream.origin.replace(/^\w+:\/\//, ''),
    'x-own': '1',
    cookie: 'a=1; b=2',
    te: 'trailers',
    via: protocol === 'h1' ? '1.1 headrace' : '2 headrace',
  })
  for (const name of ['connection', 'host', 'transfer-encoding', 'keep-alive']) t.notOk(headers[name], name)
})

everyProtocol('an upstream that offers no HTTP/2 is asked in HTTP/1.1, and Via says so', async (t, protocol) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [], 'old'), { tls: true })
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  const response = await (await gateway.client(protocol)).request({ path: '/' })
  t.equal(response.body.toString(), 'old')
  t.equal(response.get('via'), '1.1 headrace')
})

everyProtocol('a cleartext upstream is asked in HTTP/1.1', async (t, protocol) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [], 'old'))
  const gateway = await gatewayBeforeOrigin(t, upstream.origin)
  t.equal((await (await gateway.client(protocol)).request({ path: '/' })).body.toString(), 'old')
})

everyProtocol('an upstream that takes the first protocol it is offered gets HTTP/2', async (t, protocol) => {
  const { gateway } = await gatewayBeforeH2(
    t,
    ({ stream }) => stream.respond({ ':status': 200 }, { endStream: true }),
    {
      server: { ALPNCallback: ({ protocols }) => protocols[0] },
    },
  )
  t.equal((await (await gateway.client(protocol)).request({ path: '/' })).get('via'), '2 headrace')
})

everyProtocol('trailers of an HTTP/2 upstream reach the client', async (t, protocol) => {
  const { gateway } = await gatewayBeforeH2(t, ({ stream }) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }))
    stream.end('body')
  })
  const response = await (await gateway.client(protocol)).request({ path: '/', fields: [['TE', 'trailers']] })
  t.equal(response.body.toString(), 'body')
  t.strictSame(
    response.trailers.map(([name, value]) => [name.toLowerCase(), value]),
    [['x-sum', '42']],
  )
})

everyProtocol('trailers come behind all of a body that waits for a slow client', async (t, protocol) => {
  const chunk = Buffer.alloc(65_536, 'x')
  let sent = 0
  const { gateway } = await gatewayBeforeH2(t, ({ stream }) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }))
    const write = (): void => {
      for (let more = true; more && sent < 4_194_304; sent += chunk.length) more = stream.write(chunk)
      if (sent === 4_194_304) stream.end()
      else stream.once('drain', write)
    }
    write()
  })
  const exchange = await (await gateway.client(protocol)).open({ path: '/', fields: [['TE', 'trailers']] })
  await exchange.response.head()
  for (let turn = 0; turn < 3; turn++) {
    exchange.pause()
    await standstill(() => sent)
    exchange.resume()
    await exchange.response.chunk()
  }
  const { body, trailers } = await exchange.response.whole()
  t.equal(exchange.response.received, 4_194_304, `${body.length} at the end`)
  t.equal(trailers.length, 1)
})

everyProtocol('103 of an HTTP/2 upstream comes before the answer', async (t, protocol) => {
  const { gateway } = await gatewayBeforeH2(t, ({ stream }) => {
    stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' })
    stream.respond({ ':status': 200 })
    stream.end('body')
  })
  const response = await (await gateway.client(protocol)).request({ path: '/' })
  t.equal(response.status, 200)
  t.strictSame(
    response.informational.map(({ status, get }) => [status, get('link')]),
    [[103, '</a.css>; rel=preload']],
  )
})

for (const [method, status] of [
  ['HEAD', 200],
  ['GET', 204],
  ['GET', 304],
] as const) {
  everyProtocol(`${method} answered ${status} by an HTTP/2 upstream has no body, and ends`, async (t, protocol) => {
    const { gateway } = await gatewayBeforeH2(t, ({ stream }) => {
      stream.respond({ ':status': status, etag: '"a"', ...(status !== 204 && { 'content-length': '1000' }) })
      stream.end()
    })
    const client = await gateway.client(protocol)
    for (let turn = 0; turn < 2; turn++) {
      const response = await client.request({ method, path: '/' })
      t.equal(response.status, status)
      t.equal(response.body.length, 0)
      t.equal(response.get('etag'), '"a"')
      if (status !== 204) t.equal(response.get('content-length'), '1000')
    }
  })
}

everyProtocol('a body goes to an HTTP/2 upstream, with and without a length', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBeforeH2(t, async ({ stream }) => {
    const body = await text(stream)
    stream.respond({ ':status': 200 })
    stream.end(body.toUpperCase())
  })
  const client = await gateway.client(protocol)
  const known = await client.request({ method: 'POST', path: '/', body: 'known' })
  t.equal(known.body.toString(), 'KNOWN')
  const exchange = await client.open({ method: 'POST', path: '/', streamBody: true })
  await exchange.write('un')
  await upstream.received(2)
  await exchange.write('known')
  exchange.end()
  t.equal((await exchange.response.whole()).body.toString(), 'UNKNOWN')
  t.equal(upstream.exchanges[1]?.headers['content-length'], undefined)
  const empty = await client.request({ method: 'POST', path: '/', fields: [['Content-Length', '0']] })
  t.equal(empty.status, 200)
})

everyProtocol('a client that does not read holds an HTTP/2 upstream back', async (t, protocol) => {
  let sent = 0
  const total = 64 * 1024 * 1024
  const { gateway } = await gatewayBeforeH2(t, async ({ stream }) => {
    stream.respond({ ':status': 200, 'content-length': String(total) })
    const chunk = Buffer.alloc(65_536, 'x')
    const left = once(stream, 'close')
    while (sent < total && !stream.destroyed) {
      sent += chunk.length
      if (!stream.write(chunk)) await Promise.race([once(stream, 'drain'), left])
    }
    stream.end()
  })
  const client = await gateway.client(protocol)
  const exchange = await client.open({ path: '/', keepBody: false })
  await exchange.response.head()
  exchange.pause()
  const held = await standstill(() => sent)
  t.ok(held < total / 2, `${held} bytes of ${total}`)
  exchange.resume()
  t.equal(await exchange.response.ending(), 'complete')
  t.equal(exchange.response.received, total)
})

everyProtocol('an HTTP/2 upstream that does not read holds the client back', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBeforeH2(t, () => undefined)
  const client = await gateway.client(protocol)
  const total = 64 * 1024 * 1024
  const chunk = Buffer.alloc(65_536, 'x')
  const exchange = await client.open({
    method: 'POST',
    path: '/',
    streamBody: true,
    fields: [['Content-Length', String(total)]],
  })
  let sent = 0
  const sending = (async () => {
    while (sent < total) {
      await exchange.write(chunk)
      sent += chunk.length
    }
    exchange.end()
  })()
  const { stream } = await upstream.received()
  const held = await standstill(() => sent)
  t.ok(held < total / 2, `${held} bytes of ${total}`)
  let received = 0
  stream.on('data', (bytes: Buffer) => (received += bytes.length))
  stream.on('end', () => {
    stream.respond({ ':status': 200 })
    stream.end('done')
  })
  await sending
  t.equal((await exchange.response.whole()).body.toString(), 'done')
  t.equal(received, total)
})

everyProtocol('requests share a connection; what the upstream allows no stream for waits', async (t, protocol) => {
  let running = 0
  let most = 0
  const { gateway, upstream } = await gatewayBeforeH2(
    t,
    async ({ stream }) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      stream.respond({ ':status': 200 })
      stream.end('ok')
    },
    { server: { settings: { maxConcurrentStreams: 3 } }, to: { connections: 1 } },
  )
  const client = await gateway.client(protocol)
  const answers = await Promise.all(Array.from({ length: 40 }, (_, n) => client.request({ path: `/${n}` })))
  t.ok(answers.every(({ status, body }) => status === 200 && body.toString() === 'ok'))
  t.equal(upstream.sessions.length, 1)
  t.ok(most <= 3, `${most} at once`)
  t.ok(most > 1, 'several at once')
})

everyProtocol('an event stream of an HTTP/2 upstream is passed on event by event', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBeforeH2(t, ({ stream }) => {
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' })
    stream.write('data: 1\n\n')
  })
  const exchange = await (await gateway.client(protocol)).open({ path: '/' })
  t.equal((await exchange.response.chunk())?.toString(), 'data: 1\n\n')
  ;(await upstream.received()).stream.end('data: 2\n\n')
  t.equal((await exchange.response.chunk())?.toString(), 'data: 2\n\n')
  t.equal(await exchange.response.ending(), 'complete')
})
