import type { FastifyInstance } from 'fastify'
import fastifyMetrics from 'fastify-metrics'
import fp from 'fastify-plugin'
import type { LocalControl } from '../services/control/local.ts'
import {
  DURATION_BOUNDS_SECONDS,
  type MetricFamily,
  type MetricSource,
  type Sample,
} from '../services/monitor/families.ts'
import { NodeMetrics } from '../services/monitor/node-metrics.ts'

/**
 * This process's metrics: Node's own, the routes that Fastify serves (the gateway's own pages; a proxied route that goes
 * through Fastify has `config: { disableMetrics: true }`, because its traffic is counted elsewhere), and the sources. It
 * answers the control port's `metrics`; sources are read then and not before. Register it before the routes to count.
 *
 * It shares `metrics` of fastify-metrics. Each instance has a registry of its own.
 */
export interface MetricsOptions {
  local: LocalControl
  /** Of the process, where gateways follow each other in it; default: of this instance alone. */
  node?: NodeMetrics
  sources: readonly MetricSource[]
}

async function metrics(
  fastify: FastifyInstance,
  { local, node = new NodeMetrics(), sources }: MetricsOptions,
): Promise<void> {
  // Twice, because only the registered plugin has the client's classes, and only options name the registry: by default
  // all instances of a process would share a global one, and the second would fail on the first one's names.
  await fastify.register(fastifyMetrics.default, {
    endpoint: null,
    defaultMetrics: { enabled: false },
    routeMetrics: { enabled: false },
  })
  const { client } = fastify.metrics
  const registry = new client.Registry()
  const ofNode = node.in(() => {
    const register = new client.Registry()
    client.collectDefaultMetrics({ register: register as never })
    return register
  })
  await fastify.register(fastifyMetrics.default, {
    name: 'ownRouteMetrics',
    promClient: client,
    endpoint: null,
    defaultMetrics: { enabled: false },
    routeMetrics: {
      enabled: { histogram: true, summary: false },
      methodBlacklist: ['TRACE', 'CONNECT'],
      overrides: {
        labels: { status: 'status' },
        histogram: {
          name: 'headrace_page_duration_seconds',
          help: "Requests to the gateway's own routes and how long they took, by route, method and status",
          buckets: [...DURATION_BOUNDS_SECONDS],
          registers: [registry as never],
        },
        // Made even where it is off; this registry is never read.
        summary: { registers: [new client.Registry() as never] },
      },
    },
  })
  local.answer({
    metrics: async () => [
      ...sources.flatMap((source) => source.collect()),
      ...[...(await ofNode.getMetricsAsJSON()), ...(await registry.getMetricsAsJSON())].map((family) =>
        toFamily(family as ClientFamily),
      ),
    ],
  })
}

/** What the client library says, which its types do not: labels may be missing, and a part of a histogram has a name. */
type ClientFamily = Omit<MetricFamily, 'values'> & {
  values: { value: number; labels?: Sample['labels']; metricName?: string }[]
}

function toFamily({ name, type, help, aggregator, values }: ClientFamily): MetricFamily {
  const samples = values.map(({ value, labels = {}, metricName }) => ({
    value,
    labels,
    ...(metricName === undefined ? {} : { metricName }),
  }))
  return { name, type, help, aggregator, values: samples }
}

export default fp(metrics, { name: 'headrace-metrics', fastify: '5.x' })
