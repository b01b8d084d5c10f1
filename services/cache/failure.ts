import { type CacheExchange, routeCacheOf } from './context.ts'
import { lifeOf } from './retention.ts'
import { usableOnFailure } from './rules/reuse.ts'
import type { Entry } from './store/entry.ts'

/** Statuses that `stale-if-error` is for (RFC 5861 §4). */
const ERRORS = new Set([500, 502, 503, 504])

export const isError = (status: number): boolean => ERRORS.has(status)

/** Whether what is stored answers a client, now that the origin has failed it. */
export function servesOnFailure(
  entry: Entry,
  exchange: CacheExchange,
  how: { failure: 'error' | 'disconnected'; now: number },
): boolean {
  const { policy } = routeCacheOf(exchange)
  return usableOnFailure(lifeOf(entry, policy), exchange.fields, policy, how)
}
