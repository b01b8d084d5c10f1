import { test } from 'tap'
import {
  type Aggregator,
  durationSamples,
  lastingFamilies,
  mergeFamilies,
  type MetricFamily,
} from '../../../services/monitor/families.ts'
import { Histogram } from '../../../services/monitor/histogram.ts'

const gauge = (aggregator: Aggregator, value: number): MetricFamily[] => [
  { name: 'g', type: 'gauge', help: 'h', aggregator, values: [{ labels: {}, value }] },
]

void test('values of the same metric are combined by its aggregator', async (t) => {
  for (const [aggregator, expected] of [
    ['sum', 8],
    ['max', 6],
    ['min', 2],
    ['average', 4],
    ['first', 2],
  ] as const) {
    t.equal(mergeFamilies([gauge(aggregator, 2), gauge(aggregator, 6)])[0]?.values[0]?.value, expected, aggregator)
  }
})

void test('what makes no sense for several processes is left out of their sum, and kept for one', async (t) => {
  t.strictSame(mergeFamilies([gauge('omit', 1), gauge('omit', 2)]), [])
  t.strictSame(mergeFamilies([gauge('omit', 1)]), gauge('omit', 1))
})

void test('series are told apart by labels in any order, and by the part of a histogram', async (t) => {
  const family = (values: MetricFamily['values']): MetricFamily[] => [
    { name: 'c', type: 'counter', help: 'h', aggregator: 'sum', values },
  ]
  const [merged] = mergeFamilies([
    family([
      { labels: { a: '1', b: '2' }, value: 1 },
      { labels: { a: '1' }, value: 10 },
    ]),
    family([
      { labels: { b: '2', a: '1' }, value: 2 },
      { labels: { a: '1' }, value: 20, metricName: 'c_sum' },
    ]),
  ])
  t.strictSame(
    merged?.values.map(({ value }) => value),
    [3, 10, 20],
  )
})

void test('a metric that only some processes have is there', async (t) => {
  const other = gauge('sum', 5).map((family) => ({ ...family, name: 'other' }))
  t.strictSame(
    mergeFamilies([gauge('sum', 1), other]).map(({ name }) => name),
    ['g', 'other'],
  )
})

void test('merged durations are those of one histogram that recorded everything', async (t) => {
  const recorded = (...durations: number[]): MetricFamily[] => {
    const histogram = new Histogram()
    for (const ms of durations) histogram.record(ms)
    const values = durationSamples('d', { route: '/' }, histogram.snapshot())
    return [{ name: 'd', type: 'histogram', help: 'h', aggregator: 'sum', values }]
  }
  t.strictSame(mergeFamilies([recorded(500, 250), recorded(1000)]), recorded(500, 250, 1000))
})

void test('durations are told in seconds, with every bound and +Inf', async (t) => {
  const histogram = new Histogram()
  for (const ms of [2, 30, 90_000]) histogram.record(ms)
  const samples = durationSamples('d', { route: '/' }, histogram.snapshot())
  const at = (le: number | string): number | undefined => samples.find(({ labels }) => labels.le === le)?.value
  t.strictSame([at(0.001), at(0.0025), at(0.05), at(60), at('+Inf')], [0, 1, 2, 2, 3])
  t.strictSame(samples.slice(-2), [
    { metricName: 'd_sum', labels: { route: '/' }, value: 90.032 },
    { metricName: 'd_count', labels: { route: '/' }, value: 3 },
  ])
})

void test('counters and histograms outlast their process, gauges do not', async (t) => {
  const families = (['counter', 'gauge', 'histogram', 'summary'] as const).map((type) => ({
    ...gauge('sum', 1)[0]!,
    name: type,
    type,
  }))
  t.strictSame(
    lastingFamilies(families).map(({ name }) => name),
    ['counter', 'histogram'],
  )
})
