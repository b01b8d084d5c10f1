import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { createSecureServer, type ServerHttp2Stream } from 'node:http2'
import { createServer as createRawServer, type AddressInfo, type Server } from 'node:net'
import { test, type Test } from 'tap'
import { percentile, type OpenClient } from '../../bench/load/client.ts'
import { headerBlocks, statusOf } from '../../bench/load/hpack.ts'
import { openHttp1 } from '../../bench/load/http1.ts'
import { openHttp2 } from '../../bench/load/http2.ts'
import type { Request, Traffic } from '../../bench/scenarios/scenario.ts'
import { testCertificate } from '../certificate.ts'

/** What the benchmark's own clients count, against Node's own servers. */

const REQUEST: Request = {
  name: 'hits',
  method: 'GET',
  path: '/a',
  fields: { accept: '*/*', 'user-agent': 'bench'.repeat(30) },
  body: null,
  answer: { status: 200, bodyBytes: 5 },
  reachesOrigin: false,
}

const traffic = (client: Traffic['client'], ...requests: Request[]): Traffic => ({
  client,
  connections: 3,
  streams: client === 'http2' ? 2 : 1,
  requests,
})

async function listen(t: Test, server: Server, scheme = 'http'): Promise<URL> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return new URL(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

async function run(t: Test, open: OpenClient, { base, load }: { base: URL; load: Traffic }, requests = 40) {
  const client = await open(base, load)
  t.teardown(() => client.close())
  return client.run(requests)
}

const plain = (t: Test, listener: RequestListener): Promise<URL> => listen(t, createServer(listener))

void test('over HTTP/1.1 every answer is counted, on connections that are used again', async (t) => {
  const seen = new Set<string>()
  const sockets = new Set<unknown>()
  const base = await plain(t, (request, response) => {
    sockets.add(request.socket)
    seen.add(`${request.method} ${request.url} ${request.headers.accept}`)
    response.setHeader('content-length', 5).end('hello')
  })
  const result = await run(t, openHttp1, { base, load: traffic('http1', REQUEST) })
  t.match(result, { succeeded: 40, failed: 0, fault: null, forOrigin: 0, kinds: [] })
  t.ok(result.p50Ms > 0 && result.p99Ms >= result.p50Ms && result.seconds > 0)
  t.strictSame([...seen], ['GET /a */*'])
  t.equal(sockets.size, 3)
})

void test('kinds are sent by turns, each with latencies of its own; what is unique is never asked for twice', async (t) => {
  const paths: string[] = []
  const firsts = new Map<unknown, boolean>()
  const base = await plain(t, (request, response) => {
    paths.push(request.url ?? '')
    if (!firsts.has(request.socket)) firsts.set(request.socket, request.url === '/a')
    response.setHeader('content-length', 5).end('hello')
  })
  const miss: Request = { ...REQUEST, name: 'misses', path: '/a/', unique: true, reachesOrigin: true }
  const { succeeded, forOrigin, kinds } = await run(t, openHttp1, { base, load: traffic('http1', REQUEST, miss) })
  const misses = paths.filter((path) => path !== '/a')
  t.equal(succeeded, 40)
  t.equal(forOrigin, misses.length)
  t.ok(Math.abs(misses.length - 20) <= 3, 'about half, a connection may end on either')
  t.equal(new Set(misses).size, misses.length)
  t.strictSame(
    [...firsts.values()].toSorted((a, b) => Number(a) - Number(b)),
    [false, true, true],
    'neighbours begin with another kind',
  )
  t.strictSame(
    kinds.map(({ name }) => name),
    ['hits', 'misses'],
  )
})

void test('where it is to be even, a connection that is answered last gets as many requests', async (t) => {
  const OTHERS = 28
  const asked = new Map<unknown, number>()
  const held: (() => void)[] = []
  let answered = 0
  const base = await plain(t, (request, response) => {
    asked.set(request.socket, (asked.get(request.socket) ?? 0) + 1)
    const answer = (): void => void response.setHeader('content-length', 5).end('hello')
    const isFirst = asked.keys().next().value === request.socket
    if (isFirst && answered < OTHERS) return void held.push(answer)
    answer()
    if (!isFirst && ++answered === OTHERS) for (const one of held) one()
  })
  const load: Traffic = { ...traffic('http1', REQUEST), even: true }
  t.match(await run(t, openHttp1, { base, load }, 42), { succeeded: 42, failed: 0 })
  t.strictSame([...asked.values()], [14, 14, 14])
})

void test('HEAD and 304 have no body to wait for, and POST brings one', async (t) => {
  const base = await plain(t, (request, response) => {
    if (request.method === 'POST') return void request.pipe(response.writeHead(200, { 'content-length': 5 }))
    response.writeHead(request.headers['if-none-match'] === undefined ? 200 : 304, { 'content-length': 1024 }).end()
  })
  const head: Request = { ...REQUEST, method: 'HEAD', answer: { status: 200, bodyBytes: 0 } }
  const unchanged: Request = { ...REQUEST, fields: { 'if-none-match': '"a"' }, answer: { status: 304, bodyBytes: 0 } }
  const post: Request = { ...REQUEST, method: 'POST', body: 'hello' }
  for (const request of [head, unchanged, post]) {
    t.match(await run(t, openHttp1, { base, load: traffic('http1', request) }), { succeeded: 40, failed: 0 })
  }
})

void test('a head in pieces, and a connection that closes after each answer, are taken as they come', async (t) => {
  const server = createRawServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write('HTTP/1.1 200 OK\r\nContent-')
      setImmediate(() => socket.end('Length: 5\r\nConnection: close\r\n\r\nhello'))
    })
  })
  const base = await listen(t, server)
  t.match(await run(t, openHttp1, { base, load: traffic('http1', REQUEST) }), { succeeded: 40, failed: 0 })
})

