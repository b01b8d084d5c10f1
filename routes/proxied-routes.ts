import type { HostPattern, RoutePattern } from '../services/routing/pattern.ts'

/** One of Fastify's routes that lead to an upstream. */
export interface ProxiedRoute {
  url: string
  /** `null` for all. */
  methods: readonly string[] | null
  constraints: Readonly<Record<string, unknown>>
}

/**
 * A pattern as a route of an application's own router, where it stands beside routes of its own. That router need not
 * tell our routes apart: our table decides which of them takes a request, or that none does.
 */
export function proxiedRoute({ host, segments, methods }: RoutePattern): ProxiedRoute {
  const url = segments.map((segment, index) => `/${textOf(segment, index)}`).join('')
  return { url, methods, constraints: constraintsOf(host) }
}

function textOf(segment: RoutePattern['segments'][number], index: number): string {
  if (segment.kind === 'rest') return '*'
  if (segment.kind === 'parameter') return `:${segment.name}`
  const decoded = decode(segment.text)
  // An escape that Fastify's router leaves encoded cannot be written in its patterns.
  return decoded.includes('%') ? `:segment${index}` : decoded.replaceAll(':', '::')
}

/** As Fastify's router reads paths. */
function decode(text: string): string {
  try {
    return decodeURI(text)
  } catch {
    return '%'
  }
}

/** Fastify compares Host as it was sent: in any case, with a port or without. */
function constraintsOf(host: HostPattern): { host?: RegExp } {
  if (host.kind === 'any') return {}
  const name = host.kind === 'exact' ? RegExp.escape(host.name) : `[^:/]+${RegExp.escape(host.suffix)}`
  return { host: new RegExp(`^${name}\\.?(?::\\d*)?$`, 'i') }
}
