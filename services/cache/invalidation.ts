import { canonicalTarget } from '../http/canonical-path.ts'
import type { CacheExchange } from './context.ts'
import { keptQuery, originOf, type Place } from './key.ts'
import type { CachePolicy } from './policy.ts'
import { invalidatedGroupTags, isGroupTag } from './rules/groups.ts'
import { invalidatedUris } from './rules/invalidation.ts'
import type { ResponseHead } from './rules/message.ts'
import type { KnownVariation } from './search-variations.ts'
import type { Resource } from './store/entry.ts'
import { type Selector, withoutDefaultPort } from './store/selector.ts'

/** What may be stored under the URLs that a mutation names, and how they stand in keys. */
export interface Readable {
  /** The policies of the routes that store what is read there. */
  policiesAt(host: string, path: string): readonly CachePolicy[]
  /** What of the query matters, where responses said so. */
  variationAt(policy: CachePolicy, place: Place): KnownVariation | undefined
  /** @param url without a default port */
  find(url: string): readonly Resource[]
}

/** Tags that fall with one mutation: a response may be in 128 groups, and have many variants. */
const MOST_TAGS = 512

/**
 * What the answer to an unsafe request makes invalid: its URL, and what Location and Content-Location name on the same
 * origin (RFC 9111 §4.4), as far as routes store what is read there; the groups that it names, and those of what is stored
 * there (RFC 9875 §3, §2.2.1); the tags that its route names. Nothing after an error.
 */
export function invalidatedBy(exchange: CacheExchange, head: ResponseHead, readable: Readable): Selector[] {
  const { method, path, query } = exchange
  const origin = originOf(exchange)
  const [self, ...others] = invalidatedUris(method, `${origin}${path}${query}`, head)
  if (self === undefined) return []
  const urls = new Set(formsOf(exchange, { path, query }, readable))
  for (const uri of others) {
    const target = canonicalTarget(uri.slice(uri.indexOf('/', uri.indexOf('://') + 3)))
    if (typeof target === 'string') continue
    for (const url of formsOf(exchange, target, readable)) urls.add(url)
  }
  const tags = new Set([
    ...(exchange.plan?.cache?.policy.invalidates ?? []),
    ...invalidatedGroupTags(method, head.fields, withoutDefaultPort(origin)),
  ])
  for (const url of urls) addGroups(tags, readable.find(url))
  return [
    ...[...urls].map((url): Selector => ({ kind: 'url', url })),
    ...[...tags].map((tag): Selector => ({ kind: 'tag', tag })),
  ]
}

/** A target of the exchange's origin as it stands in the keys of the routes that read it. */
function formsOf(exchange: CacheExchange, target: { path: string; query: string }, readable: Readable): string[] {
  const { path, query } = target
  const { scheme, authority } = exchange
  const before = originOf(exchange) + path
  const forms: string[] = []
  const own = exchange.plan?.cache?.policy
  for (const policy of [...(own === undefined ? [] : [own]), ...readable.policiesAt(exchange.host, path)]) {
    forms.push(withoutDefaultPort(before + keptQuery(policy, query)))
    const variation = readable.variationAt(policy, { scheme, authority, path })
    if (variation !== undefined) forms.push(withoutDefaultPort(before + keptQuery(policy, query, variation)))
  }
  return forms
}

function addGroups(tags: Set<string>, resources: readonly Resource[]): void {
  for (const { entries } of resources) {
    for (const { stored } of entries) {
      for (const tag of stored.tags) if (isGroupTag(tag) && tags.size < MOST_TAGS) tags.add(tag)
    }
  }
}
