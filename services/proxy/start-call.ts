import type { Exchange } from '../downstream/exchange.ts'
import type { HedgeOptions } from '../upstream/retry/options.ts'
import { GuardedCall } from './guarded-call.ts'
import { HedgedCall } from './hedged-call.ts'
import type { ProxyPlan, RoutePlan } from './plan.ts'
import type { ProxyContext } from './proxy-context.ts'
import { isIdempotent } from './retries.ts'
import { StagedCall } from './staged-call.ts'

/** Sends a request to its upstream, through what its route has on the way there and back. */
export function startCall(context: ProxyContext, exchange: Exchange<RoutePlan>, plan: ProxyPlan): void {
  if (plan.stages === null && plan.requests === null) send(context, exchange, plan)
  else new StagedCall(context, exchange, { plan, send }).start()
}

/**
 * Sends a request to its upstream, to a second target where its route has it so and it may be repeated, and a copy of it to
 * the route's shadow.
 */
function send(context: ProxyContext, exchange: Exchange<RoutePlan>, plan: ProxyPlan): void {
  const copy = plan.mirror === null ? null : plan.mirror.copyOf(exchange, context)
  if (plan.hedge !== null && exchange.body === null && isIdempotent(exchange.method)) {
    new HedgedCall(context, exchange, plan as ProxyPlan & { hedge: HedgeOptions }).start()
  } else {
    new GuardedCall(context, exchange, plan).start()
  }
  if (copy !== null) copy.start()
}
