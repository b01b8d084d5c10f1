import type { LookupOptions } from 'node:dns'
import { readFileSync } from 'node:fs'
import { connect, type ServerHttp2Stream } from 'node:http2'
import { get } from 'node:https'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { test } from 'tap'
import { writeCertificate } from '../../certificate.ts'
import { connectClient } from '../../client.ts'
import { connectRaw, rawSocket } from '../../raw-client.ts'
import { connectRawH2, FRAME, headers, requestFields } from '../../raw-h2.ts'
import type { Field } from '../../wire.ts'
import { Handlers, startListener } from './start.ts'

void test('HTTP/1.1 and HTTP/2 with prior knowledge share a cleartext port', async (t) => {
  const { port, address, handlers } = await startListener(t, { options: { h2c: true } })
  t.same(address.protocols, ['http/1.1', 'h2c'])
  for (const protocol of ['h1', 'h2c'] as const) {
    const client = await connectClient(t, { cleartext: port, tls: 0 }, protocol)
    const response = await client.request({ path: `/${protocol}` })
    t.equal(response.status, 200)
    t.equal(response.body.toString(), 'hello')
  }
  t.same(handlers.seen, ['/h1', '/h2c'])
})

void test('a preface or a request that comes byte by byte gets to its protocol', async (t) => {
  const { port, handlers } = await startListener(t, { options: { h2c: true } })
  const h1 = await connectRaw(t, { port })
  const answer = h1.expect()
  for (const byte of 'PRX / HTTP/1.1\r\n') await h1.send(byte)
  t.equal((await answer.whole()).status, 400, 'not the preface: an HTTP/1 request with an unknown method')
  const h2 = await rawSocket(t, { port })
  const settings = new Promise<Buffer>((resolve) => h2.once('data', resolve))
  for (const byte of 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0') h2.write(byte)
  t.equal((await settings)[3], 4, 'SETTINGS')
  t.same(handlers.seen, [])
})

void test('a large first write that is not the preface is not lost', async (t) => {
  const { port } = await startListener(t, { options: { h2c: true } })
  const client = await connectClient(t, { cleartext: port, tls: 0 }, 'h1')
  const response = await client.request({ method: 'POST', path: '/', body: Buffer.alloc(1_000_000) })
  t.equal(response.status, 200)
})

void test('without h2c the preface is refused as HTTP/1', async (t) => {
  const { port } = await startListener(t)
  const raw = await connectRaw(t, { port })
  t.equal((await raw.exchange('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')).status, 400)
})

void test('ALPN chooses HTTP/2 or HTTP/1.1 over TLS', async (t) => {
  const files = await writeCertificate(t.testdir())
  const { port, address, handlers } = await startListener(t, { options: { tls: [{ ...files, servername: null }] } })
  t.same(address.protocols, ['h2', 'http/1.1'])
  t.match(address.url, /^https:\/\/127\.0\.0\.1:\d+$/)
  for (const protocol of ['h2', 'h1-tls'] as const) {
    const client = await connectClient(t, { cleartext: 0, tls: port }, protocol)
    t.equal((await client.request({ path: `/${protocol}` })).status, 200)
  }
  t.same(handlers.seen, ['/h2', '/h1-tls'])
})

void test('a client that offers no common protocol fails its handshake, and the listener lives on', async (t) => {
  const files = await writeCertificate(t.testdir())
  const { port, listener } = await startListener(t, {
    options: { tls: [{ ...files, servername: null }], http2: false },
  })
  await t.rejects(rawSocket(t, { port, tls: 'h2' }))
  t.equal(listener.counters.tlsFailed, 1)
  const client = await connectClient(t, { cleartext: 0, tls: port }, 'h1-tls')
  t.equal((await client.request({ path: '/' })).status, 200)
})

void test('what the lane declines goes to the fallback, by the compatibility layer on HTTP/2', async (t) => {
  const { port, handlers } = await startListener(t, { options: { h2c: true } })
  handlers.declined.add('/docs')
  for (const protocol of ['h1', 'h2c'] as const) {
    const client = await connectClient(t, { cleartext: port, tls: 0 }, protocol)
    t.equal((await client.request({ path: '/docs' })).body.toString(), 'fallback')
  }
})

void test('Expect: 100-continue reaches the lane and the fallback with no 100 written', async (t) => {
  const { port, handlers } = await startListener(t, { options: { h2c: true } })
  handlers.declined.add('/docs')
  for (const path of ['/', '/docs']) {
    const raw = await connectRaw(t, { port })
    const bytes = `POST ${path} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\nConnection: close\r\n\r\n`
    t.same((await raw.exchange(bytes, 'POST')).informational, [], path)
    const client = await connectClient(t, { cleartext: port, tls: 0 }, 'h2c')
    const fields: Field[] = [
      ['Expect', '100-continue'],
      ['Content-Length', '1'],
    ]
    const { response } = await client.open({ method: 'POST', path, streamBody: true, fields })
    t.equal((await response.head()).status, 200)
    t.same(response.informational, [], path)
  }
})

void test('another expectation is 417; CONNECT 405; a WebSocket upgrade 501; other upgrades are ignored', async (t) => {
  const { port, handlers, listener } = await startListener(t)
  const cases: [number, string][] = [
    [417, 'POST / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\nContent-Length: 0\r\n\r\n'],
    [405, 'CONNECT b.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n'],
    [501, 'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n'],
  ]
  for (const [status, request] of cases) {
    const raw = await connectRaw(t, { port })
    const response = await raw.exchange(request)
    t.equal(response.status, status)
    t.match(response.get('content-type'), 'application/problem+json')
    t.match(JSON.parse(response.body.toString()), { status, code: /^HR_/, requestId: /./ })
    t.same(await raw.ended(), { how: 'fin', broken: false })
  }
  t.same(handlers.seen, [])
  t.equal(listener.counters.unsupported, 3)
  const raw = await connectRaw(t, { port })
  const h2c =
    'GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n\r\n'
  t.equal((await raw.exchange(h2c)).status, 200)
})

const OFFER = 'Host: a\r\nConnection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: A\r\n'

void test('a connection is kept after an upgrade that was ignored', async (t) => {
  const files = await writeCertificate(t.testdir())
  for (const options of [{}, { h2c: true }, { tls: [{ ...files, servername: null }] }]) {
    const { port, handlers } = await startListener(t, { options })
    const raw = await connectRaw(t, options.tls === undefined ? { port } : { port, tls: 'http/1.1' })
    t.equal((await raw.exchange(`GET /1 HTTP/1.1\r\n${OFFER}\r\n`)).get('connection'), 'keep-alive')
    t.equal((await raw.exchange(`POST /2 HTTP/1.1\r\n${OFFER}Content-Length: 3\r\n\r\nabc`)).status, 200)
    // The body in a read of its own, and in two.
    for (const pieces of [['abc'], ['a', 'bc']]) {
      const answer = raw.expect()
      await raw.send(`POST /3 HTTP/1.1\r\n${OFFER}Content-Length: 3\r\n\r\n`)
      for (const piece of pieces) await raw.send(piece)
      t.equal((await answer.whole()).status, 200)
    }
    t.equal((await raw.exchange('GET /4 HTTP/1.1\r\nHost: a\r\n\r\n')).status, 200)
    t.same(handlers.seen, ['/1', '/2', '/3', '/3', '/4'])
  }
})

void test('what comes in one read with an upgrade that is ignored is never taken for another request', async (t) => {
  const NEXT = 'POST /next HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\nGET /rest HTTP/1.1\r\nHost: a\r\n\r\n'
  const cases: [name: string, reads: string[]][] = [
    ['a whole request', [`GET /1 HTTP/1.1\r\n${OFFER}\r\n${NEXT}`]],
    ['a part of one', [`GET /1 HTTP/1.1\r\n${OFFER}\r\n${NEXT.slice(0, 61)}`, NEXT.slice(61)]],
    ['behind a body', [`POST /1 HTTP/1.1\r\n${OFFER}Content-Length: 3\r\n\r\nabc${NEXT.slice(0, 61)}`, NEXT.slice(61)]],
    ['behind a chunked one', [`POST /1 HTTP/1.1\r\n${OFFER}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${NEXT}`]],
  ]
  for (const [name, reads] of cases) {
    const { port, handlers } = await startListener(t)
    const raw = await connectRaw(t, { port })
    const answer = raw.expect()
    for (const read of reads) await raw.send(read)
    t.equal((await answer.whole()).body.toString(), 'hello', name)
    t.equal((await answer.head()).get('connection'), 'close')
    t.equal((await raw.ended()).broken, false)
    t.same(handlers.seen, ['/1'], name)
  }
})

void test('so it is where the body comes in a later read, and its answer before it', async (t) => {
  const { port, handlers } = await startListener(t)
  const raw = await connectRaw(t, { port })
  const answer = raw.expect()
  await raw.send(`POST /1 HTTP/1.1\r\n${OFFER}Content-Length: 3\r\n\r\n`)
  await answer.whole()
  await raw.send('abcGET /lost HTTP/1.1\r\nHost: a\r\n\r\n')
  t.equal((await raw.ended()).how, 'fin')
  t.same(handlers.seen, ['/1'])
})

void test('CONNECT is 405 on HTTP/2 too', async (t) => {
  const { port, handlers } = await startListener(t, { options: { h2c: true } })
  const h2 = await connectRawH2(t, { port })
  h2.send(
    headers(1, [
      [':method', 'CONNECT'],
      [':authority', 'b.example:443'],
    ]),
  )
  t.same(await h2.outcome(1), { status: 405 })
  t.same(handlers.seen, [])
})

void test('a port that is taken is named, with what to do', async (t) => {
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  await t.rejects(startListener(t, { options: { port } }), {
    code: 'HR_LISTENER_PORT_IN_USE',
    message: new RegExp(`Port ${port} on 127\\.0\\.0\\.1 .*listen\\.port`),
  })
})

void test('an address of another machine is explained', async (t) => {
  await t.rejects(startListener(t, { options: { host: '192.0.2.1' } }), { code: 'HR_LISTENER_ADDRESS' })
})

void test('the development certificate serves localhost, and its public half verifies it', async (t) => {
  const dataDir = join(t.testdir(), '.headrace')
  const { port } = await startListener(t, { options: { tls: 'development' }, context: { dataDir } })
  const ca = readFileSync(join(dataDir, 'development.crt'))
  const session = connect(`https://localhost:${port}`, {
    ca,
    lookup: (_name, options, done) => localhost(options, done),
  })
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': '/' })
  t.equal(await new Promise((resolve) => stream.once('response', (head) => resolve(head[':status']))), 200)
  const status = await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, ca, agent: false }, (response) => resolve(response.resume().statusCode)).on(
      'error',
      reject,
    )
  })
  t.equal(status, 200, 'by address, verified against it')
})

