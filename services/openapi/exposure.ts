import { parseRouteKey, parseSegments, type HostPattern, type RoutePattern, type Segment } from '../routing/pattern.ts'
import type { RouteOptions } from '../routing/options.ts'

/** A route as seen by the documents: what clients call, and what its upstream is sent. */
export interface ExposedRoute {
  pattern: RoutePattern
  /** `null`: the gateway answers by itself, and no document has it. */
  upstream: string | null
  docs: boolean
  /** Segments of the path that the upstream is sent. */
  sent: Segment[]
}

/** Where a route shows an upstream's templated path. */
export interface PublicPath {
  /** `/api/vehicles/{id}` */
  path: string
  /** Parameters of the upstream's path that the route fixes: `/me` rewritten to `/users/7` fixes `{id}`. */
  fixed: string[]
  /** Parameters of the public path that the upstream never sees. */
  added: string[]
}

const PARAMETER = /\{([^{}]+)\}/g
const WHOLE_PARAMETER = /^\{([^{}]+)\}$/

/** @throws HR_ROUTE_INVALID */
export function exposeRoute(route: RouteOptions): ExposedRoute {
  const pattern = parseRouteKey(route.key)
  return { pattern, upstream: route.to, docs: route.docs, sent: sentSegments(route, pattern.segments) }
}

function sentSegments(route: RouteOptions, segments: Segment[]): Segment[] {
  if (route.rewrite !== null) return parseSegments(route.rewrite, `the rewrite of '${route.key}'`)
  if (!route.stripPrefix) return segments
  const first = segments.findIndex((segment) => segment.kind !== 'static')
  return first === -1 ? [{ kind: 'static', text: '' }] : segments.slice(first)
}

/** The names of a templated path's parameters, in order. */
export function parametersOf(path: string): string[] {
  return Array.from(path.matchAll(PARAMETER), (match) => match[1] as string)
}

/** The path without its parameters' names: two templated paths of one shape are the same path (OpenAPI 3.1, §4.8.8.1). */
export function shapeOfPath(path: string): string {
  return path.replaceAll(PARAMETER, '{}')
}

/** A path with a value for each parameter, to ask the route table about. */
export function samplePath(path: string): string {
  return path.replaceAll(PARAMETER, 'headrace-sample')
}

/** A host that the pattern takes, and no more exact pattern does by accident. */
export function sampleHost(host: HostPattern): string {
  if (host.kind === 'exact') return host.name
  return host.kind === 'suffix' ? `headrace-sample${host.suffix}` : 'headrace-sample.invalid'
}

/**
 * The public path under which a route shows the upstream's path `upstreamPath` (templated, base path included), or
 * `null` where no request through this route reaches it.
 */
export function publicPath(route: ExposedRoute, upstreamPath: string): PublicPath | null {
  const bound = bind(route.sent, upstreamPath.split('/').slice(1))
  if (bound === null) return null
  const added: string[] = []
  const taken = new Set(parametersOf(upstreamPath))
  const parts = route.pattern.segments.map((segment): string => {
    if (segment.kind === 'static') return segment.text
    const name = segment.kind === 'rest' ? 'path' : segment.name
    const value = segment.kind === 'rest' ? bound.rest : bound.values.get(name)
    if (value !== undefined) return value
    const free = freeName(name, taken)
    added.push(free)
    return `{${free}}`
  })
  return { path: `/${parts.join('/')}`, fixed: bound.fixed, added }
}

interface Binding {
  values: Map<string, string>
  rest: string | undefined
  fixed: string[]
}

function bind(sent: Segment[], parts: string[]): Binding | null {
  const binding: Binding = { values: new Map(), rest: undefined, fixed: [] }
  for (const [index, segment] of sent.entries()) {
    const part = parts[index]
    if (part === undefined) return null
    if (segment.kind === 'rest') {
      binding.rest = parts.slice(index).join('/')
      return binding
    }
    if (segment.kind === 'parameter') {
      if (part === '') return null
      binding.values.set(segment.name, part)
    } else if (segment.text !== part) {
      const name = WHOLE_PARAMETER.exec(part)?.[1]
      if (name === undefined || segment.text === '') return null
      binding.fixed.push(name)
    }
  }
  return parts.length === sent.length ? binding : null
}

function freeName(name: string, taken: Set<string>): string {
  let free = name
  for (let n = 2; taken.has(free); n++) free = `${name}${n}`
  taken.add(free)
  return free
}
