import { test } from 'tap'
import { toExposition } from '../../routes/exposition.ts'

void test('families become HELP, TYPE and one line a sample', async (t) => {
  const text = toExposition([
    {
      name: 'headrace_requests_total',
      type: 'counter',
      help: 'Requests\nof \\ routes',
      aggregator: 'sum',
      values: [
        { labels: { route: '/a "b"\\\n', status: 200 }, value: 3 },
        { labels: {}, value: 1.5e21 },
      ],
    },
  ])
  t.equal(
    text,
    String.raw`# HELP headrace_requests_total Requests\nof \\ routes
# TYPE headrace_requests_total counter
headrace_requests_total{route="/a \"b\"\\\n",status="200"} 3
headrace_requests_total 1.5e+21
`,
  )
})

void test('numbers that are none are written as Prometheus reads them', async (t) => {
  const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  const text = toExposition([
    {
      name: 'g',
      type: 'gauge',
      help: 'h',
      aggregator: 'sum',
      values: values.map((value) => ({ labels: {}, value })),
    },
  ])
  t.strictSame(text.split('\n').slice(2), ['g NaN', 'g +Inf', 'g -Inf', ''])
})

void test('a metric without values is left out', async (t) => {
  t.equal(toExposition([{ name: 'g', type: 'gauge', help: 'h', aggregator: 'sum', values: [] }]), '')
})
