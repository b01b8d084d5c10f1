import { t as root, test, type Test } from 'tap'
import { gatewayBefore, PATIENCE } from '../helper.ts'

/**
 * Refused with 400 and a closed connection, with nothing sent upstream. Each row: a name, and the exact bytes.
 * What follows the bytes on the connection must not be taken for another request.
 */
type Row = [name: string, bytes: string]

const get = (fields: string, path = '/'): string => `GET ${path} HTTP/1.1\r\n${fields}\r\n`
const post = (fields: string, body: string): string => `POST / HTTP/1.1\r\nHost: x.test\r\n${fields}\r\n${body}`

const HOST: Row[] = [
  ['no Host', get('')],
  ['two Hosts', get('Host: a.test\r\nHost: b.test\r\n')],
  ['the same Host twice', get('Host: a.test\r\nHost: a.test\r\n')],
  ['an empty Host', get('Host:\r\n')],
  ['a list of Hosts', get('Host: a.test, b.test\r\n')],
  ['Host with a space', get('Host: a b\r\n')],
  ['Host with a path', get('Host: a.test/x\r\n')],
  ['Host with a scheme', get('Host: http://a.test\r\n')],
  ['Host with user information', get('Host: user@a.test\r\n')],
  ['Host with a query', get('Host: a.test?x\r\n')],
  ['Host with a port that is none', get('Host: a.test:http\r\n')],
  ['Host with a port out of range', get('Host: a.test:65536\r\n')],
  ['Host with two ports', get('Host: a.test:80:80\r\n')],
  ['Host with an open bracket', get('Host: [::1\r\n')],
  ['Host with a bracket too many', get('Host: a.test]\r\n')],
  ['Host with bytes above ASCII', get('Host: caf\xe9.test\r\n')],
  ['Host with a backslash', get('Host: a.test\\b\r\n')],
  ['Host hidden behind a space', get('Host : a.test\r\n')],
]