/** `localhost` is 127.0.0.1 here, where a machine may prefer ::1. */
function localhost(options: LookupOptions, done: (error: null, address: never, family?: number) => void): void {
  if (options.all === true) done(null, [{ address: '127.0.0.1', family: 4 }] as never)
  else done(null, '127.0.0.1' as never, 4)
}

void test('what a handler throws is a 500, and the next request is answered', async (t) => {
  const handlers = new Handlers()
  const broke: unknown[] = []
  const { port } = await startListener(t, {
    options: { h2c: true },
    context: {
      handlers: {
        head: null,
        request: (request, response) => handlers.request(request, response),
        stream: (stream, head) => handlers.stream(stream, head),
        fallback: () => {
          throw new TypeError('a bug')
        },
        broke: (_request, error) => {
          broke.push(error)
          return false
        },
      },
    },
  })
  handlers.declined.add('/bug')
  for (const protocol of ['h1', 'h2c'] as const) {
    const client = await connectClient(t, { cleartext: port, tls: 0 }, protocol)
    const response = await client.request({ path: '/bug' })
    t.equal(response.status, 500, protocol)
    t.match(JSON.parse(response.body.toString()), { code: 'HR_INTERNAL' })
    t.equal((await client.request({ path: '/' })).status, 200)
  }
  t.match(broke, [{ message: 'a bug' }, { message: 'a bug' }])
})

void test('an upload whose answer leaves late is told to stop all the same', async (t) => {
  const handlers = new Handlers()
  const late = Promise.withResolvers<() => void>()
  const { port } = await startListener(t, {
    options: { h2c: true },
    limits: { bodyMinBytesPerSecond: 0 },
    context: {
      // What is looked at once a second is, here, all the time.
      bodyWindowMs: 5,
      handlers: Object.assign(handlers, {
        stream(stream: ServerHttp2Stream) {
          stream.resume()
          stream.respond({ ':status': 200 }, { waitForTrailers: true })
          stream.once('wantTrailers', () => late.resolve(() => stream.sendTrailers({ 'x-sum': '1' })))
          stream.end('hello')
          return true
        },
      }),
    },
  })
  const h2 = await connectRawH2(t, { port })
  h2.send(headers(1, requestFields([], { ':method': 'POST' }), false))
  const sendTrailers = await late.promise
  for (let turn = 0; turn < 4; turn++) await setImmediate()
  sendTrailers()
  t.equal(await h2.over(1), 'ended')
  t.match(await h2.until(() => h2.frames.find(({ type }) => type === FRAME.reset)), {
    stream: 1,
    payload: Buffer.alloc(4),
  })
})
