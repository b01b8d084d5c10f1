import { DROP_REASONS, type MirrorCounters } from '../mirror/counters.ts'
import { family, type MetricDefinition, type MetricSource } from './families.ts'

const LABELS = ['route', 'upstream'] as const

const sent: MetricDefinition = {
  name: 'headrace_mirror_sent_total',
  type: 'counter',
  help: 'Copies of requests that were given to the shadow upstream of their route',
  labels: LABELS,
}

const failed: MetricDefinition = {
  name: 'headrace_mirror_failed_total',
  type: 'counter',
  help: 'Copies that the shadow did not answer, or not wholly; no client has noticed',
  labels: LABELS,
}

const dropped: MetricDefinition = {
  name: 'headrace_mirror_dropped_total',
  type: 'counter',
  help: 'Requests that were to be copied and were not, by reason: busy (as many copies as may be were under way), body_too_large, body_incomplete (it did not come whole, or its own upstream did not take it)',
  labels: [...LABELS, 'reason'],
}

/** What became of copies, read when someone asks. */
export function mirrorMetrics(counters: Pick<MirrorCounters, 'snapshot'>): MetricSource {
  return {
    definitions: [sent, failed, dropped],
    collect() {
      const all = counters.snapshot().map(({ route, upstream, counts }) => ({ labels: { route, upstream }, counts }))
      return [
        family(
          sent,
          all.map(({ labels, counts }) => ({ labels, value: counts.sent })),
        ),
        family(
          failed,
          all.map(({ labels, counts }) => ({ labels, value: counts.failed })),
        ),
        family(
          dropped,
          all.flatMap(({ labels, counts }) =>
            DROP_REASONS.map((reason) => ({ labels: { ...labels, reason }, value: counts.dropped[reason] })),
          ),
        ),
      ]
    },
  }
}
