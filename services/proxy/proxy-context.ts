import type { Exchange } from '../downstream/exchange.ts'
import type { Forwarding } from '../downstream/forwarding.ts'
import type { GatewayError } from '../http/problem.ts'
import type { Deadlines } from '../upstream/deadlines.ts'
import type { RoutePlan } from './plan.ts'

/** What every call of a gateway shares. */
export interface ProxyContext {
  deadlines: Deadlines
  forwarding: Forwarding
  bodyBytes: number
  /** How long a client may take nothing of its answer; 0 for ever. */
  sendTimeoutMs: number
  serverTiming: boolean
  /** Whether the answer goes straight to a client, and gets what is said to that one alone; else it may be stored. */
  toClient: boolean
  /** Tells the client of a failure, while nothing has been sent. */
  refuse(exchange: Exchange<RoutePlan>, error: GatewayError): void
  /** The gateway itself has failed: tells the client, or breaks off. Never throws; books the end as `finish` does. */
  broke(exchange: Exchange<RoutePlan>, error: unknown): void
  /** Books the end of an exchange. Called exactly once for each. */
  finish(exchange: Exchange<RoutePlan>): void
}
