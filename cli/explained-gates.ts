import type { Config } from '../config/config.ts'
import type { GateMaker } from '../services/gate/gate.ts'
import { type Gates, gatesOf } from '../services/gate/gates.ts'
import { routeGates } from '../services/lane/route-gates.ts'
import { Pressure } from '../services/pressure/pressure.ts'
import { identifies, pressureGates } from '../services/pressure/pressure-gates.ts'
import type { RouteOptions } from '../services/routing/options.ts'

/** The gates of a route as the gateway would make them, of which nobody asks anything but what they are. */
export function explainedGates({ pressure }: Config, route: RouteOptions): Gates | null {
  const makers: GateMaker<RouteOptions>[] = [...routeGates]
  if (pressure !== null) {
    const unused = new Pressure(pressure, { random: Math.random, load: { inFlight: 0 } })
    makers.push(...pressureGates<RouteOptions>({ pressure: unused, identifies, highest: () => 'normal' }))
  }
  return gatesOf(route, makers)
}
