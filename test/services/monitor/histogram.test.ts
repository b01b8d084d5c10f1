import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { test } from 'tap'
import { Histogram } from '../../../services/monitor/histogram.ts'

const of = (...durations: number[]): Histogram => {
  const histogram = new Histogram()
  for (const ms of durations) histogram.record(ms)
  return histogram
}

void test('an empty histogram answers zeros', async (t) => {
  const histogram = new Histogram()
  t.equal(histogram.percentile(0.99), 0)
  t.strictSame(histogram.snapshot(), { count: 0, sumMs: 0, maxMs: 0, buckets: [] })
  t.equal(Histogram.percentileOf(Histogram.merge([]), 0.5), 0)
})

void test('count, sum and maximum are exact', async (t) => {
  const { count, sumMs, maxMs } = of(1, 2.5, 700_000)
  t.strictSame({ count, sumMs, maxMs }, { count: 3, sumMs: 700_003.5, maxMs: 700_000 })
})

void test('a percentile is within 3.2 % of the recorded duration, from 0.01 ms to 10 min', async () => {
  fc.assert(
    fc.property(fc.double({ min: Math.log(0.01), max: Math.log(599_999), noNaN: true }), (logarithm) => {
      const ms = Math.exp(logarithm)
      // The second, larger one keeps the maximum from answering for the first.
      const found = of(ms, 600_000).percentile(0.5)
      return Math.abs(found - ms) / ms <= 0.032
    }),
    { numRuns: 2000 },
  )
})

void test('percentiles follow the rank', async (t) => {
  const histogram = new Histogram()
  for (let ms = 1; ms <= 1000; ms++) histogram.record(ms)
  for (const q of [0.1, 0.5, 0.9, 0.99]) {
    t.ok(Math.abs(histogram.percentile(q) - q * 1000) / (q * 1000) < 0.04, `q ${q}`)
  }
  t.equal(histogram.percentile(1), 1000)
  t.ok(histogram.percentile(0) < 1.05)
})

void test('what is not a positive, finite number counts as zero', async (t) => {
  const histogram = of(Number.NaN, -5, 0, Number.POSITIVE_INFINITY)
  t.strictSame(histogram.snapshot(), { count: 4, sumMs: 0, maxMs: 0, buckets: [4] })
})

void test('durations above 10 min share the last bucket and keep the maximum', async (t) => {
  const histogram = of(600_000, 3_600_000, 7_200_000)
  t.ok(Math.abs(histogram.percentile(0.3) - 600_000) / 600_000 < 0.032)
  t.equal(histogram.percentile(1), 7_200_000)
})

void test('merged snapshots equal one histogram that recorded everything', async () => {
  const durations = fc.array(fc.double({ min: 0, max: 1e6, noNaN: true }), { maxLength: 50 })
  fc.assert(
    fc.property(durations, durations, (left, right) => {
      const { sumMs, ...merged } = Histogram.merge([of(...left).snapshot(), of(...right).snapshot()])
      const { sumMs: expectedSum, ...expected } = of(...left, ...right).snapshot()
      return isDeepStrictEqual(merged, expected) && Math.abs(sumMs - expectedSum) < 1e-3
    }),
    { numRuns: 100 },
  )
})

void test('a snapshot answers the same percentiles as the histogram it was taken of', async (t) => {
  const histogram = of(0.3, 4, 4, 9, 120)
  for (const q of [0, 0.25, 0.5, 0.75, 0.99, 1]) {
    t.equal(Histogram.percentileOf(histogram.snapshot(), q), histogram.percentile(q))
  }
})

void test('cumulative counts grow to the total', async (t) => {
  const snapshot = of(0.5, 3, 3, 40, 9_000).snapshot()
  t.strictSame(Histogram.cumulative(snapshot, [1, 5, 50, 1_000, 10_000]), [1, 3, 4, 4, 5])
  t.strictSame(Histogram.cumulative(new Histogram().snapshot(), [1, 5]), [0, 0])
})

void test('a snapshot is cloneable plain data that later records do not change', async (t) => {
  const histogram = of(1)
  const snapshot = histogram.snapshot()
  histogram.record(1)
  t.equal(snapshot.count, 1)
  t.strictSame(structuredClone(snapshot), snapshot)
  t.strictSame(JSON.parse(JSON.stringify(snapshot)), snapshot)
})
