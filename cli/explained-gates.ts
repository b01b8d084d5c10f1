import { gateMakers } from '../app/gate-makers.ts'
import type { Config } from '../config/config.ts'
import type { Access } from '../services/access/access.ts'
import type { GateMaker } from '../services/gate/gate.ts'
import { type Gates, gatesOf } from '../services/gate/gates.ts'
import { routeGates } from '../services/lane/route-gates.ts'
import { Limits } from '../services/limit/limits.ts'
import { LimitStore } from '../services/limit/limit-store.ts'
import { Pressure } from '../services/pressure/pressure.ts'
import type { RouteOptions } from '../services/routing/options.ts'

/**
 * Makers of the gates of a gateway that has nothing to do.
 *
 * @param access `null`: without those that ask who calls
 */
export function idleGates(config: Config, access: Access | null): GateMaker<RouteOptions>[] {
  const limits = new Limits(config, new LimitStore(null))
  const unused = { random: Math.random, load: { inFlight: 0 } }
  const pressure = config.pressure === null ? null : new Pressure(config.pressure, unused)
  return [...routeGates, ...gateMakers({ access, limits, pressure })]
}

/** The gates of a route that the configuration alone makes, of which nobody asks anything but what they are. */
export function explainedGates(config: Config, route: RouteOptions): Gates | null {
  return gatesOf(route, idleGates(config, null))
}
