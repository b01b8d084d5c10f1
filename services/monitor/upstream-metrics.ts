import { OUTCOMES, type TargetSnapshot } from '../upstream/snapshot.ts'
import { durationSamples, family, type MetricDefinition, type MetricSource, type Sample } from './families.ts'

const TARGET = ['upstream', 'target'] as const
/** In the order of their severity: the worst of several processes wins. */
const STATE_VALUES = { down: 0, unknown: 0.5, up: 1 } as const
const CONNECTION_STATES = ['connected', 'free', 'running', 'pending', 'queued'] as const

const up: MetricDefinition = {
  name: 'headrace_upstream_up',
  type: 'gauge',
  help: 'Whether the last attempt could connect: 1 yes, 0 no, 0.5 not tried yet; of several processes the lowest',
  labels: TARGET,
  aggregator: 'min',
}

const connections: MetricDefinition = {
  name: 'headrace_upstream_connections',
  type: 'gauge',
  help: 'The pool of a target by state: connected and free connections; running, pending and queued requests',
  labels: [...TARGET, 'state'],
}

const limit: MetricDefinition = {
  name: 'headrace_upstream_connections_limit',
  type: 'gauge',
  help: 'Connections a target may have, all processes together',
  labels: TARGET,
}

const attempts: MetricDefinition = {
  name: 'headrace_upstream_attempts_total',
  type: 'counter',
  help: 'Attempts at a target by how they ended; response is a complete one of any status',
  labels: [...TARGET, 'outcome'],
}

const retries: MetricDefinition = {
  name: 'headrace_upstream_retries_total',
  type: 'counter',
  help: 'Requests sent a second time because a reused idle connection broke',
  labels: TARGET,
}

const duration: MetricDefinition = {
  name: 'headrace_upstream_attempt_seconds',
  type: 'histogram',
  help: "From sending a request to the head of the target's response, or to how else the attempt ended",
  labels: [...TARGET, 'outcome'],
}

/** The pools and outcomes of every upstream target, read when someone asks. */
export function upstreamMetrics(upstreams: { snapshot(): TargetSnapshot[] }): MetricSource {
  return {
    definitions: [up, connections, limit, attempts, retries, duration],
    collect() {
      const targets = upstreams.snapshot().map((snapshot) => ({
        snapshot,
        labels: { upstream: snapshot.upstream, target: snapshot.target },
      }))
      const each = (samples: (target: (typeof targets)[number]) => Sample[]): Sample[] => targets.flatMap(samples)
      return [
        family(
          up,
          each(({ snapshot, labels }) => [{ labels, value: STATE_VALUES[snapshot.state] }]),
        ),
        family(
          connections,
          each(({ snapshot, labels }) =>
            CONNECTION_STATES.map((state) => ({ labels: { ...labels, state }, value: snapshot.connections[state] })),
          ),
        ),
        family(
          limit,
          each(({ snapshot, labels }) => [{ labels, value: snapshot.connections.limit }]),
        ),
        family(
          attempts,
          each(({ snapshot, labels }) =>
            OUTCOMES.map((outcome) => ({ labels: { ...labels, outcome }, value: snapshot.outcomes[outcome] })),
          ),
        ),
        family(
          retries,
          each(({ snapshot, labels }) => [{ labels, value: snapshot.retries }]),
        ),
        family(
          duration,
          each(({ snapshot, labels }) =>
            Object.entries(snapshot.latency).flatMap(([outcome, held]) =>
              durationSamples(duration.name, { ...labels, outcome }, held),
            ),
          ),
        ),
      ]
    },
  }
}
