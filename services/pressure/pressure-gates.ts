import type { Exchange } from '../downstream/exchange.ts'
import { type Priority, PRIORITIES } from '../downstream/priority.ts'
import type { Gate, GateMaker, Verdict } from '../gate/gate.ts'
import type { GatewayError } from '../http/problem.ts'
import { classOf, type ClassIndex, CRITICAL } from './classes.ts'
import type { Pressure } from './pressure.ts'

interface Prioritised {
  priority: Priority
}

export interface PressureGateParts<Route> {
  pressure: Pressure
  /** Whether callers of a route are asked who they are. */
  identifies: (route: Route) => boolean
  /** The highest priority that a caller may have of their own, at present. */
  highest: () => Priority
}

/**
 * Up to two gates a route: where nobody is asked who they are, everybody is anonymous, and one gate decides at once. Else it
 * turns away ahead of `access` what would not pass whoever calls, and a second one, behind it, the rest: so most of a flood
 * costs no verification, and nobody is taken for less than they are.
 */
export function pressureGates<Route extends Prioritised>(parts: PressureGateParts<Route>): GateMaker<Route>[] {
  return [(route) => firstGate(route, parts), (route) => secondGate(route, parts)]
}

/** Whether it asks callers who they are. */
export function identifies({ access }: { access: { by: readonly string[] } | null }): boolean {
  return access !== null && access.by.length > 0
}

function firstGate<Route extends Prioritised>(route: Route, parts: PressureGateParts<Route>): Gate | null {
  const { pressure } = parts
  if (parts.identifies(route)) return new UnknownGate(pressure, () => bestClass(route.priority, parts.highest()))
  const index = classOf(route.priority, true)
  return index === CRITICAL ? null : new KnownGate(pressure, index, route.priority)
}

function secondGate<Route extends Prioritised>(route: Route, parts: PressureGateParts<Route>): Gate | null {
  const { pressure, highest } = parts
  const { priority } = route
  return parts.identifies(route) ? new CallerGate(pressure, priority, () => bestClass(priority, highest())) : null
}

/** Of the most important that may call a route. */
function bestClass(route: Priority, highest: Priority): ClassIndex {
  const best = PRIORITIES.indexOf(highest) > PRIORITIES.indexOf(route) ? highest : route
  return classOf(best, false)
}

class KnownGate implements Gate {
  readonly step = 'pressure'
  readonly sheds = true
  readonly description: string
  readonly #pressure: Pressure
  readonly #class: ClassIndex

  constructor(pressure: Pressure, index: ClassIndex, priority: Priority) {
    this.#pressure = pressure
    this.#class = index
    this.description = `turned away with 503 while the gateway is overloaded, by its priority: ${priority}`
  }

  check(): Verdict {
    return this.#pressure.admit(this.#class)
  }

  early(): GatewayError | undefined {
    return this.#pressure.admit(this.#class)
  }
}

class UnknownGate implements Gate {
  readonly step = 'pressure'
  readonly sheds = true
  readonly description =
    'turned away with 503 while the gateway is overloaded, where nobody who may call would get through'
  readonly #pressure: Pressure
  readonly #best: () => ClassIndex

  constructor(pressure: Pressure, best: () => ClassIndex) {
    this.#pressure = pressure
    this.#best = best
  }

  check(): Verdict {
    return this.early()
  }

  early(): GatewayError | undefined {
    return this.#pressure.active ? this.#pressure.admitUnknown(this.#best()) : undefined
  }
}

class CallerGate implements Gate {
  readonly step = 'priority'
  readonly sheds = true
  readonly description: string
  readonly #pressure: Pressure
  readonly #best: () => ClassIndex
  readonly #priority: Priority

  constructor(pressure: Pressure, priority: Priority, best: () => ClassIndex) {
    this.#pressure = pressure
    this.#priority = priority
    this.#best = best
    this.description = `the same by the caller's priority, else the route's: ${priority}; who is anonymous goes first`
  }

  check({ identity }: Exchange): Verdict {
    const priority = identity?.priority ?? this.#priority
    return this.#pressure.admitKnown(classOf(priority, identity === undefined), this.#best())
  }
}
