import type { Config } from '../config/config.ts'
import { PERFORMANCE_ALIAS } from '../services/control/options.ts'
import { guardedRoots, isBelow } from '../services/control/paths.ts'

/** What one of the gateway's own pages answers. */
export interface OwnAnswer {
  status: number
  detail: string
}

/** Pages of /docs, besides what lies below /docs/static/. */
const DOCS_PAGES = ['', '/', '/json', '/yaml']
const PERFORMANCE_PAGES = ['/health', '/pools', '/log', '/cache', '/cache/entry', '/cache/purge']
const READING = ['GET', 'HEAD', 'OPTIONS']

/**
 * What the gateway answers by itself on its public listeners, before any configured route is asked.
 *
 * @param path canonical
 * @returns `undefined` for what is left to the routes
 */
export function ownEndpoint(config: Config, method: string, path: string): OwnAnswer | undefined {
  const page = pageOf(config, path)
  if (page === undefined) {
    if (!isBelow(guardedRoots(config), path)) return undefined
    return { status: 404, detail: 'the control plane has no such page, and no route gets what is below its paths' }
  }
  const methods = page.methods ?? READING
  if (methods.includes(method)) return { status: method === 'OPTIONS' ? 204 : 200, detail: page.what }
  return { status: 405, detail: `${page.what}; it takes ${methods.join(', ')}` }
}

interface Page {
  what: string
  /** Default: those that read. */
  methods?: readonly string[]
}

function pageOf({ endpoints, admin, metrics: isCounted }: Config, path: string): Page | undefined {
  const { health, ready, docs, openapi, performance, metrics } = endpoints
  if (path === health) return { what: 'health: liveness' }
  if (path === ready) return { what: 'ready: readiness' }
  if (path === openapi) return { what: 'openapi: the OpenAPI document' }
  if (docs !== false && isDocs(docs, path)) return { what: 'docs: Swagger UI' }
  if (admin?.shared !== true) return undefined
  if (path === metrics && isCounted) return { what: 'metrics: Prometheus metrics, with the admin token' }
  const base =
    performance === false ? undefined : [performance, PERFORMANCE_ALIAS].find((root) => isBelow([root], path))
  const page = base === undefined ? '' : path.slice(base.length)
  if (!PERFORMANCE_PAGES.includes(page) && !(page === '/metrics' && isCounted)) return undefined
  const what = 'performance: the performance API, with the admin token'
  if (page === '/cache/purge') return { what, methods: ['POST', 'OPTIONS'] }
  return page === '/log' ? { what, methods: [...READING, 'PUT'] } : { what }
}

function isDocs(docs: string, path: string): boolean {
  if (!path.startsWith(docs)) return false
  const page = path.slice(docs.length)
  return DOCS_PAGES.includes(page) || page.startsWith('/static/')
}
