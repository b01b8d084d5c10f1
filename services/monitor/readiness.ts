import type { TargetSnapshot } from '../upstream/snapshot.ts'
import { upstreamHealth } from './health.ts'

/** Whether requests should be sent here, and why not: the answer of `GET /ready`. */
export interface Readiness {
  ready: boolean
  draining: boolean
  /** Required upstreams without a usable target. */
  unavailable: string[]
  /** All routes are in maintenance. */
  maintenance: boolean
}

/** What one process says of all routes at once. */
export interface InMaintenance {
  /** Requests should be sent here all the same, for their clients to be told. */
  ready: boolean
}

/**
 * What one process says, after every target of an unknown state has been probed. In maintenance nobody waits for upstreams:
 * they may well be what is worked on.
 *
 * @param maintenance `null`: not all routes are
 */
export function readinessOf(
  targets: readonly TargetSnapshot[],
  draining: boolean,
  maintenance: InMaintenance | null = null,
): Readiness {
  const unavailable = upstreamHealth(targets)
    .filter(({ required, targets: { up } }) => required && up === 0)
    .map(({ name }) => name)
  const isOfUse = maintenance === null ? unavailable.length === 0 : maintenance.ready
  return { ready: !draining && isOfUse, draining, unavailable, maintenance: maintenance !== null }
}

/** Ready where every process that answers is; a process that is being replaced does not count against the others. */
export function mergeReadiness(processes: readonly Readiness[]): Readiness {
  return {
    ready: processes.every(({ ready }) => ready),
    draining: processes.some(({ draining }) => draining),
    unavailable: [...new Set(processes.flatMap(({ unavailable }) => unavailable))],
    maintenance: processes.some(({ maintenance }) => maintenance),
  }
}
