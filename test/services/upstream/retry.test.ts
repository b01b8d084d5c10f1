import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { causeOf } from '../../../services/proxy/retries.ts'
import { retryAfterMs } from '../../../services/proxy/retry-after.ts'
import { RetryBudget } from '../../../services/upstream/retry/budget.ts'
import { resolveHedge, resolveRetry } from '../../../services/upstream/retry/options.ts'
import { RecentLatency } from '../../../services/upstream/retry/recent-latency.ts'
import { OUTCOMES } from '../../../services/upstream/snapshot.ts'

void test('a budget never lets more through than its share of the requests, and a few a second', (t) => {
  const step = fc.record({ ms: fc.nat(3_000), requests: fc.nat(30), wants: fc.nat(30) })
  const options = fc.record({
    ratio: fc.constantFrom(0, 0.1, 0.2, 1),
    perSecond: fc.constantFrom(0, 0.5, 3),
  })
  fc.assert(
    fc.property(options, fc.array(step, { maxLength: 60 }), (given, steps) => {
      const budget = new RetryBudget(given)
      const asked: number[] = []
      const spent: number[] = []
      let now = 0
      let wanted = 0
      for (const { ms, requests, wants } of steps) {
        now += ms
        for (let request = 0; request < requests; request++) {
          budget.earn(now)
          asked.push(now)
        }
        for (let want = 0; want < wants; want++) {
          wanted++
          if (budget.spend(now)) spent.push(now)
        }
        // What counts is in the last ten slots of a second.
        const since = (at: number): boolean => Math.floor(at / 1_000) > Math.floor(now / 1_000) - 10
        const allowed = given.ratio * asked.filter(since).length + given.perSecond * 10
        const used = spent.filter(since)
        if (used.at(-1) === now) assert.ok(used.length <= allowed, `${used.length} of ${allowed}`)
        if (wants > 0 && used.length < wants) assert.ok(used.length + 1 > allowed, 'nor fewer than it may')
      }
      assert.equal(budget.denied, wanted - spent.length)
    }),
    { numRuns: 150 },
  )
  t.end()
})

void test('a quiet upstream saves up nothing', (t) => {
  const budget = new RetryBudget({ ratio: 0.2, perSecond: 0 })
  for (let request = 0; request < 100; request++) budget.earn(0)
  t.equal(budget.spend(5_000), true)
  t.equal(budget.spend(10_000), false)
  t.end()
})

void test('percentiles are of answers of late, once there are enough to tell', (t) => {
  const latency = new RecentLatency()
  for (let answer = 0; answer < 40; answer++) latency.record(0, 100)
  t.equal(latency.percentile(0, 0.95), undefined)
  for (let answer = 0; answer < 10; answer++) latency.record(0, 500)
  t.equal(latency.percentile(500, 0.95), undefined, 'looked up once a second')
  t.ok(Math.abs(latency.percentile(1_000, 0.5)! - 100) < 4)
  t.ok(latency.percentile(1_000, 0.95)! > 480)
  for (let answer = 0; answer < 100; answer++) latency.record(31_000, 10)
  t.ok(latency.percentile(31_000, 0.9)! > 90, 'the half minute before counts')
  for (let answer = 0; answer < 100; answer++) latency.record(62_000, 10)
  t.ok(latency.percentile(62_000, 0.99)! < 11, 'the one before that does not')
  t.equal(latency.percentile(200_000, 0.5), undefined)
  t.end()
})

void test('Retry-After is seconds or a date, and believed for a minute at most', (t) => {
  const now = Date.UTC(2026, 0, 1)
  const read = (value: string | string[] | undefined): number => retryAfterMs(value, now)
  t.equal(read('3'), 3_000)
  t.equal(read('86400'), 60_000)
  t.equal(read('Thu, 01 Jan 2026 00:00:30 GMT'), 30_000)
  for (const value of ['Thu, 01 Jan 2025 00:00:30 GMT', '0', '-1', 'soon', '', '99999999999', undefined, ['1', '2']]) {
    t.equal(read(value), 0, String(value))
  }
  t.end()
})

void test('each end of an attempt that may be tried again has a cause', (t) => {
  const causes = OUTCOMES.map((outcome) => [outcome, causeOf(outcome)])
  t.strictSame(Object.fromEntries(causes.filter(([, cause]) => cause !== undefined)), {
    response: 'status',
    connect_error: 'connect',
    out_of_resources: 'connect',
    connect_timeout: 'connect',
    reset: 'reset',
    first_byte_timeout: 'timeout',
  })
  t.end()
})

void test('options say what is tried again, and when a second target is asked', (t) => {
  t.match(resolveRetry({ attempts: 2, on: ['reset', 503], backoff: '1s' }), {
    connect: false,
    reset: true,
    statuses: [503],
    backoffMs: 1_000,
  })
  t.strictSame(resolveHedge({ after: 'p95', max: 1 }).after, { quantile: 0.95 })
  t.strictSame(resolveHedge({ after: '1.5s', max: 1 }).after, { ms: 1_500 })
  t.end()
})
