import { pathWriter } from '../../services/proxy/path-writer.ts'
import { parseRouteKey, type RoutePattern } from '../../services/routing/pattern.ts'
import { RouteTable } from '../../services/routing/table.ts'
import type { Settings } from '../schema.ts'
import type { CheckContext } from './context.ts'

/** Endpoints with pages of their own below them. */
const WITH_PAGES = new Set(['docs', 'performance'])
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
  const isShared = settings.admin !== false && settings.admin.shared
  const taken = new Map<string, string>()
  for (const [name, path] of Object.entries(settings.endpoints)) {
    if (path === false || (CONTROL_PLANE.has(name) && !isShared)) continue
    const other = taken.get(path)
    if (other !== undefined) {
      report.add('HR_CONFIG_ENDPOINT_CONFLICT', ['endpoints', name], `'${path}' is the path of '${other}' already`)
    }
    taken.set(path, name)
    const below = WITH_PAGES.has(name) ? `${path}/` : undefined
    for (const key of keys) {
      const literal = patterns.get(key)?.path
      if (literal !== path && (below === undefined || literal?.startsWith(below) !== true)) continue
      const message = `'${path}' is the gateway's own (${name}): move it with endpoints: { ${name}: '/…' }, or switch it off with false`
      report.add('HR_CONFIG_ROUTE_RESERVED', ['routes', key], message, { at: 'key' })
    }
  }
}

/** Common slips: methods in lower case, a path without its slash, blanks where none belong. */
function betterKey(key: string): string | undefined {
  const [, methods, rest = ''] = /^\s*(?:([A-Za-z]+(?:\s*,\s*[A-Za-z]+)*)\s+)?(\S*)\s*$/.exec(key) ?? []
  const path = rest.includes('/') || rest === '' ? rest : `/${rest}`
  const better = methods === undefined ? path : `${methods.replaceAll(/\s/g, '').toUpperCase()} ${path}`
  return better !== key && messageOf(() => parseRouteKey(better)) === undefined ? better : undefined
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
