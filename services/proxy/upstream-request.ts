import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Exchange } from '../downstream/exchange.ts'
import type { Forwarding } from '../downstream/forwarding.ts'
import type { RequestBody } from '../downstream/request-body.ts'
import type { ProxyPlan, RoutePlan } from './plan.ts'

/** Adds to the fields of a request what its upstream gets besides. To be called once. */
export function completeFields(exchange: Exchange<RoutePlan>, plan: ProxyPlan, forwarding: Forwarding): void {
  const { fields, authority } = exchange
  const { kept } = fields
  if (fields.contentLength !== undefined) kept.push('content-length', fields.contentLength)
  if (fields.trailers) kept.push('te', 'trailers')
  if (plan.upstream.options.host === 'preserve' && authority !== '') kept.push('host', authority)
  forwarding.addTo(kept, exchange)
}

/** The body as undici takes it; the same again, while nobody has taken of it. */
export function bodyToSend(
  body: RequestBody | null,
  { upstream }: ProxyPlan,
): NonNullable<Dispatcher.DispatchOptions['body']> | null {
  // undici takes every async iterable; its types name streams only.
  if (body === null || !upstream.options.http2) return body as unknown as Readable | null
  return body.asStream()
}
