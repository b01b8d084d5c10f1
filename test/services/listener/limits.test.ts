import { connect as connectTls } from 'node:tls'
import { test } from 'tap'
import { connectRaw, rawSocket } from '../../raw-client.ts'
import { connectRawH2, data, FRAME, frame, headers, requestFields } from '../../raw-h2.ts'
import { writeCertificate } from '../../certificate.ts'
import { startListener } from './start.ts'

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const ENHANCE_YOUR_CALM = 11

void test('a head that drips in is cut with 408 after the header timeout', async (t) => {
  const { port, listener } = await startListener(t, { limits: { headerTimeoutMs: 200 } })
  const raw = await connectRaw(t, { port })
  const answer = raw.expect()
  const drip = setInterval(() => void raw.send('X: y\r\n'), 20)
  t.teardown(() => clearInterval(drip))
  await raw.send('GET / HTTP/1.1\r\n')
  const response = await answer.whole()
  t.equal(response.status, 408)
  t.match(JSON.parse(response.body.toString()), { status: 408, code: 'HR_REQUEST_HEAD_TIMEOUT' })
  await raw.ended()
  t.equal(listener.counters.headTimeouts, 1)
})

void test('a preface that drips in is cut as well, and so is a silent client, without a word', async (t) => {
  const { port } = await startListener(t, { options: { h2c: true }, limits: { headerTimeoutMs: 200 } })
  const dripping = await connectRaw(t, { port })
  const silent = await connectRaw(t, { port })
  const answer = dripping.expect()
  await dripping.send('PRI * HT')
  t.equal((await answer.whole()).status, 408)
  await silent.ended()
  t.equal(silent.unasked().length, 0)
})

void test('a silent client is closed without an answer, which it might take for that of its first request', async (t) => {
  const { port } = await startListener(t, { limits: { headerTimeoutMs: 200 } })
  const silent = await connectRaw(t, { port })
  await silent.ended()
  t.equal(silent.unasked().length, 0)
})

void test('a TLS handshake that never comes is ended by the header timeout', async (t) => {
  const files = await writeCertificate(t.testdir())
  const { port, listener } = await startListener(t, {
    options: { tls: [{ ...files, servername: null }] },
    limits: { headerTimeoutMs: 200 },
  })
  const raw = await connectRaw(t, { port })
  await raw.ended()
  t.equal(listener.counters.tlsFailed, 1)
})

void test('a client that leaves within the TLS handshake leaves no connection behind', async (t) => {
  const files = await writeCertificate(t.testdir())
  const { port, listener } = await startListener(t, {
    options: { tls: [{ ...files, servername: null }] },
    limits: { headerTimeoutMs: 300_000 },
  })
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  // Its part of the handshake is over before the server has read it.
  socket.once('secureConnect', () => socket.destroy())
  while (listener.counters.accepted === 0 || listener.counters.open > 0) await new Promise(setImmediate)
  t.equal(listener.counters.accepted, 1)
})

void test('a kept-alive connection is closed after the idle timeout', async (t) => {
  const { port } = await startListener(t, { limits: { idleTimeoutMs: 100 } })
  const raw = await connectRaw(t, { port })
  const response = await raw.exchange(REQUEST)
  t.equal(response.status, 200)
  t.same(await raw.ended(), { how: 'fin', broken: false })
})

void test('connections above the cap are closed at once, and one that ends makes room', async (t) => {
  const { port, listener } = await startListener(t, { limits: { connections: 2 } })
  const first = await connectRaw(t, { port })
  const second = await connectRaw(t, { port })
  t.equal((await first.exchange(REQUEST)).status, 200)
  t.equal((await second.exchange(REQUEST)).status, 200)
  const third = await connectRaw(t, { port })
  await third.ended()
  t.match(listener.counters, { accepted: 2, open: 2, refused: 1 })
  const closed = listener.counters
  first.reset()
  second.reset()
  await Promise.all([first.ended(), second.ended()])
  while (closed.open > 0) await new Promise((resolve) => setImmediate(resolve))
  const fourth = await connectRaw(t, { port })
  t.equal((await fourth.exchange(REQUEST)).status, 200)
})

