import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { everyProtocol, gatewayBefore, PATIENCE } from '../helper.ts'

everyProtocol('each method arrives as it was sent', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const client = await gateway.client(protocol)
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY']
  for (const method of methods) t.equal((await client.request({ method, path: '/x?y=1' })).status, 200, method)
  t.same(
    upstream.requests.map(({ start }) => start),
    methods.map((method) => `${method} /x?y=1 HTTP/1.1`),
  )
})

for (const method of ['GET', 'DELETE', 'OPTIONS']) {
  everyProtocol(`${method} with a body is forwarded as it is`, async (t, protocol) => {
    const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
    const client = await gateway.client(protocol)
    t.equal((await client.request({ method, path: '/', body: 'a body' })).status, 200)
    t.equal(upstream.requests[0]?.method, method)
    t.equal(upstream.requests[0]?.body.toString(), 'a body')
    const exchange = await client.open({ method, path: '/', streamBody: true })
    await exchange.write('streamed')
    exchange.end()
    t.equal((await exchange.response.whole()).status, 200)
    t.equal(upstream.requests[1]?.body.toString(), 'streamed')
  })
}

everyProtocol('a body of known length keeps it; framing is the gateway’s own', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const client = await gateway.client(protocol)
  await client.request({ method: 'POST', path: '/', body: 'hello', fields: [['Content-Length', '5']] })
  t.equal(upstream.requests[0]?.get('content-length'), '5')
  t.equal(upstream.requests[0]?.get('transfer-encoding'), undefined)
  t.equal(upstream.requests[0]?.body.toString(), 'hello')
})

everyProtocol('a POST of nothing has an end', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const client = await gateway.client(protocol)
  t.equal((await client.request({ method: 'POST', path: '/', body: '' })).status, 200)
  t.equal(upstream.requests[0]?.body.length, 0)
  const exchange = await client.open({ method: 'POST', path: '/', streamBody: true })
  exchange.end()
  t.equal((await exchange.response.whole()).status, 200)
})

everyProtocol('cookies split by a client of HTTP/2 arrive as one field', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const client = await gateway.client(protocol)
  const fields =
    protocol === 'h1'
      ? ([['Cookie', 'a=1; b=2']] as const)
      : ([
          ['cookie', 'a=1'],
          ['cookie', 'b=2'],
        ] as const)
  await client.request({ path: '/', fields: [...fields] })
  t.equal(upstream.requests[0]?.get('cookie'), 'a=1; b=2')
})

everyProtocol('Expect: 100-continue is answered by the gateway and not forwarded', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const client = await gateway.client(protocol)
  const exchange = await client.open({
    method: 'POST',
    path: '/',
    fields: [
      ['Expect', '100-continue'],
      ['Content-Length', '5'],
    ],
    streamBody: true,
  })
  // Node's client of HTTP/2 reports a 100 as an event of its own: there, that the body is taken must do.
  if (protocol === 'h1') {
    while (exchange.response.informational.length === 0) await new Promise((resolve) => setImmediate(resolve))
    t.equal(exchange.response.informational[0]?.status, 100)
  }
  await exchange.write('hello')
  exchange.end()
  t.equal((await exchange.response.whole()).status, 200)
  t.equal(upstream.requests[0]?.get('expect'), undefined)
  t.equal(upstream.requests[0]?.body.toString(), 'hello')
})

void test('an expectation that is unknown is refused with 417, or ignored; it is never forwarded', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const raw = await gateway.raw()
  const response = await raw.exchange('GET / HTTP/1.1\r\nHost: x.test\r\nExpect: miracles\r\n\r\n')
  t.ok([200, 417].includes(response.status))
  for (const request of upstream.requests) t.equal(request.get('expect'), undefined)
})

void test('request trailers are dropped, the body arrives whole', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const raw = await gateway.raw()
  const response = await raw.exchange(
    'POST / HTTP/1.1\r\nHost: x.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, Host\r\n\r\n' +
      '3;ext=1\r\nabc\r\n0\r\nX-Sum: 6\r\nHost: evil.test\r\n\r\n',
    'POST',
  )
  t.equal(response.status, 200)
  t.equal(upstream.requests[0]?.body.toString(), 'abc')
  t.same(upstream.requests[0]?.trailers, [])
  t.equal(upstream.requests[0]?.get('x-sum'), undefined)
})

void test('one upstream connection serves request after request', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const client = await gateway.client('h1')
  for (let turn = 0; turn < 3; turn++) await client.request({ path: `/${turn}` })
  t.equal(upstream.requests.length, 3)
  t.equal(upstream.connections.length, 1)
})

void test('a gateway of TLS towards the upstream proxies as well', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(200, [], 'secret'), {
    upstream: { tls: true },
    to: { tls: { verify: false } },
  })
  t.equal((await (await gateway.client('h1')).request({ path: '/' })).body.toString(), 'secret')
  t.equal(upstream.requests.length, 1)
})

void test('an upstream behind a unix socket is served like any other', { timeout: PATIENCE }, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(200, [], 'local'), {
    upstream: { path: join(directory, 'upstream.sock') },
  })
  const client = await gateway.client('h1')
  t.equal((await client.request({ path: '/x' })).body.toString(), 'local')
  t.equal((await client.request({ method: 'POST', path: '/y', body: 'abc' })).status, 200)
  t.equal(upstream.connections.length, 1, 'and its connection is kept')
})

void test('an Upgrade that is not offered is served as the plain request it also is', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(200, [], 'plain'))
  const raw = await gateway.raw()
  const fields = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n'
  const response = await raw.exchange(`GET / HTTP/1.1\r\nHost: x.test\r\n${fields}\r\n`)
  t.equal(response.body.toString(), 'plain')
  for (const name of ['upgrade', 'http2-settings']) t.equal(upstream.requests[0]?.get(name), undefined, name)
})
