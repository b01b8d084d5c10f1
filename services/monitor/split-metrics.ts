import { SPLIT_REASONS, type SplitCounters } from '../split/counters.ts'
import { family, type MetricDefinition, type MetricSource } from './families.ts'

const requests: MetricDefinition = {
  name: 'headrace_split_requests_total',
  type: 'counter',
  help: 'Requests of routes with several upstreams, by the side they went to and why: rule (a field or a cookie), sticky (as its client before), share (by the shares alone); those that the cache of the side has answered, too',
  labels: ['route', 'upstream', 'reason'],
}

/** How requests were divided, read when someone asks. */
export function splitMetrics(counters: Pick<SplitCounters, 'snapshot'>): MetricSource {
  return {
    definitions: [requests],
    collect() {
      const samples = counters
        .snapshot()
        .flatMap(({ route, upstream, counts }) =>
          SPLIT_REASONS.map((reason) => ({ labels: { route, upstream, reason }, value: counts[reason] })),
        )
      return [family(requests, samples)]
    },
  }
}
