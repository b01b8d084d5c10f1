import type { HistogramSnapshot } from '../monitor/histogram.ts'

/**
 * How one attempt at an upstream ended. A closed set: it is a metric label, a log field and a counter's name.
 *
 * - `response`: a complete response, of any status
 * - `connect_error`: no connection (refused, DNS, TLS) · `connect_timeout`: none in time
 * - `reset`: the connection broke before a response head · `invalid_response`: what came is not HTTP
 * - `first_byte_timeout`, `total_timeout`: no response head in time
 * - `truncated`: the body broke off · `idle_timeout`: the body stalled
 * - `client_abort`: the client left · `queue_full`: too many requests wait for a connection
 */
export const OUTCOMES = [
  'response',
  'connect_error',
  'connect_timeout',
  'reset',
  'invalid_response',
  'first_byte_timeout',
  'total_timeout',
  'truncated',
  'idle_timeout',
  'client_abort',
  'queue_full',
] as const
export type Outcome = (typeof OUTCOMES)[number]

/** What one target of an upstream looks like now: plain data, the answer of `upstreams.snapshot()`. */
export interface TargetSnapshot {
  upstream: string
  target: string
  required: boolean
  /** `unknown` until the first attempt; `down` when the last attempt could not connect. */
  state: 'unknown' | 'up' | 'down'
  connections: { limit: number; connected: number; free: number; running: number; pending: number; queued: number }
  outcomes: Record<Outcome, number>
  retries: number
  lastError: { outcome: Outcome; code: string; at: number } | null
  /** Milliseconds from dispatch to the response head, or to how else the attempt ended; only outcomes that occurred. */
  latency: Partial<Record<Outcome, HistogramSnapshot>>
}
