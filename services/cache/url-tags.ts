import type { CacheExchange } from './context.ts'
import { keptQuery, originOf, toldOrigin } from './key.ts'
import type { CachePolicy } from './policy.ts'
import type { FieldList } from './rules/message.ts'
import { canonicalQuery } from './rules/no-vary-search.ts'
import { urlTag } from './rules/own-tags.ts'
import { knownVariation } from './search-variations.ts'
import type { Entry, Resource } from './store/entry.ts'
import type { MemoryStore } from './store/memory.ts'
import { type Selector, urlOf, withoutDefaultPort } from './store/selector.ts'

/**
 * How a URL finds what is stored for it under another one. These answers have tags, since every tier finds what has a tag,
 * and a process that purges need not know of them: what stands for several queries (No-Vary-Search) has its URL without a
 * query as a tag, what was asked for by another name than the public one (X-Forwarded-Host) its URL with that name.
 */

/** The tags of an answer; none where the URL in its key says all. */
export function urlTagsOf(exchange: CacheExchange, policy: CachePolicy, fields: FieldList): string[] {
  const told = toldOrigin(exchange)
  const isVaried = knownVariation(fields) !== undefined
  const { path, query } = exchange
  const asked = originOf(exchange) + path
  const urls = isVaried ? [path, asked] : []
  if (told !== undefined) urls.push(isVaried ? told + path : asked + keptQuery(policy, query))
  return urls.map((url) => urlTag(withoutDefaultPort(url)))
}

/**
 * What to purge so that nothing is left that answers one of the URLs. Of what stands for several queries all goes: no
 * tier could tell which.
 *
 * @param urls without a default port
 */
export function selectorsOfUrls(urls: ReadonlySet<string>): Selector[] {
  const tags = new Set([...urls].flatMap(tagsAt))
  return [
    ...[...urls].map((url): Selector => ({ kind: 'url', url })),
    ...[...tags].map((tag): Selector => ({ kind: 'tag', tag })),
  ]
}

/** What memory has that answers a URL. @param url without a default port; of a path alone, whatever the scheme and host */
export function resourcesAt(store: Pick<MemoryStore, 'byUrl' | 'byTag' | 'get'>, url: string): Resource[] {
  const found = new Set(store.byUrl(url))
  for (const tag of tagsAt(url)) {
    for (const entry of store.byTag(tag)) {
      const resource = isFor(entry, url) ? store.get(entry.key) : undefined
      if (resource !== undefined) found.add(resource)
    }
  }
  return [...found]
}

/** How often more than once the selectors cover what memory has. */
export function countedAgain(store: Pick<MemoryStore, 'byUrl' | 'byTag'>, selectors: readonly Selector[]): number {
  const entries = selectors.flatMap((selector): readonly Entry[] => {
    if (selector.kind === 'url') return store.byUrl(selector.url).flatMap((resource) => resource.entries)
    return selector.kind === 'tag' ? store.byTag(selector.tag) : []
  })
  return entries.length - new Set(entries).size
}

function tagsAt(url: string): string[] {
  const path = url.slice(0, queryAt(url))
  return path === url ? [urlTag(url)] : [urlTag(url), urlTag(path)]
}

/** Whether an answer that has a tag of this URL is for this query. */
function isFor({ key, stored }: Entry, url: string): boolean {
  const kept = urlOf(key)
  const query = url.slice(queryAt(url) + 1)
  const variation = knownVariation(stored.fields)
  return kept.slice(queryAt(kept) + 1) === (variation === undefined ? query : canonicalQuery(query, variation))
}

function queryAt(url: string): number {
  const mark = url.indexOf('?')
  return mark === -1 ? url.length : mark
}
