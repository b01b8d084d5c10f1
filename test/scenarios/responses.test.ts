import { test } from 'tap'
import { everyProtocol, gatewayBefore, isProblem, PATIENCE } from '../helper.ts'
import { all } from '../wire.ts'

everyProtocol('a body with content-length arrives with its length', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, (exchange) => exchange.respond(203, [['X-Kind', 'sized']], 'hello'))
  const response = await (await gateway.client(protocol)).request({ path: '/' })
  t.equal(response.status, 203)
  t.equal(response.get('content-length'), '5')
  t.equal(response.get('x-kind'), 'sized')
  t.equal(response.body.toString(), 'hello')
})

everyProtocol(
  'a chunked body arrives whole, dripped at each byte, its chunk extensions dropped',
  async (t, protocol) => {
    const { gateway } = await gatewayBefore(t, async (exchange) => {
      await exchange.drip('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n')
    })
    const response = await (await gateway.client(protocol)).request({ path: '/' })
    t.equal(response.body.toString(), 'abcde')
  },
)

everyProtocol('a body that the close delimits arrives whole', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end')
    exchange.fin()
  })
  const client = await gateway.client(protocol)
  t.equal((await client.request({ path: '/' })).body.toString(), 'until the end')
})

everyProtocol('an answer of HTTP/1.0 is understood', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold')
    exchange.fin()
  })
  t.equal((await (await gateway.client(protocol)).request({ path: '/' })).body.toString(), 'old')
})

everyProtocol('response trailers arrive', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n')
    await exchange.chunk('abc')
    await exchange.lastChunk([['X-Sum', '6']])
  })
  const response = await (await gateway.client(protocol)).request({ path: '/', fields: [['TE', 'trailers']] })
  t.equal(response.body.toString(), 'abc')
  t.same(
    response.trailers.map(([name, value]) => [name.toLowerCase(), value]),
    [['x-sum', '6']],
  )
})

everyProtocol('103 Early Hints pass before the response', async (t, protocol) => {
  const seen = Promise.withResolvers<void>()
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n')
    await exchange.send('HTTP/1.1 103 Early Hints\r\nLink: </b.js>; rel=preload\r\n\r\n')
    await seen.promise
    await exchange.respond()
  })
  const exchange = await (await gateway.client(protocol)).open({ path: '/' })
  while (exchange.response.informational.length < 2) await new Promise((resolve) => setImmediate(resolve))
  seen.resolve()
  const response = await exchange.response.whole()
  t.same(
    response.informational.map((head) => [head.status, head.get('link')]),
    [
      [103, '</a.css>; rel=preload'],
      [103, '</b.js>; rel=preload'],
    ],
  )
  t.equal(response.status, 200)
})

everyProtocol('another 1xx passes, or is dropped, and the response comes', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 102 Processing\r\n\r\n')
    await exchange.send('HTTP/1.1 110 Odd\r\nX-Odd: 1\r\n\r\n')
    await exchange.respond(201)
  })
  const response = await (await gateway.client(protocol)).request({ path: '/' })
  t.equal(response.status, 201)
  for (const { status } of response.informational) t.ok(status === 102 || status === 110)
})

everyProtocol('an unsolicited 100 from an upstream is answered 502', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 100 Continue\r\n\r\n')
    await exchange.respond()
  })
  isProblem(t, await (await gateway.client(protocol)).request({ path: '/' }), 502)
})

everyProtocol('a switch of protocols that nobody asked for is answered 502', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n')
    await exchange.stall()
  })
  isProblem(t, await (await gateway.client(protocol)).request({ path: '/' }), 502)
})

everyProtocol('HEAD has the fields of GET and no body', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nETag: "v"\r\n\r\n')
  })
  const client = await gateway.client(protocol)
  for (let turn = 0; turn < 2; turn++) {
    const response = await client.request({ method: 'HEAD', path: '/' })
    t.equal(response.get('content-length'), '12345')
    t.equal(response.get('etag'), '"v"')
    t.equal(response.body.length, 0)
  }
  t.equal(upstream.requests[0]?.method, 'HEAD')
})