const FRAMING: Row[] = [
  ['two different lengths', post('Content-Length: 3\r\nContent-Length: 4\r\n', 'abc')],
  ['the same length twice', post('Content-Length: 3\r\nContent-Length: 3\r\n', 'abc')],
  ['a list of lengths', post('Content-Length: 3, 3\r\n', 'abc')],
  ['length and chunked', post('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
  ['chunked and length', post('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n', '0\r\n\r\n')],
  ['two Transfer-Encodings', post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
  ['chunked twice', post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n')],
  ['chunked not last', post('Transfer-Encoding: chunked, gzip\r\n', '0\r\n\r\n')],
  ['an unknown coding', post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')],
  ['identity', post('Transfer-Encoding: identity\r\n', '')],
  ['an empty coding', post('Transfer-Encoding:\r\n', '0\r\n\r\n')],
  ['chunked behind a control character', post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n')],
  ['Transfer-Encoding hidden behind a space', post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n')],
  ['a signed length', post('Content-Length: +3\r\n', 'abc')],
  ['a negative length', post('Content-Length: -3\r\n', 'abc')],
  ['a hexadecimal length', post('Content-Length: 0x3\r\n', 'abc')],
  ['a length with a space in it', post('Content-Length: 3 3\r\n', 'abc')],
  ['an empty length', post('Content-Length:\r\n', 'abc')],
  ['a length beyond 64 bits', post('Content-Length: 99999999999999999999\r\n', 'abc')],
  ['a chunked body in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: x.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
]

const SYNTAX: Row[] = [
  ['NUL in a value', get('Host: x.test\r\nX-A: a\0b\r\n')],
  ['a control character in a value', get('Host: x.test\r\nX-A: a\x01b\r\n')],
  ['DEL in a value', get('Host: x.test\r\nX-A: a\x7fb\r\n')],
  ['a bare CR in a value', get('Host: x.test\r\nX-A: a\rX-B: b\r\n')],
  ['a bare LF between fields', get('Host: x.test\nX-A: b\r\n')],
  ['a folded line', get('Host: x.test\r\nX-A: a\r\n b\r\n')],
  ['a field name with a space', get('Host: x.test\r\nX A: a\r\n')],
  ['a field name with a bracket', get('Host: x.test\r\nX(A): a\r\n')],
  ['a field without a name', get('Host: x.test\r\n: a\r\n')],
  ['a line without a colon', get('Host: x.test\r\nnonsense\r\n')],
  ['a space before the first field', get(' Host: x.test\r\n')],
  ['an HTTP version of three digits', 'GET / HTTP/1.10\r\nHost: x.test\r\n\r\n'],
  ['an unknown major version', 'GET / HTTP/3.0\r\nHost: x.test\r\n\r\n'],
  ['a method with a control character', 'G\x01T / HTTP/1.1\r\nHost: x.test\r\n\r\n'],
]

const path = (target: string): Row => [JSON.stringify(target), get('Host: x.test\r\n', target)]
const PATHS: Row[] = [
  ...['/a%00b', '/a\0b', '/a\\b', '/a%5Cb', '/%zz', '/%', '/a%2', '/a%u0041', '/..', '/../a', '/a/../../b'].map(path),
  ...['/%2e%2e/a', '/a/%2E%2E/..', '/a#b', '/a\tb', '/a b', '/a\x01', '/a\x7f', '/a?b\x01', 'a', '*', '?x'].map(path),
]

/** One gateway for all rows: what a refused request leaves behind, the next must not feel. */
let started: ReturnType<typeof gatewayBefore> | undefined
const shared = (): ReturnType<typeof gatewayBefore> =>
  (started ??= gatewayBefore(root, (exchange) => exchange.respond()))

async function refused(t: Test, bytes: string): Promise<void> {
  const { gateway, upstream } = await shared()
  const before = upstream.requests.length
  const raw = await gateway.raw()
  // Whoever reads on after the refused request would find a valid one.
  const response = await raw.exchange(`${bytes}GET /smuggled HTTP/1.1\r\nHost: x.test\r\n\r\n`)
  t.equal(response.status, 400)
  t.equal(response.get('connection')?.toLowerCase(), 'close')
  const ending = await raw.ended()
  t.notOk(ending.broken)
  t.equal(raw.unasked().toString('latin1'), '', 'no second answer')
  t.equal(upstream.requests.length, before, 'nothing was sent upstream')
}

for (const [subject, rows] of Object.entries({ Host: HOST, framing: FRAMING, syntax: SYNTAX, path: PATHS })) {
  for (const [name, bytes] of rows) {
    void test(`refused for its ${subject}, closed, nothing sent upstream: ${name}`, { timeout: PATIENCE }, (t) =>
      refused(t, bytes),
    )
  }
}

const BAD_CHUNKS: Row[] = [
  ['a chunk size that is none', 'zz\r\nabc\r\n'],
  ['a chunk size with a prefix', '0x3\r\nabc\r\n'],
  ['a negative chunk size', '-3\r\nabc\r\n'],
  ['a chunk size beyond 64 bits', 'fffffffffffffffff\r\nabc\r\n'],
  ['a chunk that is longer than it says', '2\r\nabc\r\n'],
  ['a chunk size that ends in a bare LF', '3\nabc\r\n'],
  ['a control character in a chunk extension', '3;a\x01b\r\nabc\r\n'],
]
for (const [name, chunk] of BAD_CHUNKS) {
  void test(`a chunked body is never passed on as complete with ${name}`, { timeout: PATIENCE }, async (t) => {
    const { gateway, upstream } = await shared()
    const before = upstream.requests.length
    const raw = await gateway.raw()
    const answer = raw.expect('POST')
    await raw.send('POST /chunked HTTP/1.1\r\nHost: x.test\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n')
    const { connection } = await upstream.received(before + 1)
    await raw.send(`${chunk}0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x.test\r\n\r\n`)
    await raw.ended()
    if ((await answer.ending()) === 'complete') t.equal((await answer.whole()).status, 400)
    await upstream.closed(connection)
    t.notOk(upstream.requests[before]?.complete, 'the upstream never saw it end')
    t.equal(upstream.requests.length, before + 1)
  })
}
