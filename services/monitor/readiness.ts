import type { TargetSnapshot } from '../upstream/snapshot.ts'
import { upstreamHealth } from './health.ts'

/** Whether requests should be sent here, and why not: the answer of `GET /ready`. */
export interface Readiness {
  ready: boolean
  draining: boolean
  /** Required upstreams without a usable target. */
  unavailable: string[]
}

/** What one process says, after every target of an unknown state has been probed. */
export function readinessOf(targets: readonly TargetSnapshot[], draining: boolean): Readiness {
  const unavailable = upstreamHealth(targets)
    .filter(({ required, targets: { up } }) => required && up === 0)
    .map(({ name }) => name)
  return { ready: !draining && unavailable.length === 0, draining, unavailable }
}

/** Ready where every process that answers is; a process that is being replaced does not count against the others. */
export function mergeReadiness(processes: readonly Readiness[]): Readiness {
  return {
    ready: processes.every(({ ready }) => ready),
    draining: processes.some(({ draining }) => draining),
    unavailable: [...new Set(processes.flatMap(({ unavailable }) => unavailable))],
  }
}
