import type { BreakerState } from './breaker/breaker.ts'
import type { EjectionNews } from './health/outliers.ts'

/** What happens to upstreams and is worth telling: for the log, and for whoever watches. */
export type UpstreamEvent =
  | { type: 'targets'; upstream: string; added: readonly string[]; removed: readonly string[] }
  | { type: 'lookup-failed'; upstream: string; name: string; reason: string }
  /** By what it answers to health checks. */
  | { type: 'healthy' | 'unhealthy'; upstream: string; target: string; reason: string }
  /** By what becomes of requests; `followed`: of those of another process. */
  | ({ type: 'ejected'; upstream: string; target: string } & EjectionNews)
  | { type: 'returned'; upstream: string; target: string }
  /** @property reason why it has opened; empty else */
  | { type: 'breaker'; upstream: string; target: string; from: BreakerState; to: BreakerState; reason: string }
  /** So few targets are in good health that all are used, or no longer. */
  | { type: 'panic' | 'panic-over'; upstream: string }

export type UpstreamListener = (event: UpstreamEvent) => void