void test('listeners that share a budget share its cap', async (t) => {
  const budget = { limit: 1, open: 0 }
  const one = await startListener(t, { context: { budget } })
  const other = await startListener(t, { context: { budget } })
  const raw = await connectRaw(t, { port: one.port })
  t.equal((await raw.exchange(REQUEST)).status, 200)
  await (await connectRaw(t, { port: other.port })).ended()
  t.equal(other.listener.counters.refused, 1)
})

void test('a body slower than the minimum rate is cut with 408 where no answer has begun', async (t) => {
  const { port, listener } = await startListener(t, { context: { bodyWindowMs: 50 } })
  const raw = await connectRaw(t, { port })
  const answer = raw.expect('POST')
  await raw.send('POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc')
  const response = await answer.whole()
  t.equal(response.status, 408)
  t.match(JSON.parse(response.body.toString()), { code: 'HR_REQUEST_BODY_TOO_SLOW' })
  t.equal(listener.counters.slowBodies, 1)
})

void test('a body that drips on after its answer ends the connection', async (t) => {
  const { port } = await startListener(t, { context: { bodyWindowMs: 50 } })
  const raw = await connectRaw(t, { port })
  const answer = raw.expect('POST')
  await raw.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc')
  t.equal((await answer.whole()).status, 200)
  await raw.ended()
})

void test('a slow body on HTTP/2 costs its stream alone', async (t) => {
  const { port, listener } = await startListener(t, { options: { h2c: true }, context: { bodyWindowMs: 50 } })
  const h2 = await connectRawH2(t, { port })
  const fields = requestFields([], { ':method': 'POST', ':path': '/slow' })
  h2.send(headers(1, fields, false), data(1, 'abc'))
  t.same(await h2.outcome(1), { status: 408 })
  h2.send(headers(3, requestFields()))
  t.same(await h2.outcome(3), { status: 200 })
  t.equal(listener.counters.slowBodies, 1)
})

void test('a rapid reset ends in GOAWAY with the stream that is one too many, within one read', async (t) => {
  const { port, listener, handlers } = await startListener(t, { options: { h2c: true } })
  const h2 = await connectRawH2(t, { port })
  const cancel = Buffer.from([0, 0, 0, 8])
  const frames: Buffer[] = []
  const slow = requestFields([], { ':path': '/slow' })
  // Fewer than nghttp2 would end it for by itself.
  for (let id = 1; id < 160; id += 2) frames.push(headers(id, slow), frame(FRAME.reset, 0, id, cancel))
  h2.send(...frames)
  t.same(await h2.outcome(9_999), { goaway: ENHANCE_YOUR_CALM })
  t.ok(handlers.seen.length <= 51, `${handlers.seen.length} were seen`)
  t.equal(listener.sessions.counters.goaways.flood, 1)
})

void test('resets come back with time, and those of the gateway itself are none', async (t) => {
  let now = 0
  const { port, listener } = await startListener(t, { options: { h2c: true }, context: { now: () => now } })
  const h2 = await connectRawH2(t, { port })
  const cancel = Buffer.from([0, 0, 0, 8])
  const slow = requestFields([], { ':path': '/slow' })
  const reset = (id: number): Buffer[] => [headers(id, slow), frame(FRAME.reset, 0, id, cancel)]
  for (let id = 1; id < 100; id += 2) h2.send(...reset(id))
  h2.send(headers(101, requestFields()))
  t.same(await h2.outcome(101), { status: 200 }, 'fifty are allowed')
  now = 100
  h2.send(...reset(103), headers(105, requestFields()))
  t.same(await h2.outcome(105), { status: 200 }, 'ten a second come back')
  h2.send(...reset(107))
  t.same(await h2.outcome(9_999), { goaway: ENHANCE_YOUR_CALM })
  t.equal(listener.sessions.counters.goaways.flood, 1)
})

void test('resets of streams that were answered before end in GOAWAY too', async (t) => {
  const { port } = await startListener(t, { options: { h2c: true } })
  const h2 = await connectRawH2(t, { port })
  const cancel = Buffer.from([0, 0, 0, 8])
  const frames: Buffer[] = []
  for (let id = 1; id < 600; id += 2) frames.push(headers(id, requestFields()), frame(FRAME.reset, 0, id, cancel))
  h2.send(...frames)
  t.equal(await h2.over(9_999), 'goaway')
})

