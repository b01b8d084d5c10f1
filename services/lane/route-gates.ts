import { corsGate } from '../cors/cors-gate.ts'
import type { GateMaker } from '../gate/gate.ts'
import { requestGate } from '../request/request-gate.ts'
import type { RouteOptions } from '../routing/options.ts'
import { securityGate } from '../security-headers/security-gate.ts'

/** Makers of the gates that know all they need from the options of their route. */
export const routeGates: readonly GateMaker<RouteOptions>[] = [securityGate, corsGate, requestGate]
