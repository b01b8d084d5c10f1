import type { Config } from '../config/config.ts'
import type { GateMaker } from '../services/gate/gate.ts'
import { type Gates, gatesOf } from '../services/gate/gates.ts'
import { routeGates } from '../services/lane/route-gates.ts'
import { Limits } from '../services/limit/limits.ts'
import { LimitStore } from '../services/limit/limit-store.ts'
import { Pressure } from '../services/pressure/pressure.ts'
import { identifies, pressureGates } from '../services/pressure/pressure-gates.ts'
import type { RouteOptions } from '../services/routing/options.ts'

/** Makers of the gates that know all they need from the configuration, in a gateway that has nothing to do. */
export function configuredGates(config: Config): GateMaker<RouteOptions>[] {
  const { pressure } = config
  const limits = new Limits(config, new LimitStore(null))
  const makers: GateMaker<RouteOptions>[] = [...routeGates, ...limits.makers]
  if (pressure !== null) {
    const unused = new Pressure(pressure, { random: Math.random, load: { inFlight: 0 } })
    makers.push(...pressureGates<RouteOptions>({ pressure: unused, identifies, highest: () => 'normal' }))
  }
  return makers
}

/** The gates of a route that the configuration alone makes, of which nobody asks anything but what they are. */
export function explainedGates(config: Config, route: RouteOptions): Gates | null {
  return gatesOf(route, configuredGates(config))
}
