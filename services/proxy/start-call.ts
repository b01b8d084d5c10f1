import type { Exchange } from '../downstream/exchange.ts'
import type { HedgeOptions } from '../upstream/retry/options.ts'
import { setField } from '../http/request-fields.ts'
import { GuardedCall } from './guarded-call.ts'
import { HedgedCall } from './hedged-call.ts'
import type { ProxyPlan, RoutePlan } from './plan.ts'
import type { ProxyContext } from './proxy-call.ts'
import type { ResponseStage } from './response-stage.ts'
import { isIdempotent } from './retries.ts'
import { StagedReply } from './staged-reply.ts'

/**
 * Sends a request to its upstream, to a second target where its route has it so and it may be repeated, and a copy of it to
 * the route's shadow.
 */
export function startCall(context: ProxyContext, exchange: Exchange<RoutePlan>, plan: ProxyPlan): void {
  if (plan.stages === null) send(context, exchange, plan)
  else sendStaged(context, exchange, plan as ProxyPlan & { stages: readonly ResponseStage[] })
}

/** What comes back goes through the stages of its route first, before any cache. */
function sendStaged(
  context: ProxyContext,
  exchange: Exchange<RoutePlan>,
  plan: ProxyPlan & { stages: readonly ResponseStage[] },
): void {
  const { stages } = plan
  const reply = new StagedReply(exchange.reply, { exchange, stages, context })
  exchange.reply = reply
  // Of an answer that is coded nobody here can tell what it says; the client's own coding is made behind the cache.
  if (stages.some(({ readsBodies }) => readsBodies)) setField(exchange.fields.kept, 'accept-encoding', 'identity')
  send(reply.context, exchange, plan)
}

function send(context: ProxyContext, exchange: Exchange<RoutePlan>, plan: ProxyPlan): void {
  const copy = plan.mirror === null ? null : plan.mirror.copyOf(exchange, context)
  if (plan.hedge !== null && exchange.body === null && isIdempotent(exchange.method)) {
    new HedgedCall(context, exchange, plan as ProxyPlan & { hedge: HedgeOptions }).start()
  } else {
    new GuardedCall(context, exchange, plan).start()
  }
  if (copy !== null) copy.start()
}
