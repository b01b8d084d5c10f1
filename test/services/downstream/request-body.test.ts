import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'tap'
import type { Exchange } from '../../../services/downstream/exchange.ts'
import { RequestBody } from '../../../services/downstream/request-body.ts'
import { standstill } from '../../signal.ts'
import { makeExchange, RecordedReply } from './make-exchange.ts'

const LENGTHLESS = ['Host', 'a', 'Transfer-Encoding', 'chunked']
const withLength = (length: number): string[] => ['Host', 'a', 'Content-Length', String(length)]

function exchangeOf(body: Readable, fields: string[]): { exchange: Exchange; reply: RecordedReply } {
  const exchange = makeExchange({ method: 'POST', fields, body })
  const reply = new RecordedReply()
  exchange.reply = reply
  return { exchange, reply }
}

const bodyOf = (source: Readable, fields: string[], limit = 1_000): RequestBody =>
  new RequestBody(exchangeOf(source, fields).exchange, limit)

void test('a body passes as it is, whatever pieces it comes in', async (t) => {
  for (const pieces of [['hello'], ['h', 'ello'], ['hell', 'o'], 'hello'.split('')]) {
    const source = (): Readable => Readable.from(pieces.map((piece) => Buffer.from(piece)))
    t.equal((await buffer(bodyOf(source(), LENGTHLESS))).toString(), 'hello')
    t.equal((await buffer(bodyOf(source(), withLength(5)))).toString(), 'hello')
  }
  t.equal((await buffer(bodyOf(Readable.from([]), LENGTHLESS))).length, 0)
})

void test('a body of exactly the limit passes, one byte more is refused as it comes', async (t) => {
  t.equal((await buffer(bodyOf(Readable.from([Buffer.alloc(10)]), LENGTHLESS, 10))).length, 10)
  const source = new PassThrough()
  const body = bodyOf(source, LENGTHLESS, 10)
  source.write(Buffer.alloc(10))
  source.write(Buffer.alloc(1))
  await t.rejects(buffer(body), { code: 'HR_REQUEST_BODY_TOO_LARGE', statusCode: 413 })
})

void test('a body longer than its length never ends as a whole one', async (t) => {
  for (const pieces of [['abcd'], ['abc', 'd'], ['ab', 'cd']]) {
    const body = bodyOf(Readable.from(pieces.map((piece) => Buffer.from(piece))), withLength(3))
    await t.rejects(buffer(body), { code: 'HR_REQUEST_FRAMING' }, pieces.join('|'))
  }
})

void test('what completes the length is held back until the body has ended: there may come more', async (t) => {
  const source = new PassThrough()
  const body = bodyOf(source, withLength(3))
  source.write('ab')
  source.write('c')
  t.strictSame((await body.next()).value?.toString(), 'ab')
  let settled = 0
  const more = t.rejects(
    body.next().finally(() => settled++),
    { code: 'HR_REQUEST_FRAMING' },
  )
  t.equal(await standstill(() => settled), 0)
  source.write('d')
  await more
  await t.rejects(body.next(), { code: 'HR_REQUEST_FRAMING' }, 'and whoever asks again')
})

void test('a body shorter than its length never ends as a whole one', async (t) => {
  await t.rejects(buffer(bodyOf(Readable.from([Buffer.from('ab')]), withLength(3))), { code: 'HR_REQUEST_FRAMING' })
  await t.rejects(buffer(bodyOf(Readable.from([]), withLength(3))), { code: 'HR_REQUEST_FRAMING' })
})

void test('a body that breaks off, or is reset, never ends as a whole one', async (t) => {
  const source = new PassThrough()
  const body = bodyOf(source, LENGTHLESS)
  source.write('ab')
  const whole = buffer(body)
  source.destroy()
  await t.rejects(whole, { code: 'HR_REQUEST_FRAMING' })
  const failing = new PassThrough()
  const broken = buffer(bodyOf(failing, LENGTHLESS))
  failing.destroy(new Error('connection lost'))
  await t.rejects(broken, { code: 'HR_REQUEST_FRAMING', cause: { message: 'connection lost' } })
  const reset = Object.assign(new PassThrough(), { aborted: true })
  const ended = buffer(bodyOf(reset, LENGTHLESS))
  reset.end('ab')
  await t.rejects(ended, { code: 'HR_REQUEST_FRAMING' }, 'HTTP/2: ended, and marked as aborted')
})

