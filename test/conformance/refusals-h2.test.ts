import { t as root, test } from 'tap'
import { gatewayBefore, PATIENCE } from '../helper.ts'
import { data, headers, requestFields, rst } from '../raw-h2.ts'
import type { Field } from '../wire.ts'

/** RFC 9113 §8.1.1: malformed requests end in a stream error, a connection error or a 400. */
type Row = [name: string, fields: Field[]]

const PSEUDO: Row[] = [
  ['no :method', requestFields([], { ':method': null })],
  ['no :scheme', requestFields([], { ':scheme': null })],
  ['no :path', requestFields([], { ':path': null })],
  ['an empty :path', requestFields([], { ':path': '' })],
  ['two :path', [...requestFields(), [':path', '/b']]],
  ['two :authority', [...requestFields(), [':authority', 'b.test']]],
  ['an unknown pseudo-header field', requestFields([], { ':nonsense': '1' })],
  ['a pseudo-header field of responses', requestFields([], { ':status': '200' })],
  [
    'a pseudo-header field after a field',
    requestFields(
      [
        ['x-a', '1'],
        [':path', '/b'],
      ],
      { ':path': null },
    ),
  ],
  ['neither :authority nor host', requestFields([], { ':authority': null })],
  ['an empty :authority', requestFields([], { ':authority': '' })],
  ['a host that differs from :authority', requestFields([['host', 'b.test']])],
  [
    'two hosts',
    requestFields(
      [
        ['host', 'a.test'],
        ['host', 'a.test'],
      ],
      { ':authority': null },
    ),
  ],
  ['user information in :authority', requestFields([], { ':authority': 'user@a.test' })],
  ['a list in :authority', requestFields([], { ':authority': 'a.test, b.test' })],
  ['a path in :authority', requestFields([], { ':authority': 'a.test/x' })],
  ['a method that is no token', requestFields([], { ':method': 'GET /x HTTP/1.1' })],
]

const FIELDS: Row[] = [
  ['connection', requestFields([['connection', 'close']])],
  ['keep-alive', requestFields([['keep-alive', 'timeout=5']])],
  ['proxy-connection', requestFields([['proxy-connection', 'close']])],
  ['transfer-encoding', requestFields([['transfer-encoding', 'chunked']])],
  ['upgrade', requestFields([['upgrade', 'websocket']])],
  ['te with more than trailers', requestFields([['te', 'gzip']])],
  ['a name in upper case', requestFields([['X-Upper', '1']])],
  [
    'two different lengths',
    requestFields([
      ['content-length', '0'],
      ['content-length', '3'],
    ]),
  ],
  ['a length that is none', requestFields([['content-length', 'abc']])],
  ['a length without a body', requestFields([['content-length', '3']])],
]

const PATHS: Row[] = [
  '/a%00',
  '/a\\b',
  '/%zz',
  '/../a',
  '/%2e%2e/a',
  '/a#b',
  '/a b',
  '/a\r\nX: y',
  'a',
  '*',
  'http://b.test/',
].map((path) => [JSON.stringify(path), requestFields([], { ':path': path })])

/** One gateway for all rows: what a refused request leaves behind, the next must not feel. */
let started: ReturnType<typeof gatewayBefore> | undefined
const shared = (): ReturnType<typeof gatewayBefore> =>
  (started ??= gatewayBefore(root, (exchange) => exchange.respond()))

for (const [subject, rows] of Object.entries({ 'pseudo-header': PSEUDO, fields: FIELDS, path: PATHS })) {
  for (const [name, fields] of rows) {
    void test(`refused on HTTP/2 for its ${subject}, nothing sent upstream: ${name}`, {
      timeout: PATIENCE,
    }, async (t) => {
      const { gateway, upstream } = await shared()
      const before = upstream.requests.length
      const h2 = await gateway.rawH2()
      h2.send(headers(1, fields))
      const outcome = await h2.outcome(1)
      t.ok(!('status' in outcome) || outcome.status === 400, JSON.stringify(outcome))
      t.equal(upstream.requests.length, before)
    })
  }
}

