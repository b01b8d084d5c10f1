import { parseSegments, type RoutePattern, type Segment } from '../routing/pattern.ts'
import { InvalidRouteError } from '../routing/errors.ts'

/** How a route writes the path that goes to the upstream, and reads the paths that come back. */
export interface PathWriter {
  /** The path to send. @param parameters as the route table gives them */
  send(path: string, parameters: readonly string[]): string
  /** The public path of an upstream's path, `undefined` where the route cannot produce it. */
  back(path: string, parameters: readonly string[]): string | undefined
  /** The same for the Path of a cookie, which is a prefix. */
  backPrefix(path: string): string
}

/**
 * @param rewrite a path with parameters of the pattern, or `null`
 * @throws HR_ROUTE_INVALID when the rewrite asks for what the pattern does not have
 */
export function pathWriter(pattern: RoutePattern, stripPrefix: boolean, rewrite: string | null): PathWriter | null {
  if (rewrite !== null) {
    const subject = `the rewrite '${rewrite}' of the route '${pattern.key}'`
    return rewriting(pattern, parseSegments(rewrite, subject), subject)
  }
  const prefix = staticPrefix(pattern.segments)
  if (!stripPrefix || prefix === '') return null
  const rest = pattern.segments.slice(prefix.split('/').length - 1)
  // To strip is to rewrite to what is left; sent by a cut, which is cheaper.
  const writer = rewriting(pattern, rest.length === 0 ? [{ kind: 'static', text: '' }] : rest, '')
  return { ...writer, send: (path) => path.slice(prefix.length) || '/' }
}

/** @param subject begins the message of the error */
function rewriting(pattern: RoutePattern, template: readonly Segment[], subject: string): PathWriter {
  const sources = indexesOf(pattern.segments)
  for (const segment of template) {
    if (segment.kind === 'static' || sources.has(nameOf(segment))) continue
    throw new InvalidRouteError(`${subject} uses '${nameOf(segment)}', which the route's path does not have`)
  }
  const matcher = matcherOf(template)
  const names = template.filter((segment) => segment.kind !== 'static').map(nameOf)
  const from = staticPrefix(template)
  const to = staticPrefix(pattern.segments)
  return {
    send: (_path, parameters) => fill(template, (name) => parameters[sources.get(name) as number] as string),
    back(path, parameters) {
      const found = matcher.exec(path)
      if (found === null) return undefined
      const values = new Map(names.map((name, index) => [name, found[index + 1] as string]))
      return fill(pattern.segments, (name) => values.get(name) ?? (parameters[sources.get(name) as number] as string))
    },
    backPrefix: (path) => {
      const inside = from === '' || path === from || path.startsWith(`${from}/`)
      if (!inside) return path
      return (path === '/' ? to : to + path.slice(from.length)) || '/'
    },
  }
}

/** The text before the first parameter or `*`: `/api` of `/api/*`; empty without one. */
function staticPrefix(segments: readonly Segment[]): string {
  let prefix = ''
  for (const segment of segments) {
    if (segment.kind !== 'static') return prefix
    prefix += `/${segment.text}`
  }
  return prefix
}

function nameOf(segment: Segment): string {
  return segment.kind === 'parameter' ? segment.name : '*'
}

function indexesOf(segments: readonly Segment[]): Map<string, number> {
  const names = segments.filter((segment) => segment.kind !== 'static').map(nameOf)
  return new Map(names.map((name, index) => [name, index]))
}

function fill(segments: readonly Segment[], valueOf: (name: string) => string): string {
  let path = ''
  for (const segment of segments) path += `/${segment.kind === 'static' ? segment.text : valueOf(nameOf(segment))}`
  return path
}

function matcherOf(template: readonly Segment[]): RegExp {
  const parts = template.map((segment) =>
    segment.kind === 'static' ? RegExp.escape(segment.text) : segment.kind === 'parameter' ? '([^/?#]+)' : '([^?#]*)',
  )
  return new RegExp(`^/${parts.join('/')}(?=$|[?#])`)
}