everyProtocol('HEAD of a chunked resource ends without a body', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
  })
  const response = await (await gateway.client(protocol)).request({ method: 'HEAD', path: '/' })
  t.equal(response.status, 200)
  t.equal(response.body.length, 0)
})

for (const [status, fields] of [
  [204, ''],
  [304, 'ETag: "v"\r\n'],
  [304, 'ETag: "v"\r\nContent-Length: 500\r\n'],
] as const) {
  everyProtocol(`${status} ${fields ? `with ${JSON.stringify(fields)} ` : ''}has no body`, async (t, protocol) => {
    const { gateway } = await gatewayBefore(t, (exchange) => exchange.send(`HTTP/1.1 ${status} X\r\n${fields}\r\n`))
    const client = await gateway.client(protocol)
    for (let turn = 0; turn < 2; turn++) {
      const response = await client.request({ path: '/' })
      t.equal(response.status, status)
      t.equal(response.body.length, 0)
      t.equal(response.get('transfer-encoding'), undefined)
      if (status === 204) t.equal(response.get('content-length'), undefined)
      else t.equal(response.get('etag'), '"v"')
    }
  })
}

everyProtocol('fields that repeat stay apart and in order; bytes above ASCII stay as they are', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, (exchange) =>
    exchange.send(
      'HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nX-Note: caf\xe9\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n',
    ),
  )
  const response = await (await gateway.client(protocol)).request({ path: '/' })
  t.same(all(response.fields, 'set-cookie'), ['a=1; Path=/', 'b=2'])
  t.match(response.get('x-note'), /^caf/)
})

everyProtocol('errors of the upstream are its own: they pass untouched', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, (exchange) =>
    exchange.respond(500, [['Content-Type', 'text/html']], '<h1>mine</h1>'),
  )
  const response = await (await gateway.client(protocol)).request({ path: '/' })
  t.equal(response.status, 500)
  t.equal(response.get('content-type'), 'text/html')
  t.equal(response.body.toString(), '<h1>mine</h1>')
})

everyProtocol('proxied answers carry no fields of helmet or CORS', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, (exchange) => exchange.respond())
  const client = await gateway.client(protocol)
  const response = await client.request({ path: '/', fields: [['Origin', 'https://page.test']] })
  for (const [name] of response.fields) {
    t.notMatch(name.toLowerCase(), /^(content-security-policy|x-frame-options|access-control-.*|x-powered-by|server)$/)
  }
})

void test('a response can be pipelined after another on one connection', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await gatewayBefore(t, (exchange) => exchange.respond(200, [], exchange.request.target))
  const raw = await gateway.raw()
  const responses = [raw.expect(), raw.expect('POST'), raw.expect()]
  await raw.send(
    'GET /1 HTTP/1.1\r\nHost: x.test\r\n\r\n' +
      'POST /2 HTTP/1.1\r\nHost: x.test\r\nContent-Length: 3\r\n\r\nabc' +
      'GET /3 HTTP/1.1\r\nHost: x.test\r\nConnection: close\r\n\r\n',
  )
  const bodies = await Promise.all(responses.map(async (response) => (await response.whole()).body.toString()))
  t.same(bodies, ['/1', '/2', '/3'])
  t.same(await raw.ended(), { how: 'fin', broken: false })
})

void test('a client of HTTP/1.0 gets an answer that it understands, and a closed connection', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway } = await gatewayBefore(t, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
    await exchange.chunk('abc')
    await exchange.lastChunk()
  })
  const raw = await gateway.raw()
  const response = await raw.exchange('GET / HTTP/1.0\r\nHost: x.test\r\n\r\n')
  t.equal(response.get('transfer-encoding'), undefined)
  t.equal(response.body.toString(), 'abc')
  t.equal((await raw.ended()).how, 'fin')
})