void test('a flood of PING frames ends in GOAWAY, a few are answered', async (t) => {
  const { port, listener } = await startListener(t, { options: { h2c: true } })
  const h2 = await connectRawH2(t, { port })
  const ping = frame(FRAME.ping, 0, 0, Buffer.alloc(8))
  h2.send(ping, ping, headers(1, requestFields()))
  t.same(await h2.outcome(1), { status: 200 })
  h2.send(...Array.from({ length: 50 }, () => ping))
  t.same(await h2.outcome(9_999), { goaway: ENHANCE_YOUR_CALM })
  t.equal(listener.sessions.counters.goaways.flood, 1)
})

void test('a flood of SETTINGS frames ends in GOAWAY', async (t) => {
  const { port } = await startListener(t, { options: { h2c: true } })
  const h2 = await connectRawH2(t, { port })
  h2.send(...Array.from({ length: 50 }, () => frame(FRAME.settings, 0, 0)))
  t.same(await h2.outcome(9_999), { goaway: ENHANCE_YOUR_CALM })
})

void test('an idle session is told to go away; one with a quiet stream is kept', async (t) => {
  const { port, handlers, listener } = await startListener(t, {
    options: { h2c: true },
    limits: { idleTimeoutMs: 100 },
  })
  const idle = await connectRawH2(t, { port })
  const busy = await connectRawH2(t, { port })
  busy.send(headers(1, requestFields([], { ':path': '/slow' })))
  await handlers.arrived()
  t.same(await idle.outcome(9_999), { goaway: 0 })
  t.equal(listener.sessions.counters.goaways.idle, 1)
  handlers.release()
  t.same(await busy.outcome(1), { status: 200 })
})

void test('a client that says nothing after the preface is ended by the header timeout', async (t) => {
  const { port, listener } = await startListener(t, { options: { h2c: true }, limits: { headerTimeoutMs: 200 } })
  const socket = await rawSocket(t, { port })
  socket.resume().write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  await new Promise((resolve) => socket.once('close', resolve))
  t.equal(listener.sessions.counters.open, 0)
})

void test('more streams than allowed at once are refused, the others answered', async (t) => {
  const { port, handlers } = await startListener(t, { options: { h2c: true }, limits: { http2: { streams: 2 } } })
  const h2 = await connectRawH2(t, { port })
  const slow = requestFields([], { ':path': '/slow' })
  h2.send(headers(1, slow), headers(3, slow))
  await handlers.arrived()
  h2.send(headers(5, slow))
  const outcome = await h2.outcome(5)
  t.ok('reset' in outcome || 'goaway' in outcome, JSON.stringify(outcome))
  handlers.release()
})

void test('an endless row of CONTINUATION frames ends the session', async (t) => {
  const { port } = await startListener(t, { options: { h2c: true } })
  const h2 = await connectRawH2(t, { port })
  h2.send(frame(FRAME.headers, 0, 1), ...Array.from({ length: 100 }, () => frame(FRAME.continuation, 0, 1)))
  t.ok(['goaway', 'closed'].includes(await h2.over(1)))
})

/** SETTINGS that leave the windows of new streams closed (RFC 9113 §6.9.2: INITIAL_WINDOW_SIZE 0). */
const CLOSED = frame(FRAME.settings, 0, 0, Buffer.from([0, 4, 0, 0, 0, 0]))
const CANCEL = 8

void test('a stream whose client takes nothing of its answer is reset, whoever answers', async (t) => {
  let now = 0
  const { port, listener, handlers } = await startListener(t, {
    options: { h2c: true },
    limits: { sendTimeoutMs: 60_000 },
    context: { now: () => now, bodyWindowMs: 10 },
  })
  handlers.declined.add('/page')
  const h2 = await connectRawH2(t, { port })
  h2.send(CLOSED)
  for (const [stream, path] of [
    [1, '/'],
    [3, '/page'],
  ] as const) {
    h2.send(headers(stream, requestFields([], { ':path': path })))
    t.same(await h2.outcome(stream), { status: 200 })
  }
  while (listener.counters.stalledReaders < 2) {
    now += 500
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.ok(now >= 60_000)
  for (const stream of [1, 3]) {
    const { payload } = await h2.until(() => h2.frames.find((one) => one.type === FRAME.reset && one.stream === stream))
    t.equal(payload.readUInt32BE(0), CANCEL)
  }
  t.equal(listener.counters.stalledReaders, 2)
  h2.send(headers(5, requestFields([], { ':path': '/' })))
  t.same(await h2.outcome(5), { status: 200 }, 'the session goes on')
})