void test('nothing is read before the upstream asks, and no more than it takes', async (t) => {
  const source = new PassThrough({ highWaterMark: 16_384 })
  let taken = 0
  const feed = (): void => {
    while (taken < 10_000_000) {
      taken += 16_384
      if (!source.write(Buffer.alloc(16_384))) return
    }
  }
  source.on('drain', feed)
  const body = bodyOf(source, LENGTHLESS, 1e9)
  feed()
  t.ok((await standstill(() => taken)) <= 32_768, 'before anybody reads')
  await body.next()
  t.ok((await standstill(() => taken)) <= 300_000, 'with a reader that stands still')
  const whole = buffer(body)
  await standstill(() => taken)
  t.ok(taken >= 10_000_000, 'and all of it once it is read')
  source.end()
  t.equal((await whole).length, taken - 16_384)
  t.ok(body.ended)
})

void test('100 Continue is written when the upstream asks for the body, once, and only where it is waited for', async (t) => {
  const waiting = exchangeOf(Readable.from([Buffer.from('a'), Buffer.from('b')]), [
    ...LENGTHLESS,
    'Expect',
    '100-continue',
  ])
  const body = new RequestBody(waiting.exchange, 100)
  t.strictSame(waiting.reply.told, [])
  await buffer(body)
  t.strictSame(waiting.reply.told, ['continue'])
  const other = exchangeOf(Readable.from([Buffer.from('a')]), LENGTHLESS)
  await buffer(new RequestBody(other.exchange, 100))
  t.strictSame(other.reply.told, [])
})

void test('an upstream that fails leaves the connection to its answer: what still comes is read and thrown away', async (t) => {
  const source = new PassThrough()
  const body = bodyOf(source, LENGTHLESS, 1e9)
  source.write('some')
  for await (const piece of body) {
    t.equal(piece.toString(), 'some')
    break
  }
  source.end(Buffer.alloc(1_000_000))
  await new Promise((resolve) => source.once('end', resolve))
  t.notOk(body.ended)
})

void test('a body that is given up fails for whoever waits for it or asks for it later', async (t) => {
  const waiting = bodyOf(new PassThrough(), LENGTHLESS)
  const asked = t.rejects(waiting.next(), /the upstream failed/)
  waiting.destroy(new Error('the upstream failed'))
  await asked
  const full = new PassThrough()
  const later = bodyOf(full, LENGTHLESS)
  full.write('a')
  await later.next()
  full.write('b')
  later.destroy()
  await t.rejects(later.next(), { code: 'HR_REQUEST_FRAMING' }, 'what had come is not handed out')
})

void test('a client that has left before the upstream asks is noticed', async (t) => {
  const source = new PassThrough()
  const closed = new Promise((resolve) => source.once('close', resolve))
  const body = bodyOf(source, LENGTHLESS)
  source.destroy()
  await closed
  await t.rejects(body.next(), { code: 'HR_REQUEST_FRAMING' })
})

void test('an error that nobody waits for ends nothing', async (t) => {
  const source = new PassThrough()
  const body = bodyOf(source, LENGTHLESS)
  body.destroy()
  const closed = new Promise((resolve) => source.once('close', resolve))
  source.destroy(new Error('too late'))
  await closed
  t.notOk(body.ended)
})

void test('every piece that the upstream asks for is told as movement', async (t) => {
  const body = bodyOf(Readable.from([Buffer.from('a'), Buffer.from('b')]), LENGTHLESS)
  let moved = 0
  body.moved = () => moved++
  await buffer(body)
  t.equal(moved, 3, 'two, and the end')
})

void test('as a stream it passes whole, and ends with what ends the body', async (t) => {
  const whole = bodyOf(Readable.from([Buffer.from('a'), Buffer.from('b')]), withLength(2))
  t.equal((await buffer(whole.asStream())).toString(), 'ab')
  t.ok(whole.ended)
  await t.rejects(buffer(bodyOf(Readable.from([Buffer.from('ab')]), withLength(1)).asStream()), {
    code: 'HR_REQUEST_FRAMING',
  })
  const source = new PassThrough()
  const given = bodyOf(source, LENGTHLESS)
  const stream = given.asStream()
  source.end('read ahead')
  stream.read(0)
  await standstill(() => stream.readableLength)
  t.notOk(given.ended, 'the upstream has not taken it')
  given.destroy()
  t.ok(stream.destroyed, 'an answer came first')
})
