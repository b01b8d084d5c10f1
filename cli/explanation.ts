import type { Config } from '../config/config.ts'
import { canonicalTarget } from '../services/http/canonical-path.ts'
import { pathWriter } from '../services/proxy/path-writer.ts'
import { STEPS } from '../services/proxy/plan.ts'
import { explainRoutes, type RouteVerdict } from '../services/routing/explain.ts'
import type { RouteOptions } from '../services/routing/options.ts'
import { parseRouteKey } from '../services/routing/pattern.ts'
import { RouteTable } from '../services/routing/table.ts'

export interface Asked {
  method: string
  /** Without a port; empty for one that no route names. */
  host: string
  /** With its query. */
  path: string
}

/** What the gateway does with a request: what `headrace explain --json` prints. */
export interface Explanation {
  request: Asked
  outcome: 'proxied' | 'own' | 'refused' | 'method not allowed' | 'not found'
  /** What the client gets where nothing is proxied; `null` where something is. */
  answer: { status: number; detail: string } | null
  /** The path that routing sees. */
  canonicalPath: string | null
  route: string | null
  upstream: { name: string; targets: readonly string[] } | null
  sent: { method: string; path: string; host: string } | null
  steps: { name: string; detail: string }[]
  /** Every route with the reason why it wins or loses. */
  routes: RouteVerdict[]
}

/** Follows a request through the configuration, without sending anything. */
export function explainRequest(config: Config, request: Asked): Explanation {
  const nothing = { canonicalPath: null, route: null, upstream: null, sent: null, steps: [], routes: [] }
  const target = canonicalTarget(Buffer.from(request.path).toString('latin1'))
  if (typeof target === 'string') {
    const detail = `the request target ${target}`
    return { request, outcome: 'refused', answer: { status: 400, detail }, ...nothing }
  }
  const { path, query } = target
  const table = new RouteTable(config.routes.map((options) => ({ pattern: parseRouteKey(options.key), options })))
  const routes = explainRoutes(table, request.method, request.host, path)
  const found = { ...nothing, request, canonicalPath: path, routes }
  const own = ownEndpoint(config, path)
  if (own !== undefined) {
    // It wins over every route that would match.
    return { ...found, outcome: 'own', answer: { status: 200, detail: own }, routes: [] }
  }
  const lookup = table.lookup(request.method, request.host, path)
  if (lookup.kind === 'none') {
    return { ...found, outcome: 'not found', answer: { status: 404, detail: 'no route takes the path' } }
  }
  if (lookup.kind === 'method') {
    const detail = `the path takes ${lookup.allow.join(', ')}`
    return { ...found, outcome: 'method not allowed', answer: { status: 405, detail } }
  }
  const { options, pattern } = lookup.route
  if (options.encodedSlash === 'refuse' && path.includes('%2F')) {
    const answer = { status: 400, detail: 'the path has an encoded slash, which the route refuses' }
    return { ...found, outcome: 'refused', answer, route: options.key }
  }
  const writer = pathWriter(pattern, options.stripPrefix, options.rewrite)
  const upstream = config.upstreams.find(({ name }) => name === options.to)
  const sentPath = (writer === null ? path : writer.send(path, lookup.parameters)) + query
  const host = upstream?.host === 'preserve' ? request.host : authorityOf(upstream?.targets[0] ?? '')
  const sent = { method: request.method, path: sentPath, host }
  const to = { name: options.to, targets: upstream?.targets ?? [] }
  const steps = STEPS.map((name) => ({ name, detail: detailOf(name, { config, request, path, options, sent }) }))
  return { ...found, outcome: 'proxied', answer: null, route: options.key, upstream: to, sent, steps }
}

function ownEndpoint({ endpoints, admin }: Config, path: string): string | undefined {
  const isShared = admin?.shared === true
  const below = (root: string): boolean => path === root || path.startsWith(`${root}/`)
  const { health, ready, docs, openapi, performance, metrics } = endpoints
  if (path === health) return 'health: liveness'
  if (path === ready) return 'ready: readiness'
  if (path === openapi) return 'openapi: the OpenAPI document'
  if (docs !== false && below(docs)) return 'docs: Swagger UI'
  if (!isShared) return undefined
  if (path === metrics) return 'metrics: Prometheus metrics, with the admin token'
  if (performance !== false && (below(performance) || below('/api/v1/performance'))) {
    return 'performance: the performance API, with the admin token'
  }
  return undefined
}

function authorityOf(target: string): string {
  return target.startsWith('unix:') || !URL.canParse(target) ? 'localhost' : new URL(target).host
}

interface StepContext {
  config: Config
  request: Asked
  path: string
  options: RouteOptions
  sent: { path: string; host: string }
}

function detailOf(name: (typeof STEPS)[number], { config, request, path, options, sent }: StepContext): string {
  const { forwarded, log } = config
  switch (name) {
    case 'canonicalise':
      return request.path.startsWith(path) ? 'unchanged' : `${request.path} becomes ${path}`
    case 'forwarded': {
      const fields = { both: 'Forwarded and X-Forwarded-*', forwarded: 'Forwarded', 'x-forwarded': 'X-Forwarded-*' }
      const trusted = forwarded.trust.length === 0 ? 'no proxy' : forwarded.trust.join(', ')
      return `sends ${fields[forwarded.send]} and Via: 1.1 ${forwarded.via}; believes ${trusted}`
    }
    case 'request id':
      return 'made here, or taken over from a trusted proxy; returned, logged and forwarded'
    case 'route':
      return `${options.key} → ${options.to}`
    case 'upstream':
      return `${sent.path} with Host: ${sent.host}`
    case 'log':
      if (log.level === 'silent' || !log.requests) return 'off'
      return log.sample === 1 ? 'a line for each request' : `${log.sample * 100} % of what is answered below 400`
    default:
      return ''
  }
}
