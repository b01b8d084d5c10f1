import type { CacheContext, CacheExchange, OriginReply } from '../cache/context.ts'
import { ResponseCache } from '../cache/response-cache.ts'
import { InternalError } from '../http/errors.ts'
import type { InternalErrors } from '../monitor/internal-errors.ts'
import type { ProxyPlan } from '../proxy/plan.ts'
import type { ProxyContext } from '../proxy/proxy-context.ts'
import { startCall } from '../proxy/start-call.ts'
import type { GatewayExchange } from './exchanges.ts'

export type LaneCacheOptions = Pick<
  CacheContext,
  'store' | 'tier' | 'purges' | 'policiesAt' | 'passes' | 'variations' | 'now'
>

/**
 * The cache of a lane. What it passes on goes by the lane's context; its own requests by one of their own, for their answers
 * may be stored: they get nothing that is said to one client.
 */
export function createLaneCache(
  options: LaneCacheOptions,
  { context, internalErrors }: { context: ProxyContext; internalErrors: Pick<InternalErrors, 'record'> },
): ResponseCache {
  const fetching: ProxyContext = {
    ...context,
    toClient: false,
    sendTimeoutMs: 0,
    refuse: ({ reply }, error) => (reply as OriginReply).refused(error),
    broke: ({ reply, requestId }, error) => {
      internalErrors.record(error, requestId)
      if (reply.headSent) reply.abort()
      else (reply as OriginReply).refused(new InternalError())
    },
    finish: () => undefined,
  }
  const call = (by: ProxyContext, exchange: CacheExchange): void =>
    startCall(by, exchange as GatewayExchange, exchange.plan as ProxyPlan)
  return new ResponseCache({
    ...options,
    deadlines: context.deadlines,
    sendTimeoutMs: context.sendTimeoutMs,
    serverTiming: context.serverTiming,
    origin: {
      pass: (exchange) => call(context, exchange),
      fetch: (request) => call(fetching, request),
      refuse: (exchange, error) => context.refuse(exchange as GatewayExchange, error),
      broke: (exchange, error) => context.broke(exchange as GatewayExchange, error),
      failed: (error) => internalErrors.record(error, ''),
      finish: (exchange) => context.finish(exchange as GatewayExchange),
    },
  })
}
