import fc from 'fast-check'
import { createServer } from 'node:http'
import { Duplex } from 'node:stream'
import { test } from 'tap'
import { endsWithEmptyLine, readPlainHead } from '../../../services/http/plain-head.ts'

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')

void test('one plain request, whole', (t) => {
  const head = readPlainHead(
    bytes('GET /a?b=%20&c HTTP/1.1\r\nHost: a.test:80\r\nX-Blank:\r\nX-Padded: \t a b\t \r\nAccept: \xe9\r\n\r\n'),
    100,
  )
  t.match(head, { method: 'GET', target: '/a?b=%20&c', fields: { host: 'a.test:80', hostCount: 1 } })
  t.same(head?.fields.kept, ['X-Blank', '', 'X-Padded', 'a b', 'Accept', '\xe9'])
  t.match(readPlainHead(bytes('HEAD / HTTP/1.1\r\nConnection: Keep-Alive\r\n\r\n'), 1), { method: 'HEAD' })
  t.end()
})

const LINES = { field: 'Host: a', name: 'X-A: b' }

for (const [what, text] of [
  ['a part of a head', `GET / HTTP/1.1\r\n${LINES.field}\r\n`],
  ['two heads', `GET / HTTP/1.1\r\n${LINES.field}\r\n\r\nGET / HTTP/1.1\r\n${LINES.field}\r\n\r\n`],
  ['a head and a part of another', `GET / HTTP/1.1\r\n${LINES.field}\r\n\r\nGET / HTTP/1.1\r\n`],
  ['an empty line before it', `\r\nGET / HTTP/1.1\r\n${LINES.field}\r\n\r\n`],
  ['no fields', 'GET /aaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n\r\n'],
  ['another method', `POST / HTTP/1.1\r\n${LINES.field}\r\n\r\n`],
  ['a method in lower case', `get / HTTP/1.1\r\n${LINES.field}\r\n\r\n`],
  ['HTTP/1.0', `GET / HTTP/1.0\r\n${LINES.field}\r\n\r\n`],
  ['HTTP/1.10', `GET / HTTP/1.10\r\n${LINES.field}\r\n\r\n`],
  ['two spaces', `GET  / HTTP/1.1\r\n${LINES.field}\r\n\r\n`],
  ['a tab', `GET\t/ HTTP/1.1\r\n${LINES.field}\r\n\r\n`],
  ['a URL', `GET http://a/ HTTP/1.1\r\n${LINES.field}\r\n\r\n`],
  ['no path', `GET * HTTP/1.1\r\n${LINES.field}\r\n\r\n`],
  ['a byte over 0x7F in the target', `GET /\xe9 HTTP/1.1\r\n${LINES.field}\r\n\r\n`],
  ['a bare LF', `GET / HTTP/1.1\n${LINES.field}\r\n\r\n`],
  ['a bare LF between fields', `GET / HTTP/1.1\r\n${LINES.field}\n${LINES.name}\r\n\r\n`],
  ['a bare CR in a value', 'GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n'],
  ['a NUL in a value', 'GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n'],
  ['a DEL in a value', 'GET / HTTP/1.1\r\nHost: a\x7fb\r\n\r\n'],
  ['a folded line', 'GET / HTTP/1.1\r\nHost: a\r\n b: c\r\n\r\n'],
  ['a space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
  ['a name that is no token', 'GET / HTTP/1.1\r\nHo(st: a\r\n\r\n'],
  ['no name', 'GET / HTTP/1.1\r\n: a\r\n\r\n'],
  ['no colon', 'GET / HTTP/1.1\r\nHost a b\r\n\r\n'],
  ['a body to come', `GET / HTTP/1.1\r\n${LINES.field}\r\nContent-Length: 4\r\n\r\n`],
  ['a body of nothing', `GET / HTTP/1.1\r\n${LINES.field}\r\nContent-Length: 0\r\n\r\n`],
  ['a chunked body', `GET / HTTP/1.1\r\n${LINES.field}\r\nTransfer-Encoding: chunked\r\n\r\n`],
  ['an expectation', `GET / HTTP/1.1\r\n${LINES.field}\r\nExpect: 100-continue\r\n\r\n`],
  ['an upgrade', `GET / HTTP/1.1\r\n${LINES.field}\r\nUpgrade: h2c\r\n\r\n`],
  ['the last of its connection', `GET / HTTP/1.1\r\n${LINES.field}\r\nConnection: close\r\n\r\n`],
  ['a field that Connection names', `GET / HTTP/1.1\r\n${LINES.field}\r\nConnection: keep-alive, x-a\r\n\r\n`],
  ['more fields than wanted', `GET / HTTP/1.1\r\n${LINES.field}\r\n${LINES.name}\r\n${LINES.name}\r\n\r\n`],
  ['nothing', ''],
  ['an empty line', '\r\n\r\n'],
] as const) {
  void test(`left to Node's parser: ${what}`, (t) => {
    t.equal(readPlainHead(bytes(text), 2), undefined)
    t.end()
  })
}

void test('the empty line at the end', (t) => {
  for (const text of ['\r\n\r\n', 'a\r\n\r\n']) t.ok(endsWithEmptyLine(bytes(text)))
  for (const text of ['', '\n', '\r\n', '\n\r\n', '\n\n', '\r\n\r\na', '\r\n\n'])
    t.notOk(endsWithEmptyLine(bytes(text)))
  t.end()
})

interface Parsed {
  method: string
  target: string
  rawHeaders: string[]
}

/** What Node's parser makes of a chunk: its requests, and whether there was a fault. */
function parse(chunk: Buffer): { requests: Parsed[]; faulty: boolean } {
  const seen: { requests: Parsed[]; faulty: boolean } = { requests: [], faulty: false }
  const server = createServer({ requireHostHeader: false }, ({ method = '', url = '', rawHeaders }) => {
    seen.requests.push({ method, target: url, rawHeaders })
  })
  server.maxHeadersCount = 0
  server.on('clientError', () => (seen.faulty = true))
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  server.emit('connection', socket)
  // As its 'data' listener gets it: at once, and in one piece.
  socket.emit('data', chunk)
  socket.destroy()
  return seen
}

const name = fc.constantFrom(
  'Host',
  'Accept',
  'x-a',
  "x!#$%&'*+.^_`|~9",
  'Via',
  'Cookie',
  'TE',
  'Connection',
  'Content-Length',
)
const value = fc.oneof(
  fc.constantFrom('a', '', ' a', 'a \t', 'keep-alive', '0', 'a: b'),
  fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 12 }),
)
const line = fc.tuple(name, value).map(([n, v]) => `${n}:${v}\r\n`)
const plain = fc
  .tuple(
    fc.constantFrom('GET', 'HEAD'),
    fc.constantFrom('/', '/a/b?c=d', '*', 'http://a.test/b', '/%2F..', '/a"<>'),
    fc.array(line, { minLength: 1, maxLength: 6 }),
  )
  .map(([method, target, lines]) => `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`)
