import type { AccessCounts } from '../access/counters.ts'
import { family, type MetricDefinition, type MetricSource } from './families.ts'

const allowed: MetricDefinition = {
  name: 'headrace_access_allowed_total',
  type: 'counter',
  help: 'Requests that were let through by who calls, by how that was shown; anonymous for routes that let anybody through',
  labels: ['scheme'],
}

const denied: MetricDefinition = {
  name: 'headrace_access_denied_total',
  type: 'counter',
  help: 'Requests that a gate of their route has turned away, by the step and the code of the problem that they were answered with. A step that grows is an attack, or a client that has lost its credentials',
  labels: ['step', 'code'],
}

/** What gates have decided, read when someone asks. */
export function accessMetrics(read: () => AccessCounts): MetricSource {
  return {
    definitions: [allowed, denied],
    collect() {
      const counts = read()
      return [
        family(
          allowed,
          counts.allowed.map(({ scheme, count }) => ({ labels: { scheme }, value: count })),
        ),
        family(
          denied,
          counts.denied.map(({ step, code, count }) => ({ labels: { step, code }, value: count })),
        ),
      ]
    },
  }
}
