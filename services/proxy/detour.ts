import type { Exchange } from '../downstream/exchange.ts'
import type { UpgradingClient } from '../downstream/upgrading-client.ts'
import type { GatewayError } from '../http/problem.ts'
import type { ProxyPlan, RoutePlan } from './plan.ts'

/** How an exchange ends that the gateway answers by itself. */
export interface Ends {
  /** Answers with a problem, and books the end. */
  refuse(exchange: Exchange<RoutePlan>, error: GatewayError): void
  /** The gateway itself has failed. Never throws; books the end. */
  broke(exchange: Exchange<RoutePlan>, error: unknown): void
  /** Books the end of an exchange that is answered. */
  finish(exchange: Exchange<RoutePlan>): void
}

/** How a request for WebSocket goes on. */
export interface UpgradeWay {
  plan: ProxyPlan
  /** Whom the change of protocol is told. */
  client: UpgradingClient
}

/** What sees to the requests of a route before any upstream is asked. */
export interface Detour {
  /** Plans by which requests go on from here; empty where all end here. */
  readonly plans: readonly ProxyPlan[]
  /** @returns how the request goes on; `null`: it is answered here, now or later */
  take(exchange: Exchange<RoutePlan>, ends: Ends): ProxyPlan | null
  /** The same of a request for WebSocket. @returns `null`: none is served, and nothing is done */
  upgrade(exchange: Exchange<RoutePlan>, client: UpgradingClient): UpgradeWay | null
}
