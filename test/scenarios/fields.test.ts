import { test, type Test } from 'tap'
import type { Protocol } from '../client.ts'
import { everyProtocol, gatewayBefore, type SetUp, PATIENCE } from '../helper.ts'
import type { ReceivedRequest } from '../upstream-server.ts'
import { all, type Field } from '../wire.ts'

/** What the upstream gets when a client sends these fields. */
async function forwarded(t: Test, protocol: Protocol, fields: Field[], setUp: SetUp = {}): Promise<ReceivedRequest> {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), setUp)
  const client = await gateway.client(protocol)
  t.equal((await client.request({ path: '/', fields })).status, 200)
  return upstream.received(1)
}

const TRUSTING: SetUp = { config: { forwarded: { trust: ['loopback'] } } }
const PROTO = { h1: 'http', h2c: 'http', h2: 'https', 'h1-tls': 'https' }

void test('hop-by-hop fields of a request, and what Connection names, are dropped', {
  timeout: PATIENCE,
}, async (t) => {
  const request = await forwarded(t, 'h1', [
    ['Connection', 'keep-alive, X-Drop'],
    ['Connection', 'x-also'],
    ['X-Drop', '1'],
    ['X-Also', '1'],
    ['X-Keep', '1'],
    ['Keep-Alive', 'timeout=5'],
    ['Proxy-Connection', 'keep-alive'],
    ['Upgrade', 'h2c'],
    ['TE', 'gzip, trailers'],
  ])
  t.equal(request.get('x-keep'), '1')
  for (const name of ['x-drop', 'x-also', 'keep-alive', 'proxy-connection', 'upgrade']) {
    t.equal(request.get(name), undefined, name)
  }
  t.notMatch(request.get('te') ?? '', /gzip/)
  t.notMatch(request.get('connection') ?? '', /x-/i)
})

void test('Connection cannot delete a field that the gateway sets, nor the framing', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const names =
    'host, via, forwarded, x-forwarded-for, x-forwarded-proto, x-forwarded-host, x-request-id, content-length'
  const response = await (await gateway.client('h1')).request({
    method: 'POST',
    path: '/',
    body: 'hello',
    fields: [['Connection', names]],
  })
  t.equal(response.status, 200)
  const request = await upstream.received(1)
  for (const name of names.split(', ')) t.equal(all(request.fields, name).length, 1, name)
  t.equal(request.body.toString(), 'hello')
})

void test('Connection: transfer-encoding does not unframe a body', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const raw = await gateway.raw()
  const response = await raw.exchange(
    'POST / HTTP/1.1\r\nHost: x.test\r\nConnection: transfer-encoding, close\r\n' +
      'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    'POST',
  )
  t.equal(response.status, 200)
  t.equal(upstream.requests[0]?.body.toString(), 'abc')
})

everyProtocol('hop-by-hop fields of a response, and what Connection names, are dropped', async (t, protocol) => {
  const { gateway } = await gatewayBefore(t, (exchange) =>
    exchange.respond(200, [
      ['Connection', 'X-Drop, x-request-id, keep-alive'],
      ['X-Drop', '1'],
      ['X-Keep', '1'],
      ['Keep-Alive', 'timeout=99'],
      ['Proxy-Connection', 'keep-alive'],
      ['Upgrade', 'h2c'],
      ['HTTP2-Settings', 'AAMAAABkAAQAAP__'],
    ]),
  )
  const response = await (await gateway.client(protocol)).request({ path: '/' })
  t.equal(response.status, 200)
  t.equal(response.get('x-keep'), '1')
  t.not(response.get('keep-alive'), 'timeout=99')
  for (const name of ['x-drop', 'proxy-connection', 'upgrade']) t.equal(response.get(name), undefined, name)
  t.notMatch(response.get('connection') ?? '', /x-drop/i)
  if (protocol !== 'h1') t.equal(response.get('connection'), undefined)
  t.ok(response.get('x-request-id'), "the gateway's own field stands")
})

everyProtocol('Via names the gateway after those who came before it', async (t, protocol) => {
  const request = await forwarded(t, protocol, [['Via', '1.0 fred']])
  const version = protocol === 'h1' ? '1\\.1' : '2(\\.0)?'
  t.match(request.get('via') ?? '', new RegExp(`^1\\.0 fred, ${version} headrace$`))
})

