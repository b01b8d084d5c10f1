import { isObject, objectOf, objectsOf, own, type Json, type JsonObject } from './document.ts'
import { parseRouteKey, type HostPattern } from '../routing/pattern.ts'

/**
 * The base paths that a document's `servers` put before its paths, without a trailing slash, the likeliest first: those
 * of the upstream's own targets, then relative ones, then the rest in their order.
 *
 * @param base where the document was found: relative addresses start there (OpenAPI 3.1, §4.8.5)
 */
export function basePaths(servers: Json | undefined, base: string, targets: readonly string[]): string[] {
  const found: { path: string; rank: number }[] = []
  for (const server of objectsOf(servers)) {
    const url = substitute(server)
    if (!URL.canParse(url, `http://upstream.invalid${base}`)) continue
    const { origin, pathname } = new URL(url, `http://upstream.invalid${base}`)
    const rank = targets.includes(origin) ? 0 : origin === 'http://upstream.invalid' ? 1 : 2
    found.push({ path: pathname.replace(/\/+$/, ''), rank })
  }
  if (found.length === 0) return ['']
  return [...new Set(found.sort((a, b) => a.rank - b.rank).map(({ path }) => path))]
}

/** The address with its variables at their defaults. */
function substitute(server: JsonObject): string {
  const url = typeof server['url'] === 'string' ? server['url'] : '/'
  const variables = objectOf(server['variables'])
  return url.replaceAll(/\{([^{}]+)\}/g, (text, name: string) => {
    const variable = own(variables, name)
    return isObject(variable) && typeof variable['default'] === 'string' ? variable['default'] : text
  })
}

/** The Server Objects of a route's host; none for a route that takes any host, which is where the document is. */
export function serversOf(host: HostPattern): JsonObject[] {
  if (host.kind === 'any') return []
  if (host.kind === 'exact') return [{ url: `//${host.name}` }]
  return [
    {
      url: `//{subdomain}${host.suffix}`,
      variables: { subdomain: { default: 'www', description: `A name below ${host.suffix.slice(1)}` } },
    },
  ]
}

/**
 * The hosts of routes as sources of a Content Security Policy: the page may call operations there ("Try it out").
 *
 * @throws HR_ROUTE_INVALID
 */
export function connectSources(routes: readonly { key: string; docs: boolean }[]): string[] {
  const sources = routes.flatMap(({ key, docs }) => {
    const { host } = parseRouteKey(key)
    if (!docs || host.kind === 'any') return []
    return [`${host.kind === 'exact' ? host.name : `*${host.suffix}`}:*`]
  })
  return [...new Set(sources)]
}
