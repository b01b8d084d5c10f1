import { PERFORMANCE_ALIAS } from '../../services/control/options.ts'
import { pathWriter } from '../../services/proxy/path-writer.ts'
import { parseRouteKey, type RoutePattern } from '../../services/routing/pattern.ts'
import { RouteTable } from '../../services/routing/table.ts'
import type { Settings } from '../schema.ts'
import type { CheckContext } from './context.ts'

/** Endpoints that everything below belongs to: pages of their own, or what wants the admin token. */
const WITH_PAGES = new Set(['docs', 'performance', 'metrics'])
const CONTROL_PLANE = new Set(['performance', 'metrics'])

/** Keys and rewrites can be read, each key matches something of its own, and none names an endpoint of the gateway. */
export function checkRoutes(context: CheckContext): void {
  const { settings, names, report } = context
  const patterns = readKeys(context)
  for (const [first, second] of RouteTable.conflicts([...patterns.keys()])) {
    const message = `'${second}' matches the same requests as '${first}': only one of them would ever be used`
    report.add('HR_CONFIG_ROUTE_CONFLICT', ['routes', second], message, { at: 'key' })
  }
  for (const [key, route] of Object.entries(settings.routes)) {
    const pattern = patterns.get(key)
    if (pattern === undefined || route.rewrite === undefined) continue
    const fault = messageOf(() => pathWriter(pattern, route.stripPrefix, route.rewrite ?? null))
    if (fault) report.add('HR_CONFIG_ROUTE_INVALID', ['routes', key, 'rewrite'], fault)
    if (route.stripPrefix) {
      const message = 'stripPrefix and rewrite both say which path is sent: keep one'
      report.add('HR_CONFIG_ROUTE_INVALID', ['routes', key, 'stripPrefix'], message)
    }
  }
  if (!report.touches('endpoints')) checkEndpoints(settings, patterns, names.routes, context)
}

function readKeys({ names, report }: CheckContext): Map<string, RoutePattern> {
  const patterns = new Map<string, RoutePattern>()
  for (const key of names.routes) {
    const fault = messageOf(() => patterns.set(key, parseRouteKey(key)))
    if (fault) report.add('HR_CONFIG_ROUTE_INVALID', ['routes', key], fault, { at: 'key', suggestion: betterKey(key) })
  }
  return patterns
}

function checkEndpoints(
  settings: Settings,
  patterns: Map<string, RoutePattern>,
  keys: string[],
  { report }: CheckContext,
): void {
  const { admin, endpoints } = settings
  const isShared = admin !== false && admin.shared
  const reserve = (path: string, withBelow: boolean, why: string): void => {
    for (const key of keys) {
      const pattern = patterns.get(key)
      if (pattern === undefined || !isReached(pattern, path, withBelow)) continue
      report.add('HR_CONFIG_ROUTE_RESERVED', ['routes', key], `'${path}' is the gateway's own (${why}`, { at: 'key' })
    }
  }
  const taken = new Map<string, string>()
  for (const [name, path] of Object.entries(endpoints)) {
    // With a listener of its own, the control plane serves the others' paths there too.
    if (path === false || (CONTROL_PLANE.has(name) && admin === false)) continue
    const other = taken.get(path)
    if (other !== undefined) {
      report.add('HR_CONFIG_ENDPOINT_CONFLICT', ['endpoints', name], `'${path}' is the path of '${other}' already`)
    }
    taken.set(path, name)
    if (CONTROL_PLANE.has(name) && !isShared) continue
    const remedy = `${name}): move it with endpoints: { ${name}: '/…' }, or switch it off with false`
    reserve(path, WITH_PAGES.has(name), remedy)
  }
  if (!isShared || endpoints.performance === false || endpoints.performance === PERFORMANCE_ALIAS) return
  const remedy =
    'performance, which the command line asks there): give the control plane a port of its own with admin: { shared: false }, or name another path'
  reserve(PERFORMANCE_ALIAS, true, remedy)
}

/** Whether all that a route takes is at a path, or below it, whatever its host and methods. */
function isReached({ segments }: RoutePattern, path: string, withBelow: boolean): boolean {
  const wanted = path.split('/').slice(1)
  if (segments.length < wanted.length || (segments.length > wanted.length && !withBelow)) return false
  return wanted.every((text, index) => {
    const segment = segments[index]
    return segment?.kind === 'static' && segment.text === text
  })
}

/**
 * Common slips: methods in lower case or separated by something else, a path without its slash, blanks where none
 * belong, a whole URL, and what other routers write.
 */
function betterKey(key: string): string | undefined {
  const [, methods, rest = ''] = /^\s*(?:([A-Za-z]+(?:\s*[,|]\s*[A-Za-z]+)*)\s+)?(\S*)\s*$/.exec(key) ?? []
  const path = inOurNotation(rest.includes('/') || rest === '' ? rest : `/${rest}`)
  const better =
    methods === undefined ? path : `${methods.replaceAll(/\s/g, '').replaceAll('|', ',').toUpperCase()} ${path}`
  return better !== key && messageOf(() => parseRouteKey(better)) === undefined ? better : undefined
}

/** `https://a.test:8080/{id}/<name>/:n(\\d+)/**` → `a.test/:id/:name/:n/*` */
function inOurNotation(path: string): string {
  return path
    .replace(/^https?:\/\//i, '')
    .replace(/^([^/]*?):\d+(?=\/)/, '$1')
    .replaceAll(
      /(?<=\/)(?:\{(\w+)[^{}/]*\}|<(?:\w+:)?(\w+)>)(?=\/|$)/g,
      (_match, braced?: string, angled?: string) => `:${braced ?? angled}`,
    )
    .replaceAll(/(?<=\/:\w+)\([^/]*\)(?=\/|$)/g, '')
    .replace(/\/\*\*$/, '/*')
}

/** What `read` has to say against its input. */
function messageOf(read: () => unknown): string | undefined {
  try {
    read()
    return undefined
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'HR_ROUTE_INVALID') return error.message
    throw error
  }
}
