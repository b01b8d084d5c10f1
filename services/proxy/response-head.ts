import type { Exchange } from '../downstream/exchange.ts'
import type { Forwarding } from '../downstream/forwarding.ts'
import { serverTiming } from '../downstream/server-timing.ts'
import { isEventStream } from '../http/media-type.ts'
import type { Target } from '../upstream/target.ts'
import { mapBack } from './map-back.ts'
import type { ProxyPlan, RoutePlan } from './plan.ts'
import type { UpstreamHead } from './response-fields.ts'

/** What the gateway knows of an answer besides its head. */
export interface AnswerContext {
  exchange: Exchange<RoutePlan>
  plan: ProxyPlan
  target: Target
  /** It came over HTTP/2. */
  http2: boolean
  forwarding: Forwarding
  /** It goes straight to a client; else it may be stored. */
  toClient: boolean
  serverTiming: boolean
  /** On the clock of `performance.now()`. */
  now: number
}

/**
 * Adds what the gateway has to say of an answer, in terms of the client's.
 *
 * @param fields of the head, those that are sent on
 */
export function completeHead(fields: string[], head: UpstreamHead, context: AnswerContext): void {
  const { exchange, target, forwarding, http2 } = context
  if (head.location !== undefined || head['content-location'] !== undefined || head['set-cookie'] !== undefined) {
    mapBack(fields, exchange, target)
  }
  if (head.date === undefined) fields.push('date', new Date().toUTCString())
  fields.push('via', forwarding.viaOf(http2 ? '2' : '1.1'))
  if (context.toClient) addForClient(fields, context)
}

/** What one client is told, and nobody who gets the same answer from a cache. */
function addForClient(fields: string[], context: AnswerContext): void {
  const { exchange, plan, target } = context
  const { requestId, cacheStatus, scheme } = exchange
  const { sticky } = plan.upstream
  fields.push('x-request-id', requestId)
  if (sticky !== null) sticky.addTo(fields, { request: exchange, id: target.stickyId, scheme })
  if (cacheStatus !== '') fields.push('cache-status', cacheStatus)
  if (context.serverTiming) fields.push('server-timing', serverTiming(exchange, context.now))
}

/** Whether an answer ends with its head (RFC 9112 §6.3). */
export function isBodyless(status: number, method: string): boolean {
  return status === 204 || status === 304 || method === 'HEAD'
}

/** How long its body may stand still, in ms; 0 for ever. Event streams are silent for long. */
export function bodyIdleMs(head: UpstreamHead, { timeout }: ProxyPlan): number {
  const type = head['content-type']
  return typeof type === 'string' && isEventStream(type) ? timeout.streamIdleMs : timeout.idleMs
}
