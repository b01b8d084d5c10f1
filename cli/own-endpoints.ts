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
const READING = ['GET', 'HEAD', 'OPTIONS']
const POSTED = ['POST', 'OPTIONS']
const READ_AND_PUT = [...READING, 'PUT']
/** Of the performance API: what each takes. test/cli/explanation.test.ts holds them to the document of a gateway. */
const PERFORMANCE_PAGES: Readonly<Record<string, readonly string[]>> = {
  '/health': READING,
  '/pools': READING,
  '/pools/targets': POSTED,
  '/pressure': READING,
  '/limits': READING,
  '/metrics': READING,
  '/log': READ_AND_PUT,
  '/maintenance': READ_AND_PUT,
  '/cache': READING,
  '/cache/entry': READING,
  '/cache/purge': POSTED,
  '/cache/warm': [...READING, 'POST', 'DELETE'],
  '/config': READING,
  '/config/diff': READING,
  '/config/reload': POSTED,
  '/restart': POSTED,
  '/consumers': READING,
  '/consumers/revoke': POSTED,
  '/consumers/reload': POSTED,
  '/tokens/revoke': POSTED,
  '/tokens/refresh': POSTED,
  '/openapi/drift': READING,
}

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
  methods?: readonly string[] | undefined
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
  if (base === undefined) return undefined
  const page = path.slice(base.length)
  if (!Object.hasOwn(PERFORMANCE_PAGES, page) || (page === '/metrics' && !isCounted)) return undefined
  return { what: 'performance: the performance API, with the admin token', methods: PERFORMANCE_PAGES[page] }
}

function isDocs(docs: string, path: string): boolean {
  if (!path.startsWith(docs)) return false
  const page = path.slice(docs.length)
  return DOCS_PAGES.includes(page) || page.startsWith('/static/')
}
