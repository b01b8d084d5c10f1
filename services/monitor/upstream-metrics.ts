import { OUTCOMES, RETRY_REASONS, type TargetSnapshot, type TargetState } from '../upstream/snapshot.ts'
import {
  durationSamples,
  family,
  type MetricDefinition,
  type MetricFamily,
  type MetricSource,
  type Sample,
} from './families.ts'

const TARGET = ['upstream', 'target'] as const
/** In the order of their severity: the worst of several processes wins. */
const STATE_VALUES = {
  down: 0,
  unhealthy: 0,
  ejected: 0,
  open: 0,
  draining: 0,
  unknown: 0.5,
  up: 1,
} as const satisfies Record<TargetState, number>
const CONNECTION_STATES = ['connected', 'free', 'running', 'pending', 'queued'] as const

const up: MetricDefinition = {
  name: 'headrace_upstream_up',
  type: 'gauge',
  help: 'Whether a target is of use: 1 yes, 0 no (not reached, unhealthy, ejected, its breaker open, draining), 0.5 not tried yet; of several processes the lowest',
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
  help: 'Requests sent again after a failure at a target, or to a second one as well, by reason: stale (over a reused idle connection that broke), connect, reset, timeout, status, hedge',
  labels: [...TARGET, 'reason'],
}

const denied: MetricDefinition = {
  name: 'headrace_upstream_retries_denied_total',
  type: 'counter',
  help: 'Failures at a target that were not tried again because the retry budget of its upstream was spent',
  labels: TARGET,
}

const duration: MetricDefinition = {
  name: 'headrace_upstream_attempt_seconds',
  type: 'histogram',
  help: "From sending a request to the head of the target's response, or to how else the attempt ended",
  labels: [...TARGET, 'outcome'],
}

const weight: MetricDefinition = {
  name: 'headrace_upstream_weight',
  type: 'gauge',
  help: "Share of the requests that a target gets, in relation to the others'; less than configured while it starts slowly",
  labels: TARGET,
  aggregator: 'average',
}

const checks: MetricDefinition = {
  name: 'headrace_upstream_checks_total',
  type: 'counter',
  help: 'Health checks of a target by their result: passed or failed',
  labels: [...TARGET, 'result'],
}

const BREAKER_VALUES = { closed: 0, 'half-open': 0.5, open: 1 } as const

const breakerOpen: MetricDefinition = {
  name: 'headrace_upstream_breaker_open',
  type: 'gauge',
  help: 'The circuit breaker of a target: 0 closed, 0.5 half-open, 1 open; of several processes the highest',
  labels: TARGET,
  aggregator: 'max',
}

const breakerOpened: MetricDefinition = {
  name: 'headrace_upstream_breaker_opened_total',
  type: 'counter',
  help: 'How often the circuit breaker of a target has opened',
  labels: TARGET,
}

const ejections: MetricDefinition = {
  name: 'headrace_upstream_ejections_total',
  type: 'counter',
  help: 'How often a target was left alone for a while because it failed more than others',
  labels: TARGET,
}

const concurrencyLimit: MetricDefinition = {
  name: 'headrace_upstream_concurrency_limit',
  type: 'gauge',
  help: 'Requests that an upstream is asked at a time, as found out from how long its answers take to begin; all processes together',
  labels: ['upstream'],
}

const concurrencyUsed: MetricDefinition = {
  name: 'headrace_upstream_concurrency',
  type: 'gauge',
  help: 'Requests of an upstream with such a limit by state: in_flight (the answer has not begun), waiting (for a turn)',
  labels: ['upstream', 'state'],
}

const concurrencyRefused: MetricDefinition = {
  name: 'headrace_upstream_concurrency_refused_total',
  type: 'counter',
  help: 'Requests that were answered 503 because an upstream had as many as it takes; a rate above 0 wants more of it',
  labels: ['upstream'],
}

/** The limits of upstreams: what each target says is its upstream's. */
function concurrencyFamilies(targets: readonly TargetSnapshot[]): MetricFamily[] {
  const byUpstream = new Map(targets.map(({ upstream, concurrency }) => [upstream, concurrency]))
  const limited = [...byUpstream].flatMap(([upstream, held]) => (held === null ? [] : [{ upstream, held }]))
  return [
    family(
      concurrencyLimit,
      limited.map(({ upstream, held }) => ({ labels: { upstream }, value: held.limit })),
    ),
    family(
      concurrencyUsed,
      limited.flatMap(({ upstream, held }) => [
        { labels: { upstream, state: 'in_flight' }, value: held.inFlight },
        { labels: { upstream, state: 'waiting' }, value: held.waiting },
      ]),
    ),
    family(
      concurrencyRefused,
      limited.map(({ upstream, held }) => ({ labels: { upstream }, value: held.refused })),
    ),
  ]
}

/** The pools and outcomes of every upstream target, read when someone asks. */
export function upstreamMetrics(upstreams: { snapshot(): TargetSnapshot[] }): MetricSource {
  return {
    definitions: [
      up,
      weight,
      connections,
      limit,
      attempts,
      retries,
      denied,
      checks,
      breakerOpen,
      breakerOpened,
      ejections,
      duration,
      concurrencyLimit,
      concurrencyUsed,
      concurrencyRefused,
    ],
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
          weight,
          each(({ snapshot, labels }) => [{ labels, value: snapshot.weight }]),
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
          each(({ snapshot, labels }) =>
            RETRY_REASONS.map((reason) => ({ labels: { ...labels, reason }, value: snapshot.retries[reason] })),
          ),
        ),
        family(
          denied,
          each(({ snapshot, labels }) => [{ labels, value: snapshot.retriesDenied }]),
        ),
        family(
          checks,
          each(({ snapshot: { check }, labels }) =>
            check === null
              ? []
              : (['passed', 'failed'] as const).map((result) => ({
                  labels: { ...labels, result },
                  value: check[result],
                })),
          ),
        ),
        family(
          breakerOpen,
          each(({ snapshot: { breaker }, labels }) =>
            breaker === null ? [] : [{ labels, value: BREAKER_VALUES[breaker.state] }],
          ),
        ),
        family(
          breakerOpened,
          each(({ snapshot: { breaker }, labels }) => (breaker === null ? [] : [{ labels, value: breaker.opened }])),
        ),
        family(
          ejections,
          each(({ snapshot, labels }) => [{ labels, value: snapshot.ejections.count }]),
        ),
        family(
          duration,
          each(({ snapshot, labels }) =>
            Object.entries(snapshot.latency).flatMap(([outcome, held]) =>
              durationSamples(duration.name, { ...labels, outcome }, held),
            ),
          ),
        ),
        ...concurrencyFamilies(targets.map(({ snapshot }) => snapshot)),
      ]
    },
  }
}
