import { canonicalTarget } from '../http/canonical-path.ts'
import type { CacheExchange } from './context.ts'
import { keptQuery, originOf, toldOrigin } from './key.ts'
import type { CachePolicy } from './policy.ts'
import { invalidatedGroupTags, isGroupTag } from './rules/groups.ts'
import { invalidatedUris } from './rules/invalidation.ts'
import type { ResponseHead } from './rules/message.ts'
import type { Resource } from './store/entry.ts'
import { type Selector, withoutDefaultPort } from './store/selector.ts'
import { selectorsOfUrls } from './url-tags.ts'

/** What may be stored under the URLs that a mutation names, and how they stand in keys. */
export interface Readable {
  /** The policies of the routes that store what is read there. */
  policiesAt(host: string, path: string): readonly CachePolicy[]
  /** What answers a URL. @param url without a default port */
  find(url: string): readonly Resource[]
}

interface Target {
  path: string
  query: string
}

/** Tags that fall with one mutation: a response may be in 128 groups, and have many variants. */
const MOST_TAGS = 512

/**
 * What the answer to an unsafe request makes invalid: its URL, and what Location and Content-Location name on the same
 * origin (RFC 9111 §4.4), as far as routes store what is read there; the groups that it names, and those of what is stored
 * there (RFC 9875 §3, §2.2.1); the tags that its route names. Nothing after an error. The origin has two names where a
 * trusted proxy was asked by another than it asks: what is stored by either goes.
 */
export function invalidatedBy(exchange: CacheExchange, head: ResponseHead, readable: Readable): Selector[] {
  const { method, path, query } = exchange
  const origin = originOf(exchange)
  const told = toldOrigin(exchange)
  const origins = told === undefined ? [origin] : [origin, told]
  const targets = new Map([[path + query, { path, query }]])
  for (const each of origins) {
    const [self, ...others] = invalidatedUris(method, `${each}${path}${query}`, head)
    if (self === undefined) return []
    for (const uri of others) {
      const target = canonicalTarget(uri.slice(uri.indexOf('/', uri.indexOf('://') + 3)))
      if (typeof target !== 'string') targets.set(target.path + target.query, target)
    }
  }
  const urls = new Set<string>()
  for (const target of targets.values()) {
    for (const form of formsOf(exchange, target, readable)) {
      for (const each of origins) urls.add(withoutDefaultPort(each + form))
    }
  }
  const tags = new Set([
    ...(exchange.plan?.cache?.policy.invalidates ?? []),
    ...invalidatedGroupTags(method, head.fields, withoutDefaultPort(origin)),
  ])
  for (const url of urls) addGroups(tags, readable.find(url))
  return [...selectorsOfUrls(urls), ...[...tags].map((tag): Selector => ({ kind: 'tag', tag }))]
}

/** Path and query of a target of the exchange's origin as they stand in the keys of the routes that read it. */
function formsOf(exchange: CacheExchange, { path, query }: Target, readable: Readable): Set<string> {
  const own = exchange.plan?.cache?.policy
  const policies = [...(own === undefined ? [] : [own]), ...readable.policiesAt(exchange.host, path)]
  return new Set(policies.map((policy) => path + keptQuery(policy, query)))
}

function addGroups(tags: Set<string>, resources: readonly Resource[]): void {
  for (const { entries } of resources) {
    for (const { stored } of entries) {
      for (const tag of stored.tags) if (isGroupTag(tag) && tags.size < MOST_TAGS) tags.add(tag)
    }
  }
}
