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
  const passed: string[] = []
  body.on('data', (chunk: Buffer) => passed.push(chunk.toString()))
  source.write('ab')
  source.write('c')
  await standstill(() => passed.length, 3)
  t.strictSame(passed, ['ab'])
  const closed = new Promise((resolve) => body.once('close', resolve))
  source.write('d')
  await closed
  t.strictSame(passed, ['ab'])
  t.match(body.errored, { code: 'HR_REQUEST_FRAMING' })
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
  await t.rejects(broken, /connection lost/)
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
  body.once('readable', () => undefined)
  t.ok((await standstill(() => taken)) <= 300_000, 'with a reader that stands still')
  body.resume()
  await standstill(() => taken)
  t.ok(taken >= 10_000_000, 'and all of it once it is read')
  body.destroy()
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
  body.resume()
  source.write('some')
  body.destroy(new Error('the upstream failed'))
  source.end(Buffer.alloc(1_000_000))
  await new Promise((resolve) => source.once('end', resolve))
  t.notOk(source.errored)
})

void test('an error that nobody waits for ends nothing', async (t) => {
  const body = bodyOf(new PassThrough(), LENGTHLESS)
  const closed = new Promise((resolve) => body.once('close', resolve))
  body.destroy(new Error('too late'))
  await closed
  t.ok(body.destroyed)
})
