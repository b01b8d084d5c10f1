import type { Exchange } from '../downstream/exchange.ts'
import type { RoutePlan } from './plan.ts'
import type { ProxyContext } from './proxy-context.ts'

/** A copy of a request, for somebody else. */
export interface RequestCopy {
  /** The request itself has been sent. Never throws. */
  start(): void
}

/** Copies requests of a route to an upstream that answers nobody. */
export interface RouteMirror {
  /** To be called before the request is sent, which adds to its fields. Never throws. @returns `null`: not this one */
  copyOf(exchange: Exchange<RoutePlan>, context: ProxyContext): RequestCopy | null
}
