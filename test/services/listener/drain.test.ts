import { connect } from 'node:http2'
import { join } from 'node:path'
import { test } from 'tap'
import { writeCertificate } from '../../certificate.ts'
import { connectRaw, rawSocket } from '../../raw-client.ts'
import { connectRawH2, FRAME, headers, requestFields } from '../../raw-h2.ts'
import { startListener } from './start.ts'

const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const SLOW = 'GET /slow HTTP/1.1\r\nHost: a\r\n\r\n'
const DEADLINE_MS = 20_000

void test('nothing in flight is lost: each answer says close, idle connections end, then all is done', async (t) => {
  const { port, listener, handlers, drain } = await startListener(t, { context: { drainIdleMs: 100 } })
  const slow = await connectRaw(t, { port })
  const kept = await connectRaw(t, { port })
  const fresh = await connectRaw(t, { port })
  t.equal((await kept.exchange(REQUEST)).get('connection'), 'keep-alive')
  const answer = slow.expect()
  await slow.send(SLOW)
  await handlers.arrived()
  const drained = listener.drain(DEADLINE_MS)
  t.ok(drain.draining)
  t.equal((await fresh.exchange(REQUEST)).get('connection'), 'close', 'accepted before, and asking for the first time')
  t.same(await kept.ended(), { how: 'fin', broken: false }, 'kept alive, idle')
  handlers.release()
  const response = await answer.whole()
  t.equal(response.status, 200)
  t.equal(response.get('connection'), 'close')
  for (const raw of [slow, fresh]) t.same(await raw.ended(), { how: 'fin', broken: false })
  t.same(await drained, { destroyed: 0 })
  t.equal(listener.counters.open, 0)
})

void test('a kept-alive connection is left to its client for a while, and its next request is answered', async (t) => {
  let now = 0
  const { port, listener } = await startListener(t, { context: { now: () => now, drainIdleMs: 2_500 } })
  const raw = await connectRaw(t, { port })
  const idle = await connectRaw(t, { port })
  await raw.exchange(REQUEST)
  await idle.exchange(REQUEST)
  now = 2_000
  const drained = listener.drain(DEADLINE_MS)
  const response = await raw.exchange(REQUEST)
  t.equal(response.status, 200)
  t.equal(response.get('connection'), 'close')
  await raw.ended()
  t.equal(listener.counters.open, 1)
  now = 2_501
  await idle.ended()
  t.same(await drained, { destroyed: 0 })
})

void test('new connections are refused while draining', async (t) => {
  const { port, listener, handlers } = await startListener(t)
  const raw = await connectRaw(t, { port })
  const answer = raw.expect()
  await raw.send(SLOW)
  await handlers.arrived()
  const drained = listener.drain(DEADLINE_MS)
  await t.rejects(rawSocket(t, { port }), { code: 'ECONNREFUSED' })
  handlers.release()
  t.equal((await answer.whole()).status, 200)
  await drained
})

void test('on HTTP/2 a GOAWAY tells clients, and streams in flight finish', async (t) => {
  const { port, listener, handlers } = await startListener(t, { options: { h2c: true } })
  const h2 = await connectRawH2(t, { port })
  h2.send(headers(1, requestFields([], { ':path': '/slow' })))
  await handlers.arrived()
  const drained = listener.drain(DEADLINE_MS)
  t.same(await h2.outcome(9_999), { goaway: 0 })
  const first = h2.frames.find(({ type }) => type === FRAME.goaway)
  t.equal(first?.payload.readUInt32BE(0), 0x7fffffff, 'a shutdown notice: what was sent before it came is still taken')
  handlers.release()
  t.equal(await h2.over(1), 'ended')
  t.same(await drained, { destroyed: 0 })
  t.equal(listener.sessions.counters.goaways.drain, 1)
})

void test('an HTTP/2 session that has not asked yet gets its first answer, then GOAWAY', async (t) => {
  const { port, listener } = await startListener(t, { options: { h2c: true } })
  const h2 = await connectRawH2(t, { port })
  while (listener.sessions.counters.open === 0) await new Promise((resolve) => setImmediate(resolve))
  const drained = listener.drain(DEADLINE_MS)
  h2.send(headers(1, requestFields()))
  t.equal(await h2.over(1), 'ended')
  t.ok(h2.frames.some(({ type }) => type === FRAME.goaway))
  t.same(await drained, { destroyed: 0 })
})

void test('a Node client over TLS finishes its requests through a drain', async (t) => {
  const directory = t.testdir()
  const files = await writeCertificate(join(directory, 'tls'))
  const { port, listener, handlers } = await startListener(t, { options: { tls: [{ ...files, servername: null }] } })
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  t.teardown(() => session.destroy())
  const stream = session.request({ ':path': '/slow' })
  let body = ''
  stream.setEncoding('utf8').on('data', (text: string) => (body += text))
  const ended = new Promise((resolve) => stream.once('close', resolve))
  await handlers.arrived()
  const drained = listener.drain(DEADLINE_MS)
  await new Promise((resolve) => session.once('goaway', resolve))
  handlers.release()
  await ended
  t.equal(body, 'hello')
  t.same(await drained, { destroyed: 0 })
})

void test('what remains at the deadline is destroyed and counted', async (t) => {
  const { port, listener, handlers } = await startListener(t)
  const raw = await connectRaw(t, { port })
  const answer = raw.expect()
  await raw.send(SLOW)
  await handlers.arrived()
  const broken = t.rejects(answer.whole())
  t.same(await listener.drain(50), { destroyed: 1 })
  await broken
  t.equal(listener.counters.destroyed, 1)
})

for (const over of ['TCP', 'TLS']) {
  void test(`an answer that only the end of its connection delimits is reset at the deadline, over ${over}`, async (t) => {
    const files = await writeCertificate(join(t.testdir(), 'tls'))
    const tls = over === 'TLS' ? [{ ...files, servername: null }] : null
    const { port, listener, handlers } = await startListener(t, { options: { tls } })
    handlers.request = (_request, response) => {
      response.writeHead(200, ['connection', 'close'])
      response.write('a part of it')
      return true
    }
    const open = () => connectRaw(t, tls === null ? { port } : { port, tls: 'http/1.1' })
    const idle = await open()
    const raw = await open()
    const answer = raw.expect()
    await raw.send('GET / HTTP/1.0\r\n\r\n')
    t.equal(String(await answer.chunk()), 'a part of it')
    const broken = t.rejects(answer.whole())
    t.same(await listener.drain(50), { destroyed: 2 })
    await broken
    t.same(await raw.ended(), { how: 'reset', broken: true })
    t.equal((await idle.ended()).how, 'fin', 'nothing is under way there')
  })
}

void test('an empty listener drains at once, and closing after that is harmless', async (t) => {
  const { listener } = await startListener(t)
  t.same(await listener.drain(DEADLINE_MS), { destroyed: 0 })
  await listener.close()
})
