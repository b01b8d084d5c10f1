import { canonicalTarget } from '../http/canonical-path.ts'
import { InvalidRouteError } from './errors.ts'

/** One piece of a path pattern, between two slashes. */
export type Segment = { kind: 'static'; text: string } | { kind: 'parameter'; name: string } | { kind: 'rest' }

/** Which hosts a route takes: one name, every name below a suffix (`.example.com`), or any. */
export type HostPattern = { kind: 'exact'; name: string } | { kind: 'suffix'; suffix: string } | { kind: 'any' }

/** A parsed route key. */
export interface RoutePattern {
  key: string
  /** Methods in upper case, in the order written; `null` for all. */
  methods: string[] | null
  host: HostPattern
  path: string
  segments: Segment[]
}

const METHOD = /^[A-Z][A-Z0-9-]*$/
const HOST = /^(\*\.)?([a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/
const PARAMETER = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Reads `[METHODS ][host]/path`: `'/api/*'`, `'GET /vehicles/:id'`, `'GET,HEAD *.example.com/v1/*'`.
 *
 * A parameter takes one whole, non-empty segment; `*` stands last and takes the rest, which may be empty. Methods mean
 * what they say: `GET` does not include `HEAD`.
 *
 * @throws HR_ROUTE_INVALID
 */
export function parseRouteKey(key: string): RoutePattern {
  const space = key.indexOf(' ')
  const methods = space === -1 ? null : parseMethods(key, key.slice(0, space))
  const rest = space === -1 ? key : key.slice(space + 1)
  const slash = rest.indexOf('/')
  if (slash === -1) {
    throw new InvalidRouteError(`the route '${key}' has no path: write [METHODS ][host]/path, such as 'GET /users/:id'`)
  }
  const path = rest.slice(slash)
  return {
    key,
    methods,
    host: parseHost(key, rest.slice(0, slash)),
    path,
    segments: parseSegments(path, `the route '${key}'`),
  }
}

function parseMethods(key: string, text: string): string[] {
  const methods = text.split(',')
  for (const method of methods) {
    if (!METHOD.test(method)) {
      throw new InvalidRouteError(
        `the route '${key}' names the method '${method}': methods are upper case, separated by commas, without spaces`,
      )
    }
    if (method === 'CONNECT') throw new InvalidRouteError(`the route '${key}' names CONNECT, which is never proxied`)
  }
  return [...new Set(methods)]
}

function parseHost(key: string, text: string): HostPattern {
  if (text === '') return { kind: 'any' }
  const name = text.toLowerCase()
  if (!HOST.test(name)) {
    throw new InvalidRouteError(
      `the route '${key}' names the host '${text}': write a name such as 'api.example.com' or '*.example.com', without a port`,
    )
  }
  return name.startsWith('*.') ? { kind: 'suffix', suffix: name.slice(1) } : { kind: 'exact', name }
}

/** Reads the path of a key or of a `rewrite`. @throws HR_ROUTE_INVALID; `subject` begins its message */
export function parseSegments(path: string, subject: string): Segment[] {
  const parts = path.split('/').slice(1)
  const names = new Set<string>()
  return parts.map((part, index): Segment => {
    if (part === '*') {
      if (index !== parts.length - 1) throw new InvalidRouteError(`${subject} has '*' before its end: '*' stands last`)
      return { kind: 'rest' }
    }
    if (part.startsWith(':')) {
      const name = part.slice(1)
      if (!PARAMETER.test(name)) {
        throw new InvalidRouteError(`${subject} has the parameter '${part}': write ':name', letters, digits and _`)
      }
      if (names.has(name)) throw new InvalidRouteError(`${subject} has the parameter ':${name}' twice`)
      names.add(name)
      return { kind: 'parameter', name }
    }
    return { kind: 'static', text: canonicalSegment(part, subject) }
  })
}

function canonicalSegment(part: string, subject: string): string {
  if (part.includes('*')) {
    throw new InvalidRouteError(`${subject} has '${part}': '*' stands alone, as the last segment`)
  }
  // No URL has these as they are (RFC 3986 §2): they are another notation's parameters.
  if (/[{}<>]/.test(part)) throw new InvalidRouteError(`${subject} has '${part}': a parameter is written ':name'`)
  const canonical = canonicalTarget(`/${Buffer.from(part).toString('latin1')}`)
  if (typeof canonical === 'string') throw new InvalidRouteError(`${subject} ${canonical}`)
  // What is resolved to nothing was a dot, encoded perhaps.
  if (canonical.query !== '' || (part !== '' && canonical.path === '/')) {
    throw new InvalidRouteError(`${subject} has '${part}': a path holds no query and no dot segments`)
  }
  return canonical.path.slice(1)
}

/** The pattern without its names: equal for two routes that match the same hosts and paths. */
export function shapeOf(pattern: RoutePattern): string {
  const host =
    pattern.host.kind === 'any' ? '' : pattern.host.kind === 'exact' ? pattern.host.name : `*${pattern.host.suffix}`
  const path = pattern.segments.map((s) => (s.kind === 'static' ? s.text : s.kind === 'parameter' ? ':' : '*'))
  return `${host}/${path.join('/')}`
}
