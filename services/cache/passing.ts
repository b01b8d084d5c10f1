import { noteClientGone } from '../downstream/client-gone.ts'
import { type CacheContext, type CacheExchange, type Origin, routeCacheOf } from './context.ts'
import { cacheKey } from './key.ts'
import { type ForwardReason, forwardStatus } from './rules/cache-status.ts'
import { ToldReply } from './telling.ts'

/**
 * Sends a client's own request on, and its answer to it alone.
 *
 * @param watch puts itself before the exchange's reply: it is told what the origin says, not what the route makes of it
 */
export function passOn(
  { origin, now }: Pick<CacheContext, 'origin' | 'now'>,
  exchange: CacheExchange,
  reason: ForwardReason,
  watch?: () => void,
): void {
  exchange.cacheResult = 'pass'
  const { policy } = routeCacheOf(exchange)
  // What is not looked up has no key.
  const key = policy.details && reason !== 'method' && reason !== 'bypass' ? cacheKey(policy, exchange) : undefined
  exchange.cacheStatus = forwardStatus({ reason, key })
  if (policy.send !== null) exchange.reply = new ToldReply(exchange.reply, exchange, now)
  watch?.()
  origin.pass(exchange)
}

/** Books that the client has left before there was an answer. */
export function clientLeft(origin: Pick<Origin, 'finish'>, exchange: CacheExchange): void {
  exchange.work = undefined
  noteClientGone(exchange)
  origin.finish(exchange)
}