/** One place in it is another byte, or none, or two. */
const mutated = fc
  .tuple(
    plain,
    fc.nat(),
    fc.constantFrom('', '\r', '\n', '\r\n', ' ', '\t', ':', '\0', '\x7f', '\xff', 'x', '\r\n\r\n'),
    fc.boolean(),
  )
  .map(([text, at, put, replaces]) => {
    const index = at % (text.length - 4)
    return text.slice(0, index) + put + text.slice(replaces ? index + 1 : index)
  })

void test("what is read as plain, Node's parser reads as the same one request, to its last byte", (t) => {
  let read = 0
  fc.assert(
    fc.property(fc.oneof(plain, mutated), (text) => {
      const chunk = bytes(text)
      const head = readPlainHead(chunk, 100)
      if (head === undefined) return
      read++
      // What follows is a request of its own: no byte of the first is missing, and none is left.
      const { requests, faulty } = parse(Buffer.concat([chunk, bytes('DELETE /next HTTP/1.1\r\n\r\n')]))
      t.notOk(faulty, JSON.stringify(text))
      t.equal(requests.length, 2)
      const [first, next] = requests as [Parsed, Parsed]
      t.strictSame([first.method, first.target], [head.method, head.target])
      t.strictSame([next.method, next.target], ['DELETE', '/next'])
      const special = new Set(['host', 'via', 'cookie', 'te', 'connection'])
      const kept = (raw: readonly string[]): string[] =>
        raw.flatMap((text, i) => (special.has((raw[i - (i % 2)] as string).toLowerCase()) ? [] : [text]))
      t.strictSame(kept(head.fields.kept), kept(first.rawHeaders))
    }),
    { numRuns: 3_000 },
  )
  t.ok(read > 500, 'the property is about something')
  t.end()
})
