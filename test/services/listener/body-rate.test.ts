import { PassThrough } from 'node:stream'
import { test } from 'tap'
import { BodyRate } from '../../../services/listener/body-rate.ts'

const RATE = { minBytesPerSecond: 100, windowMs: 10_000 }

void test('a body below the rate over the whole window is found once, one at the rate is not', async (t) => {
  const slow = new PassThrough().resume()
  const quick = new PassThrough().resume()
  const rate = new BodyRate(RATE)
  const bodies = [slow, quick]
  t.same(rate.tick(bodies, 0), [])
  slow.write(Buffer.alloc(999))
  quick.write(Buffer.alloc(1_000))
  await new Promise((resolve) => setImmediate(resolve))
  t.same(rate.tick(bodies, 9_999), [], 'the window is not over')
  t.equal(rate.tick(bodies, 10_000)[0], slow)
  t.same(rate.tick(bodies, 10_001), [], 'once')
  t.equal(slow.listenerCount('data'), 1, 'counted anew where it stays: its owner did not end it')
})

void test('a burst counts for its own window only', async (t) => {
  const body = new PassThrough().resume()
  const rate = new BodyRate(RATE)
  rate.tick([body], 0)
  body.write(Buffer.alloc(10_000))
  await new Promise((resolve) => setImmediate(resolve))
  t.same(rate.tick([body], 10_000), [])
  t.equal(rate.tick([body], 20_000)[0], body)
})

void test('a body that nobody reads is not the fault of its client', async (t) => {
  const body = new PassThrough().resume()
  const rate = new BodyRate(RATE)
  rate.tick([body], 0)
  body.pause()
  t.same(rate.tick([body], 10_000), [])
  t.equal(body.listenerCount('data'), 0)
  body.resume()
  t.same(rate.tick([body], 20_000), [], 'measured afresh')
  t.equal(rate.tick([body], 30_000)[0], body)
})

void test('nothing is left on bodies that have ended or gone', async (t) => {
  const body = new PassThrough().resume()
  const rate = new BodyRate(RATE)
  rate.tick([body], 0)
  t.equal(body.listenerCount('data'), 1)
  rate.tick([], 1)
  t.equal(body.listenerCount('data'), 0)
})

void test('a rate of 0 switches the check off', async (t) => {
  const body = new PassThrough().resume()
  const rate = new BodyRate({ minBytesPerSecond: 0 })
  rate.tick([body], 0)
  t.same(rate.tick([body], 1e9), [])
  t.equal(body.listenerCount('data'), 0)
})