everyProtocol('forwarding fields of a stranger are replaced', async (t, protocol) => {
  const request = await forwarded(t, protocol, [
    ['X-Forwarded-For', '203.0.113.7'],
    ['X-Forwarded-Proto', 'gopher'],
    ['X-Forwarded-Host', 'evil.test'],
    ['X-Forwarded-Port', '6666'],
    ['X-Forwarded-Prefix', '/evil'],
    ['Forwarded', 'for=203.0.113.7;host=evil.test'],
    ['X-Request-Id', 'chosen-by-a-stranger'],
  ])
  t.equal(request.get('x-forwarded-for'), '127.0.0.1')
  t.equal(request.get('x-forwarded-proto'), PROTO[protocol])
  t.equal(request.get('x-forwarded-host'), 'gateway.test')
  t.match(request.get('forwarded') ?? '', /for="?127\.0\.0\.1"?/)
  t.match(request.get('forwarded') ?? '', new RegExp(`proto=${PROTO[protocol]}`))
  t.notMatch(request.raw, /203\.0\.113\.7|evil|6666|gopher|stranger/)
})

everyProtocol('forwarding fields of a trusted proxy are believed and continued', async (t, protocol) => {
  const request = await forwarded(
    t,
    protocol,
    [
      ['X-Forwarded-For', '203.0.113.7'],
      ['X-Forwarded-Proto', 'https'],
      ['X-Forwarded-Host', 'shop.test'],
      ['X-Request-Id', 'from-the-edge-1'],
      ['Traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
    ],
    TRUSTING,
  )
  t.equal(request.get('x-forwarded-for'), '203.0.113.7, 127.0.0.1')
  t.equal(request.get('x-forwarded-proto'), 'https')
  t.equal(request.get('x-forwarded-host'), 'shop.test')
  t.equal(request.get('x-request-id'), 'from-the-edge-1')
  t.match(request.get('traceparent') ?? '', /^00-0af7651916cd43dd8448eb211c80319c-/)
})

void test('Forwarded of a trusted proxy is continued', { timeout: PATIENCE }, async (t) => {
  const request = await forwarded(t, 'h1', [['Forwarded', 'for="[2001:db8::1]:4711";proto=https']], TRUSTING)
  t.match(request.get('forwarded') ?? '', /^for="\[2001:db8::1\]:4711";proto=https, ?for="?127\.0\.0\.1"?/)
})

void test('only the fields asked for are sent', { timeout: PATIENCE }, async (t) => {
  const send = (fields: string): SetUp => ({ config: { forwarded: { send: fields } } })
  const one = await forwarded(t, 'h1', [], send('forwarded'))
  t.ok(one.get('forwarded'))
  t.equal(one.get('x-forwarded-for'), undefined)
  const other = await forwarded(t, 'h1', [['Forwarded', 'for=evil']], send('x-forwarded'))
  t.equal(other.get('forwarded'), undefined)
  t.ok(other.get('x-forwarded-for'))
})

everyProtocol('an id of the request is made, sent to the upstream and returned', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const client = await gateway.client(protocol)
  const response = await client.request({ path: '/' })
  const sent = (await upstream.received(1)).get('x-request-id')
  t.ok(sent)
  t.equal(response.get('x-request-id'), sent)
  t.not((await client.request({ path: '/' })).get('x-request-id'), sent)
})

everyProtocol('Host is the target’s by default', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  await (await gateway.client(protocol)).request({ path: '/' })
  t.same(all((await upstream.received(1)).fields, 'host'), [`127.0.0.1:${upstream.port}`])
})

everyProtocol('Host is the client’s where it is to be preserved', async (t, protocol) => {
  const request = await forwarded(t, protocol, [], { to: { host: 'preserve' } })
  t.same(all(request.fields, 'host'), ['gateway.test'])
})

void test('pseudo-header fields of HTTP/2 are never fields of the upstream request', {
  timeout: PATIENCE,
}, async (t) => {
  const request = await forwarded(t, 'h2', [])
  for (const [name] of request.fields) t.notMatch(name, /^:/)
})

everyProtocol('fields that repeat arrive each, in order', async (t, protocol) => {
  const request = await forwarded(t, protocol, [
    ['X-Many', 'one'],
    ['X-Many', 'two'],
    ['Accept', 'text/html'],
  ])
  t.equal(request.get('x-many'), 'one, two')
  t.equal(request.get('accept'), 'text/html')
})
