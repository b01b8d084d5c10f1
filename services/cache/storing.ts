import { type CacheExchange, routeCacheOf } from './context.ts'
import { originOf } from './key.ts'
import { groupTags } from './rules/groups.ts'
import type { FieldList, ResponseHead } from './rules/message.ts'
import { type Storability, storability } from './rules/storable.ts'
import { surrogateKeys } from './rules/surrogate-keys.ts'
import { withoutDefaultPort } from './store/selector.ts'
import { urlTagsOf } from './url-tags.ts'

/** What of an answer goes into the store: the same for all who put something there. */

/**
 * {@link storability} of the answer to an exchange.
 *
 * @param method that it would be stored for: the answer to a HEAD is about what is stored for GET
 */
export function storabilityOf(
  exchange: CacheExchange,
  head: ResponseHead,
  now: number,
  method = exchange.method,
): Storability {
  const { path } = exchange
  const url = `${originOf(exchange)}${path}${exchange.query}`
  const request = { method, path, url, hasBody: false, hasCredentials: false, conditions: exchange.fields }
  return storability(request, head, routeCacheOf(exchange).policy, now)
}

/** By what the answer to an exchange is purged, beside the URL in its key: its route's tags, what the origin
 * says, and other URLs. */
export function tagsOf(exchange: CacheExchange, fields: FieldList): readonly string[] {
  const { policy } = routeCacheOf(exchange)
  const { tags } = policy
  const keys = surrogateKeys(fields)
  const groups = groupTags(fields, withoutDefaultPort(originOf(exchange)))
  const urls = urlTagsOf(exchange, policy, fields)
  const more = keys.length + groups.length + urls.length
  return more === 0 ? tags : [...new Set([...tags, ...keys, ...groups, ...urls])]
}
