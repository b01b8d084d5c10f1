import type { Access } from '../services/access/access.ts'
import { highestPriority } from '../services/access/consumers/highest-priority.ts'
import type { GateMaker } from '../services/gate/gate.ts'
import type { Limits } from '../services/limit/limits.ts'
import type { Pressure } from '../services/pressure/pressure.ts'
import { identifies, pressureGates } from '../services/pressure/pressure-gates.ts'
import type { RouteOptions } from '../services/routing/options.ts'

export interface GateMakerParts {
  /** `null`: nobody can be asked who they are, as where gates are only described. */
  access: Access | null
  limits: Limits
  /** `null` where nothing is turned away. */
  pressure: Pressure | null
}

/** What makes the gates of a route that know more than its options, each for its own. */
export function gateMakers({ access, limits, pressure }: GateMakerParts): GateMaker<RouteOptions>[] {
  const makers: GateMaker<RouteOptions>[] = [...(access?.makers ?? []), ...limits.makers]
  if (pressure === null) return makers
  const highest = access === null ? () => 'normal' as const : highestPriority(access.consumers)
  return [...makers, ...pressureGates<RouteOptions>({ pressure, identifies, highest })]
}