/** nghttp2 leaves out a field that is no field before Node sees it: it must not come out again on the other side. */
const UNSPEAKABLE: Row[] = [
  ['a name with a space', requestFields([['x a', 'unspeakable']])],
  ['a name with a colon', requestFields([['x:a', 'unspeakable']])],
  ['CR LF in a value', requestFields([['x-a', 'a\r\nx-b: unspeakable']])],
  ['NUL in a value', requestFields([['x-a', 'unspeakable\0b']])],
]
for (const [name, fields] of UNSPEAKABLE) {
  void test(`refused on HTTP/2, or left out: ${name}`, { timeout: PATIENCE }, async (t) => {
    const { gateway, upstream } = await shared()
    const h2 = await gateway.rawH2()
    h2.send(headers(1, fields))
    const outcome = await h2.outcome(1)
    t.ok(!('status' in outcome) || outcome.status === 400 || outcome.status === 200, JSON.stringify(outcome))
    for (const request of upstream.requests) t.notMatch(request.raw, /unspeakable/)
  })
}

const MISMATCHES: [name: string, length: string, frames: [string, end: boolean][]][] = [
  ['shorter than', '5', [['cd', true]]],
  ['longer than', '5', [['cdefgh', true]]],
  [
    'longer, once the length was reached, than',
    '5',
    [
      ['cde', false],
      ['f', true],
    ],
  ],
]
for (const [name, length, frames] of MISMATCHES) {
  void test(`a body ${name} its content-length never completes upstream`, { timeout: PATIENCE }, async (t) => {
    const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
    const h2 = await gateway.rawH2()
    h2.send(headers(1, requestFields([['content-length', length]], { ':method': 'POST' }), false), data(1, 'ab'))
    await upstream.received(1)
    for (const [text, end] of frames) h2.send(data(1, text, end))
    t.not(await h2.over(1), 'ended', 'a stream error or GOAWAY')
    await upstream.closed(0)
    t.notOk(upstream.requests[0]?.complete, 'the upstream never saw it end')
    t.equal(upstream.requests.length, 1)
  })
}

for (const [name, code] of [
  ['NO_ERROR', 0],
  ['CANCEL', 8],
] as const) {
  void test(`a body that the client resets with ${name} never completes upstream`, { timeout: PATIENCE }, async (t) => {
    const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
    const h2 = await gateway.rawH2()
    h2.send(headers(1, requestFields([], { ':method': 'POST' }), false), data(1, 'ab'))
    await upstream.received(1)
    h2.send(data(1, 'cd'), rst(1, code))
    await upstream.closed(0)
    t.notOk(upstream.requests[0]?.complete, 'the upstream never saw it end')
  })
}

void test('a stream error leaves the other streams of the connection alone', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await gatewayBefore(t, (exchange) => exchange.respond())
  const h2 = await gateway.rawH2()
  h2.send(headers(1, requestFields([['connection', 'close']])), headers(3, requestFields()))
  t.same(await h2.outcome(3), { status: 200 })
})

void test('a connection error right behind a request ends the connection, not the process', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway } = await gatewayBefore(t, (exchange) => exchange.respond())
  const h2 = await gateway.rawH2()
  h2.send(headers(1, requestFields()), headers(3, requestFields(), false), data(0, 'DATA has no business on stream 0'))
  t.ok(['goaway', 'closed'].includes(await h2.over(3)))
  const client = await gateway.client('h2c')
  t.equal((await client.request({ path: '/' })).status, 200, 'others are served')
})

void test('a client of h2c that ends its side with a request half sent is let go', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond())
  const h2 = await gateway.rawH2()
  h2.send(headers(1, requestFields([], { ':method': 'POST' }), false), data(1, 'ab'))
  await upstream.received(1)
  h2.socket.end()
  await h2.over(1)
  await upstream.closed(0)
  t.notOk(upstream.requests[0]?.complete)
})
