import type { RouteTable } from '../routing/table.ts'
import {
  isObject,
  METHODS,
  objectOf,
  own,
  type JsonObject,
  type Method,
  type OpenapiWarning,
  type UpstreamSpecification,
} from './document.ts'
import { publicPath, sampleHost, samplePath, shapeOfPath, type ExposedRoute, type PublicPath } from './exposure.ts'
import { basePaths, serversOf } from './servers.ts'

/** An operation of an upstream at a public path, before anything of it is lifted. */
export interface Exposure {
  upstream: string
  route: ExposedRoute
  method: Method
  /** Path in the upstream's own document, which operationRefs name. */
  originalPath: string
  public: PublicPath
  item: JsonObject
  operation: JsonObject
  /** Hosts that reach it; empty: any. */
  servers: JsonObject[]
}

/** Every operation of one specification at every public path under which a request reaches it. */
export function exposures(
  specification: UpstreamSpecification,
  item: (node: JsonObject) => JsonObject,
  table: RouteTable<ExposedRoute>,
): Exposure[] {
  const { document, upstream, base, targets } = specification
  const routes = table.routes.filter((route) => route.upstream === upstream && route.docs)
  const found: Exposure[] = []
  for (const [originalPath, node] of Object.entries(objectOf(document['paths']))) {
    if (!originalPath.startsWith('/') || !isObject(node)) continue
    const pathItem = item(node)
    for (const method of METHODS) {
      const operation = own(pathItem, method)
      if (!isObject(operation)) continue
      const bases = basePaths(operation['servers'] ?? pathItem['servers'] ?? document['servers'], base, targets)
      for (const route of routes) {
        const shown = firstShown(route, method, originalPath, bases, table)
        if (shown === undefined) continue
        const servers = serversOf(route.pattern.host)
        found.push({ upstream, route, method, originalPath, public: shown, item: pathItem, operation, servers })
      }
    }
  }
  return found
}

function firstShown(
  route: ExposedRoute,
  method: Method,
  path: string,
  bases: string[],
  table: RouteTable<ExposedRoute>,
): PublicPath | undefined {
  const { methods, host } = route.pattern
  const name = method.toUpperCase()
  if (methods !== null && !methods.includes(name)) return undefined
  for (const base of bases) {
    const shown = publicPath(route, base + path)
    // the table has the last word: a more specific route may take the same requests elsewhere, or hide them
    if (shown !== null && table.match(name, sampleHost(host), samplePath(shown.path))?.route === route) return shown
  }
  return undefined
}

/**
 * One exposure for each method and public path. OpenAPI has no room for two: the gateway's own paths come first, then
 * operations whose path says it exactly, then those that any host reaches, then the order of the configuration.
 *
 * @param reserved paths of the gateway's own endpoints, and with a trailing `/*` all below them
 */
export function settle(
  candidates: Exposure[],
  reserved: readonly string[],
  warn: (code: OpenapiWarning['code'], upstream: string, message: string) => void,
): Exposure[] {
  const rank = ({ public: { fixed }, servers }: Exposure): number => fixed.length * 2 + (servers.length > 0 ? 1 : 0)
  const settled = new Map<string, Exposure>()
  for (const exposure of candidates.toSorted((a, b) => rank(a) - rank(b))) {
    const { path } = exposure.public
    if (isReserved(path, reserved)) continue
    const key = `${exposure.method} ${shapeOfPath(path)}`
    const holder = settled.get(key)
    if (holder === undefined) {
      settled.set(key, exposure)
    } else if (holder.upstream === exposure.upstream && holder.originalPath === exposure.originalPath) {
      if (holder.servers.length > 0) holder.servers.push(...exposure.servers)
    } else if (exposure.public.fixed.length === 0) {
      warn(
        'HR_OPENAPI_OPERATION_CONTESTED',
        exposure.upstream,
        `${exposure.method.toUpperCase()} ${path} of '${exposure.route.pattern.key}' is not shown: ` +
          `'${holder.route.pattern.key}' has the same path on other hosts, and a document has one of each`,
      )
    }
  }
  // as the candidates came: by upstream, then as in its document
  const kept = new Set(settled.values())
  return candidates.filter((candidate) => kept.has(candidate))
}

function isReserved(path: string, reserved: readonly string[]): boolean {
  return reserved.some((own) =>
    own.endsWith('/*') ? path.startsWith(own.slice(0, -1)) || path === own.slice(0, -2) : path === own,
  )
}
