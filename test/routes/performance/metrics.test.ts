import { test } from 'tap'
import { matchesName } from '../../../routes/performance/name-pattern.ts'
import metricsRoute from '../../../routes/performance/metrics.ts'
import { LocalControl } from '../../../services/control/local.ts'
import type { MetricFamily } from '../../../services/monitor/families.ts'
import { AUTHORIZED, controlPlane } from '../../control-plane.ts'

const family = (name: string, value = 1): MetricFamily => ({
  name,
  type: 'gauge',
  help: 'h',
  aggregator: 'sum',
  values: [{ labels: { status: 200 }, value, metricName: `${name}_sum` }],
})

function metered(): LocalControl {
  const local = new LocalControl()
  local.answer({
    metrics: () => [
      family('headrace_requests_total'),
      family('headrace_upstream_attempt_seconds', Number.NaN),
      family('nodejs_heap_size_used_bytes'),
    ],
  })
  return local
}

void test('metrics are told as JSON; what is not a number is null', async (t) => {
  const fastify = controlPlane(t, metered())
  await fastify.register(metricsRoute)
  const response = await fastify.inject({ url: '/metrics?name=headrace_upstream', headers: AUTHORIZED })
  t.strictSame(response.json(), {
    metrics: [
      {
        name: 'headrace_upstream_attempt_seconds',
        type: 'gauge',
        help: 'h',
        values: [{ name: 'headrace_upstream_attempt_seconds_sum', labels: { status: '200' }, value: null }],
      },
    ],
    missing: [],
  })
})

void test('a name filters by its beginning or by a pattern', async (t) => {
  const fastify = controlPlane(t, metered())
  await fastify.register(metricsRoute)
  const found = async (name: string): Promise<string[]> =>
    (await fastify.inject({ url: '/metrics', query: { name }, headers: AUTHORIZED }))
      .json()
      .metrics.map((metric: { name: string }) => metric.name)
  t.equal((await found('')).length, 3)
  t.equal((await found('headrace_')).length, 2)
  t.strictSame(await found('headrace_*_seconds'), ['headrace_upstream_attempt_seconds'])
  t.strictSame(await found('*bytes'), ['nodejs_heap_size_used_bytes'])
  t.strictSame(await found('nothing'), [])
})

void test('patterns match as globs do, and stay quick', async (t) => {
  for (const [pattern, name, matches] of [
    ['', 'anything', true],
    ['*', 'anything', true],
    ['a*', 'abc', true],
    ['a*c', 'abc', true],
    ['a*c', 'abcd', false],
    ['a*b*c', 'a_b_c', true],
    ['a*bc*c', 'abc', false],
    ['ab*ba', 'aba', false],
    ['a.c', 'abc', false],
    [`${'*a'.repeat(90)}*b`, 'a'.repeat(10_000), false],
  ] as const) {
    t.equal(matchesName(pattern, name), matches, `${pattern.slice(0, 20)} on ${name.slice(0, 20)}`)
  }
})

void test('a filter that is too long is refused, and so is a missing token', async (t) => {
  const fastify = controlPlane(t, metered())
  await fastify.register(metricsRoute)
  const long = await fastify.inject({ url: '/metrics', query: { name: 'x'.repeat(201) }, headers: AUTHORIZED })
  t.equal(long.statusCode, 400)
  t.equal((await fastify.inject('/metrics')).statusCode, 401)
})
