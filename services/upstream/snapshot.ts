import type { BreakerState } from './breaker/breaker.ts'
import type { ConcurrencySnapshot } from './concurrency/limiter.ts'
import type { HistogramSnapshot } from '../monitor/histogram.ts'

/**
 * How one attempt at an upstream ended. A closed set: it is a metric label, a log field and a counter's name.
 *
 * - `response`: a complete response, of any status
 * - `connect_error`: no connection (refused, DNS, TLS) · `connect_timeout`: none in time
 * - `out_of_resources`: no connection for want of a file descriptor, a local port or memory of the gateway's machine
 * - `reset`: the connection broke before a response head · `invalid_response`: what came is not HTTP
 * - `first_byte_timeout`, `total_timeout`: no response head in time
 * - `truncated`: the body broke off · `idle_timeout`: the body stalled
 * - `client_abort`: the client left · `queue_full`: too many requests wait for a connection
 * - `superseded`: another attempt at the same request has answered first (hedging)
 * - `internal_error`: the gateway itself failed on it, which says nothing of the upstream
 */
export const OUTCOMES = [
  'response',
  'connect_error',
  'connect_timeout',
  'out_of_resources',
  'reset',
  'invalid_response',
  'first_byte_timeout',
  'total_timeout',
  'truncated',
  'idle_timeout',
  'client_abort',
  'queue_full',
  'superseded',
  'internal_error',
] as const
export type Outcome = (typeof OUTCOMES)[number]

/** Ends that are no doing of the target's. */
export const BLAMELESS: ReadonlySet<Outcome> = new Set([
  'client_abort',
  'superseded',
  'internal_error',
  'out_of_resources',
])

/** Why a request is sent once more, or to a second target (`hedge`). */
export const RETRY_REASONS = ['stale', 'connect', 'reset', 'timeout', 'status', 'hedge'] as const
export type RetryReason = (typeof RETRY_REASONS)[number]

/**
 * What a target is good for.
 *
 * - `unknown`: not tried yet · `up`, `down`: the last attempt could connect, or not
 * - `unhealthy`: it fails its health checks · `ejected`: it fails more than others, and is left alone for a while
 * - `open`: its breaker is open
 * - `draining`: it gets no new requests, because it leaves or was told so
 */
const TARGET_STATES = ['unknown', 'up', 'down', 'unhealthy', 'ejected', 'open', 'draining'] as const
export type TargetState = (typeof TARGET_STATES)[number]

/** What one target of an upstream looks like now: plain data, the answer of `upstreams.snapshot()`. */
export interface TargetSnapshot {
  upstream: string
  target: string
  required: boolean
  state: TargetState
  /** Its share of the requests, in relation to the others'. */
  weight: number
  connections: { limit: number; connected: number; free: number; running: number; pending: number; queued: number }
  outcomes: Record<Outcome, number>
  /** Requests that failed there and were sent again, by why; `stale`: over an idle connection that had been closed. */
  retries: Record<RetryReason, number>
  /** Those that were not, because the budget was spent. */
  retriesDenied: number
  lastError: { outcome: Outcome; code: string; at: number } | null
  /** What it has answered to health checks; `null` where it is not asked. */
  check: {
    passed: number
    failed: number
    last: { passed: boolean; reason: string; ms: number; at: number } | null
  } | null
  /** Its circuit breaker, and how often that has opened; `null` without one. */
  breaker: { state: BreakerState; opened: number } | null
  /** Of its upstream, all targets together: how many requests it is asked at a time; `null` where nobody minds. */
  concurrency: ConcurrencySnapshot | null
  /** How often it was left alone, and until when it is. */
  ejections: { count: number; now: { reason: string; until: number } | null }
  /** Milliseconds from dispatch to the response head, or to how else the attempt ended; only outcomes that occurred. */
  latency: Partial<Record<Outcome, HistogramSnapshot>>
}

/** A target that is none: a name in the configuration that has led to no address yet. */
export function absentTarget(
  written: Pick<TargetSnapshot, 'upstream' | 'target' | 'required' | 'weight'> & {
    limit: number
    failure: { error: Error & { code?: string }; at: number } | null
  },
): TargetSnapshot {
  const { limit, failure, ...rest } = written
  return {
    ...rest,
    state: 'down',
    connections: { limit, connected: 0, free: 0, running: 0, pending: 0, queued: 0 },
    outcomes: noOutcomes(),
    retries: { stale: 0, connect: 0, reset: 0, timeout: 0, status: 0, hedge: 0 },
    retriesDenied: 0,
    lastError:
      failure === null
        ? null
        : { outcome: 'connect_error', code: failure.error.code ?? failure.error.name, at: failure.at },
    check: null,
    breaker: null,
    concurrency: null,
    ejections: { count: 0, now: null },
    latency: {},
  }
}

/** A count of 0 for each outcome. */
export function noOutcomes(): Record<Outcome, number> {
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>
}
