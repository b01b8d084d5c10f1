import type { Exchange } from '../downstream/exchange.ts'
import type { GatewayError } from '../http/problem.ts'

/**
 * What a request has to pass on its route before anything answers it, in this order. Whatever is cheaper, and keeps load
 * away from what follows, comes first.
 *
 * - `dress`: what every answer carries, whatever it is: it refuses nobody
 * - `pressure`: whether there is room for it now
 * - `address`: whether its client's address may call
 * - `cors`: preflights of browsers, which carry no credentials
 * - `limit`: how often, for what is known without credentials
 * - `access`: who calls, and whether that may be
 * - `priority`: whether there is room for who calls
 * - `allowance`: how often, and how much, for who calls
 * - `request`: what a request may be like
 * - `validation`: whether it is what the upstream's specification says
 */
export const GATE_STEPS = [
  'dress',
  'pressure',
  'address',
  'cors',
  'limit',
  'access',
  'priority',
  'allowance',
  'request',
  'validation',
] as const
export type GateStep = (typeof GATE_STEPS)[number]

/** The gate has answered by itself, and set `status`: a preflight, a way to a login. Nothing else answers then. */
export const ANSWERED = Symbol('headrace.answered')

/** `undefined`: the request passes. */
export type Verdict = GatewayError | typeof ANSWERED | undefined

/**
 * One condition of a route. It is asked once a request, ahead of the cache, on the lane and through Fastify alike: what it
 * decides holds for hits too.
 */
export interface Gate {
  readonly step: GateStep
  /** What it asks for, in one line, as `headrace explain` tells it. */
  readonly description: string
  /**
   * At once wherever it can: a promise costs a hit more than the hit itself. Who has to wait bounds the wait, and answers
   * with an error of its own then; a rejection is a fault of the gateway (500).
   *
   * It may write to `exchange.fields`, `exchange.identity`, and by `dress` what only this client is told.
   */
  check(exchange: Exchange): Verdict | Promise<Verdict>
  /**
   * It does nothing but turn away what there is no room for, and nothing is lost where it is not asked: answers that cost no
   * more than its refusal may be given past it.
   */
  readonly sheds?: boolean
  /**
   * The same as {@link check}, at once, for a request that may still be asked of nobody: its head was read off the socket, and
   * to refuse it there costs a fifth. What it lets pass it is not asked again.
   */
  early?(exchange: Exchange): GatewayError | undefined
  /** The exchange that it let pass is over, whatever became of it. Never throws. */
  readonly finish?: ((exchange: Exchange) => void) | undefined
}

/** Makes the gate of a route, or `null` where the route asks for none. */
export type GateMaker<Route> = (route: Route) => Gate | null
