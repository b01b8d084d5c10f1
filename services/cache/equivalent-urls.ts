import { normalQuery } from './key.ts'
import type { ObservedRoute } from './report.ts'

/**
 * The URLs that stand in keys for one that people give: as it is, and as routes write it that leave out parameters of the
 * query or sort them.
 *
 * @param url canonical
 */
export function equivalentUrls(url: string, routes: readonly ObservedRoute[]): string[] {
  const mark = url.indexOf('?')
  if (mark === -1) return [url]
  const path = url.slice(0, mark)
  const query = url.slice(mark)
  const forms = new Set([url])
  for (const { cache } of routes) if (cache !== null) forms.add(path + normalQuery(query, cache.policy.query))
  return [...forms]
}
