import perf from 'node:perf_hooks'
import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import metrics from '../../plugins/metrics.ts'
import { toExposition } from '../../routes/exposition.ts'
import { LocalControl } from '../../services/control/local.ts'
import type { MetricFamily, MetricSource } from '../../services/monitor/families.ts'
import { NodeMetrics } from '../../services/monitor/node-metrics.ts'
import { Traffic } from '../../services/monitor/traffic.ts'
import { trafficMetrics } from '../../services/monitor/traffic-metrics.ts'
import { upstreamMetrics } from '../../services/monitor/upstream-metrics.ts'
import { targetSnapshot } from '../target-snapshot.ts'

async function measured(
  t: Test,
  sources: MetricSource[] = [],
  node?: NodeMetrics,
): Promise<{ fastify: FastifyInstance; collect: () => Promise<MetricFamily[]> }> {
  const fastify = Fastify()
  t.teardown(() => fastify.close())
  const local = new LocalControl()
  await fastify.register(metrics, { local, sources, ...(node && { node }) })
  return { fastify, collect: async () => (await local.ask('metrics')).result }
}

void test('sources are read when someone asks, not before', async (t) => {
  const traffic = new Traffic()
  const { collect } = await measured(t, [trafficMetrics(traffic)])
  traffic.route('/api/*').record('GET', 200, 3)
  const families = await collect()
  t.strictSame(families.find(({ name }) => name === 'headrace_requests_total')?.values, [
    { labels: { route: '/api/*', method: 'GET', status: 200 }, value: 1 },
  ])
})

void test("Node's own metrics are there", async (t) => {
  const { collect } = await measured(t)
  const names = (await collect()).map(({ name }) => name)
  for (const name of ['process_cpu_seconds_total', 'nodejs_heap_size_used_bytes', 'nodejs_gc_duration_seconds']) {
    t.ok(names.includes(name), name)
  }
})

void test("a gateway that takes another's place gathers nothing of Node's anew, and its counters go on", async (t) => {
  const node = new NodeMetrics()
  const cpu = async ({ collect }: Awaited<ReturnType<typeof measured>>): Promise<number> =>
    (await collect()).find(({ name }) => name === 'process_cpu_seconds_total')?.values[0]?.value ?? 0
  const before = await cpu(await measured(t, [], node))
  t.ok(before > 0)
  const gathered = t.capture(perf, 'monitorEventLoopDelay', perf.monitorEventLoopDelay)
  t.ok((await cpu(await measured(t, [], node))) >= before)
  t.strictSame(gathered(), [], 'a timer each, every 10 ms and for good')
})

void test("the gateway's own routes are counted by pattern; routes that opt out are not", async (t) => {
  const { fastify, collect } = await measured(t)
  fastify.get('/pages/:id', async () => 'page')
  fastify.get('/proxied', { config: { disableMetrics: true } }, async () => 'proxied')
  await fastify.inject('/pages/1')
  await fastify.inject('/pages/2')
  await fastify.inject('/proxied')
  await fastify.inject('/nowhere')
  const page = (await collect()).find(({ name }) => name === 'headrace_page_duration_seconds')
  t.strictSame(
    page?.values.filter(({ metricName }) => metricName === 'headrace_page_duration_seconds_count'),
    [
      {
        labels: { route: '/pages/:id', method: 'GET', status: 200 },
        value: 2,
        metricName: 'headrace_page_duration_seconds_count',
      },
    ],
  )
})

void test('two instances in one process do not share a registry', async (t) => {
  const one = await measured(t)
  const other = await measured(t)
  one.fastify.get('/one', async () => 'one')
  await one.fastify.inject('/one')
  const pages = (await other.collect()).find(({ name }) => name === 'headrace_page_duration_seconds')
  t.strictSame(pages?.values, [])
})

void test('what is collected crosses processes', async (t) => {
  const { collect } = await measured(t, [upstreamMetrics({ snapshot: () => [targetSnapshot()] })])
  const families = await collect()
  t.strictSame(structuredClone(families), families)
})

void test("the text says the same as the client library's own", async (t) => {
  const { fastify, collect } = await measured(t, [
    trafficMetrics({
      snapshot: () => [
        {
          route: 'GET "a\\b"\n/*',
          requests: [{ method: 'GET', status: 200, count: 1 }],
          duration: new Traffic().route('').duration.snapshot(),
        },
      ],
    }),
    upstreamMetrics({
      snapshot: () => [targetSnapshot({ latenciesMs: { response: [1, 20, 3000] }, outcomes: { response: 3 } })],
    }),
  ])
  const families = (await collect()).filter(({ values }) => values.length > 0)
  const registry = fastify.metrics.client.Registry.aggregate([
    families.map((family) => ({ ...family, aggregator: 'first' })),
  ])
  // The library writes Nan, which Go's parser takes as well; the format says NaN.
  const lines = (text: string): string[] => text.replaceAll(' Nan\n', ' NaN\n').split('\n').filter(Boolean).toSorted()
  t.strictSame(lines(toExposition(families)), lines(await registry.metrics()))
})
