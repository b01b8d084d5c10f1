import { test } from 'tap'
import { connectRaw } from '../../raw-client.ts'
import { connectRawH2, headers, requestFields } from '../../raw-h2.ts'
import { startListener } from './start.ts'

const FRAMING: Record<string, string> = {
  'Content-Length with Transfer-Encoding': 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding with Content-Length': 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
  'two equal lengths': 'Content-Length: 1\r\nContent-Length: 1\r\n\r\na',
  'a list of lengths': 'Content-Length: 1, 1\r\n\r\na',
  'a signed length': 'Content-Length: +1\r\n\r\na',
  'an endless length': 'Content-Length: 99999999999999999999999\r\n\r\na',
  'chunked twice': 'Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n',
  'a coding after chunked': 'Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
  'an empty coding': 'Transfer-Encoding:\r\n\r\n0\r\n\r\n',
}

const SYNTAX: Record<string, string> = {
  'bare LF': 'POST / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n',
  'a folded line': 'GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n',
  'NUL in a value': 'GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n',
  'CR in a value': 'GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n',
  'a space before the colon': 'GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n',
  'no colon': 'GET / HTTP/1.1\r\nHost: a\r\nfoo\r\n\r\n',
  'an unknown method': 'FOO / HTTP/1.1\r\nHost: a\r\n\r\n',
  'an unknown version': 'GET / HTTP/1.2\r\nHost: a\r\n\r\n',
  'control characters in the target': 'GET /a\x01b HTTP/1.1\r\nHost: a\r\n\r\n',
  'a TLS hello': '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03',
}

const VERSIONS: Record<string, string> = {
  'HTTP/0.9': 'GET / HTTP/0.9\r\nHost: a\r\n\r\n',
  'no version': 'GET /\r\n\r\n',
  'HTTP/2.0 in an HTTP/1 line': 'GET / HTTP/2.0\r\nHost: a\r\n\r\n',
}

const cases: [string, string, string][] = [
  ...Object.entries(FRAMING).map(([name, rest]): [string, string, string] => [
    name,
    `POST / HTTP/1.1\r\nHost: a\r\n${rest}`,
    'HR_REQUEST_FRAMING',
  ]),
  ...Object.entries(SYNTAX).map(([name, bytes]): [string, string, string] => [name, bytes, 'HR_REQUEST_MALFORMED']),
  ...Object.entries(VERSIONS).map(([name, bytes]): [string, string, string] => [name, bytes, 'HR_REQUEST_VERSION']),
]

void test('a malformed request is answered 400 as a problem document, and its connection closed', async (t) => {
  const { port, handlers, listener } = await startListener(t)
  for (const [name, bytes, code] of cases) {
    const raw = await connectRaw(t, { port })
    const response = await raw.exchange(bytes)
    t.equal(response.status, 400, name)
    t.match(response.get('content-type'), 'application/problem+json', name)
    t.equal(response.get('connection'), 'close', name)
    const problem = {
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      code,
      detail: /./,
      requestId: /^[0-9a-f-]{36}$/,
    }
    t.match(JSON.parse(response.body.toString()), problem, name)
    t.same(await raw.ended(), { how: 'fin', broken: false }, name)
  }
  t.same(handlers.seen, [])
  t.equal(listener.counters.malformed.HR_REQUEST_MALFORMED, Object.keys(SYNTAX).length)
})

void test('a head that is too large or has too many fields is 431, however much of it is still on its way', async (t) => {
  const { port, handlers } = await startListener(t, { limits: { headerBytes: 4_096, headerCount: 20 } })
  for (const fields of [`X: ${'x'.repeat(500_000)}\r\n`, 'X: y\r\n'.repeat(30)]) {
    const raw = await connectRaw(t, { port })
    const response = await raw.exchange(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`)
    t.equal(response.status, 431)
    t.match(JSON.parse(response.body.toString()), { code: 'HR_REQUEST_HEAD_TOO_LARGE' })
  }
  t.same(handlers.seen, [])
})

void test('the answer to a malformed pipelined request waits for the answers before it', async (t) => {
  const { port, handlers } = await startListener(t)
  const raw = await connectRaw(t, { port })
  const first = raw.expect()
  const second = raw.expect()
  await raw.send('GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGARBAGE\0\r\n\r\n')
  await handlers.arrived()
  handlers.release()
  t.equal((await first.whole()).status, 200)
  t.equal((await second.whole()).status, 400)
  t.same(await raw.ended(), { how: 'fin', broken: false })
})

void test('garbage in the body of a request without an answer is 400, and the handler sees the client leave', async (t) => {
  const { port, handlers } = await startListener(t)
  const raw = await connectRaw(t, { port })
  const answer = raw.expect('POST')
  await raw.send('POST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n')
  t.equal((await answer.whole()).status, 400)
  t.same(await raw.ended(), { how: 'fin', broken: false })
  handlers.release()
})

void test('a client that leaves in the middle of a head gets no answer and does no harm', async (t) => {
  const { port, listener } = await startListener(t)
  const raw = await connectRaw(t, { port })
  await raw.send('GET / HTTP/1.1\r\nHo')
  raw.reset()
  await raw.ended()
  const next = await connectRaw(t, { port })
  t.equal((await next.exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200)
  t.same(listener.counters.malformed, {})
})

void test('a malformed HTTP/2 head resets its stream, a foreign host is 400, and the session lives on', async (t) => {
  const { port, handlers, listener } = await startListener(t, { options: { h2c: true } })
  const h2 = await connectRawH2(t, { port })
  h2.send(
    headers(1, requestFields([['connection', 'close']])),
    headers(3, requestFields([['http2-settings', 'AAA']])),
    headers(5, requestFields([['host', 'other.test']])),
    headers(7, requestFields([], { ':method': 'get' })),
    headers(9, requestFields()),
  )
  t.same(await h2.outcome(1), { reset: 1 })
  t.same(await h2.outcome(3), { reset: 1 }, 'which nghttp2 would let through')
  t.same(await h2.outcome(5), { status: 400 })
  t.same(await h2.outcome(7), { status: 400 })
  t.same(await h2.outcome(9), { status: 200 })
  t.same(handlers.seen, ['/'])
  t.same(listener.counters.malformed, { HR_REQUEST_FIELD: 1, HR_REQUEST_HOST: 1, HR_REQUEST_METHOD: 1 })
})

void test('too many or too large fields are 431 on HTTP/2 too', async (t) => {
  const { port } = await startListener(t, { options: { h2c: true }, limits: { headerBytes: 2_000, headerCount: 20 } })
  const many = Array.from({ length: 22 }, (_, index): [string, string] => [`x-${index}`, 'y'])
  const large = Array.from({ length: 18 }, (_, index): [string, string] => [`x-${index}`, 'y'.repeat(120)])
  for (const fields of [many, large]) {
    const h2 = await connectRawH2(t, { port })
    h2.send(headers(1, requestFields(fields)), headers(3, requestFields()))
    t.same(await h2.outcome(1), { status: 431 })
    t.same(await h2.outcome(3), { status: 200 })
  }
})
