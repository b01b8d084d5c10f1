import fc from 'fast-check'
import { test } from 'tap'
import { readRequestFields } from '../../../services/http/request-fields.ts'

void test('end-to-end fields go on as they came, in their order, with their spelling', (t) => {
  const raw = ['X-B', '2', 'Accept', '*/*', 'x-b', '1', 'ETag', '"a"', 'Authorization', 'Bearer x', 'Age', '']
  t.strictSame(readRequestFields(raw).kept, raw)
  t.end()
})

void test('hop-by-hop fields and those that the gateway writes itself stay behind, however they are spelt', (t) => {
  const names = [
    'connection',
    'keep-alive',
    'proxy-connection',
    'proxy-authenticate',
    'proxy-authorization',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'http2-settings',
    'host',
    'content-length',
    'expect',
    'via',
    'forwarded',
    'x-forwarded-for',
    'x-forwarded-host',
    'x-forwarded-proto',
    'x-forwarded-port',
    'x-forwarded-server',
    'x-forwarded-prefix',
    'x-forwarded-scheme',
    'x-real-ip',
    'x-request-id',
  ]
  for (const name of names) {
    t.strictSame(readRequestFields([name, 'v']).kept, [], name)
    t.strictSame(readRequestFields([name.toUpperCase(), 'v', 'X-A', '1']).kept, ['X-A', '1'], name)
    // To servers that make variables of fields these are one.
    if (name.includes('-'))
      t.strictSame(readRequestFields([name.replaceAll('-', '_').toUpperCase(), 'v']).kept, [], name)
  }
  const others = ['X-Forwarded-Foo', '1', 'if_none_match', '2', 'X_Real_IPs', '3']
  t.strictSame(readRequestFields(others).kept, others)
  t.end()
})

void test('what the gateway looks at is read: the first of some, the list of others, and how often', (t) => {
  const fields = readRequestFields(
    ['Host', 'a', 'HOST', 'b', 'Content-Length', '1', 'content-length', '2', 'Via', '1.0 x', 'via', '1.1 y'].concat(
      [
        'X-Forwarded-For',
        '1.1.1.1',
        'X-Forwarded-For',
        '2.2.2.2',
        'X-Forwarded-Host',
        'first',
        'X-Forwarded-Host',
        'second',
      ],
      [
        'X-Forwarded-Proto',
        'https',
        'X-Request-Id',
        'one',
        'X-Request-Id',
        'two',
        'Forwarded',
        'for=a',
        'Forwarded',
        'for=b',
      ],
      ['Transfer-Encoding', 'gzip', 'Transfer-Encoding', 'chunked', 'Expect', '100-continue', 'Upgrade', 'websocket'],
    ),
  )
  t.match(fields, {
    host: 'b',
    hostCount: 2,
    contentLength: '2',
    contentLengthCount: 2,
    via: '1.0 x, 1.1 y',
    forwardedFor: '1.1.1.1, 2.2.2.2',
    forwardedHost: 'first',
    forwardedProto: 'https',
    requestId: 'one',
    forwarded: 'for=a, for=b',
    transferEncoding: 'gzip, chunked',
    expect: '100-continue',
    upgrade: 'websocket',
    kept: [],
  })
  t.end()
})

void test('TE counts where it names trailers, and for nothing else', (t) => {
  for (const value of ['trailers', 'gzip, Trailers', 'trailers;q=0.5', ' trailers ,deflate']) {
    t.equal(readRequestFields(['TE', value]).trailers, true, value)
  }
  for (const value of ['', 'gzip', 'xtrailers', 'trailersx', 'no trailers']) {
    t.equal(readRequestFields(['TE', value]).trailers, false, value)
  }
  t.end()
})

void test('cookies become one field', (t) => {
  t.strictSame(readRequestFields(['cookie', 'a=1', 'X', '1', 'Cookie', 'b=2']).kept, ['X', '1', 'cookie', 'a=1; b=2'])
  t.end()
})

void test('what Connection names is dropped, cookies too, and none of what the gateway reads for itself', (t) => {
  const named = readRequestFields(['X-A', '1', 'Connection', 'x-A , Cookie', 'x-a', '2', 'X-B', '3', 'Cookie', 'a=1'])
  t.strictSame(named.kept, ['X-B', '3'])
  const twice = readRequestFields(['Connection', 'close', 'Connection', 'X-A', 'X-A', '1', 'X-B', '2'])
  t.strictSame(twice.kept, ['X-B', '2'])
  const own = readRequestFields([
    'Connection',
    'Host, Via, Content-Length, X-Request-Id',
    'Host',
    'a',
    'Content-Length',
    '3',
  ])
  t.match(own, { host: 'a', contentLength: '3' })
  t.end()
})

void test('what Connection names is nowhere, whoever reads it', (t) => {
  const apart = {
    cookie: 'cookie',
    'cache-control': 'cacheControl',
    pragma: 'pragma',
    authorization: 'authorization',
    range: 'range',
    'if-range': 'ifRange',
    'if-match': 'ifMatch',
    'if-none-match': 'ifNoneMatch',
    'if-modified-since': 'ifModifiedSince',
    'if-unmodified-since': 'ifUnmodifiedSince',
  } as const
  for (const [name, member] of Object.entries(apart)) {
    t.equal(readRequestFields([name, 'x=1'])[member], 'x=1')
    const fields = readRequestFields([name, 'x=1', 'Connection', name])
    t.strictSame([fields.kept, fields[member], fields.conditional], [[], undefined, false], name)
  }
  const other = readRequestFields(['If-Match', '"a"', 'If-None-Match', '"b"', 'Connection', 'If-Match'])
  t.match(other, { conditional: true, ifMatch: undefined, ifNoneMatch: '"b"' })
  t.end()
})

void test('no field is both kept and dropped, and none is invented', (t) => {
  const name = fc.constantFrom(
    'Host',
    'TE',
    'X-A',
    'Connection',
    'Via',
    'Accept',
    'x'.repeat(300),
    'Cookie',
    '__proto__',
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(name, fc.constantFrom('a', 'X-A', 'close', '')), { maxLength: 8 }), (pairs) => {
      const { kept } = readRequestFields(pairs.flat())
      const before = pairs.filter(([key]) => key !== 'Cookie').map((pair) => pair.join(':'))
      for (let i = 0; i < kept.length; i += 2) {
        if (kept[i] === 'cookie') continue
        const index = before.indexOf(`${kept[i]}:${kept[i + 1]}`)
        if (index === -1) throw new Error(`${kept[i]} is not what came`)
        before.splice(0, index + 1)
      }
    }),
  )
  t.end()
})