void test('what is not answered as it has to be fails, and the first reason is told', async (t) => {
  const faults: [string, RequestListener][] = [
    ['status 503 instead of 200', (_, response) => response.writeHead(503, { 'content-length': 5 }).end('hello')],
    ['a body of 4 bytes instead of 5', (_, response) => response.setHeader('content-length', 4).end('hell')],
    ['a body of NaN bytes instead of 5', (_, response) => response.writeHead(200).end('hello')],
    ['the connection was closed before the answer', (request) => request.socket.end()],
  ]
  for (const [fault, listener] of faults) {
    const base = await plain(t, listener)
    t.match(await run(t, openHttp1, { base, load: traffic('http1', REQUEST) }, 12), { succeeded: 0, failed: 12, fault })
  }
})

async function secure(t: Test, onStream: (stream: ServerHttp2Stream, fields: IncomingHttpHeaders) => void) {
  const server = createSecureServer(await testCertificate())
  server.on('stream', onStream)
  server.on('sessionError', () => {})
  return listen(t, server, 'https')
}

void test('over HTTP/2 a server reads the same fields from the first request and from the later ones', async (t) => {
  const seen = new Set<string>()
  let sessions = 0
  const base = await secure(t, (stream, fields) => {
    if (stream.id === 1) sessions++
    seen.add(JSON.stringify(fields))
    stream.respond({ ':status': 200 })
    stream.end('hello')
  })
  const result = await run(t, openHttp2, { base, load: traffic('http2', REQUEST) })
  t.match(result, { succeeded: 40, failed: 0, fault: null })
  t.equal(sessions, 3)
  const pseudo = { ':method': 'GET', ':scheme': 'https', ':authority': base.host, ':path': '/a' }
  t.strictSame(
    [...seen].map((fields) => JSON.parse(fields) as unknown),
    [{ ...pseudo, ...REQUEST.fields }],
  )
})

void test('over HTTP/2 resets, other statuses, other lengths and closed connections fail', async (t) => {
  const faults: [string, (stream: ServerHttp2Stream) => void][] = [
    ['status 404 instead of 200', (stream) => stream.respond({ ':status': 404 }, { endStream: true })],
    ['a body of 0 bytes instead of 5', (stream) => stream.respond({ ':status': 200 }, { endStream: true })],
    ['the stream was reset: 7', (stream) => stream.close(7)],
    ['the connection was closed before the answer', (stream) => stream.session?.destroy()],
  ]
  for (const [fault, onStream] of faults) {
    const base = await secure(t, (stream) => {
      stream.on('error', () => {})
      onStream(stream)
    })
    t.match(await run(t, openHttp2, { base, load: traffic('http2', REQUEST) }, 12), { succeeded: 0, failed: 12, fault })
  }
})

void test('HPACK: places, long integers and changes of the table in front of a status', (t) => {
  const { first, later } = headerBlocks([
    [':method', 'GET'],
    ['a', 'x'.repeat(300)],
    ['b', ''],
  ])
  t.strictSame([...later], [0x82, 0x80 | 63, 0x80 | 62])
  t.strictSame([...first.subarray(0, 6)], [0x82, 0x40, 1, 0x61, 127, 173])
  t.strictSame([first[6], first.length], [1, 6 + 1 + 300 + 4])
  t.throws(() => headerBlocks([['a', 'x'.repeat(4_096)]]), RangeError)
  t.equal(statusOf(Buffer.from([0x88])), 200)
  t.equal(statusOf(Buffer.from([0x20, 0x3f, 0xe1, 0x1f, 0x8b])), 304)
  t.ok(Number.isNaN(statusOf(Buffer.from([0x48]))))
  t.end()
})

void test('a percentile is the least value that so many do not exceed', (t) => {
  const values = Float64Array.from({ length: 200 }, (_, i) => i + 1)
  t.strictSame([percentile(values, 0.5), percentile(values, 0.99)], [100, 198])
  t.equal(percentile(Float64Array.of(3), 0.99), 3)
  t.ok(Number.isNaN(percentile(new Float64Array(), 0.5)))
  t.end()
})
