import type { Exchange } from '../downstream/exchange.ts'
import type { PathWriter } from './path-writer.ts'
import type { ProxyPlan, RoutePlan } from './plan.ts'

/** What a response is mapped back from and to. */
export interface MapBack {
  writer: PathWriter | null
  parameters: readonly string[]
  /** Host fields that mean the upstream itself: the one that was sent, and the target's own. */
  upstreamAuthorities: readonly string[]
  scheme: string
  /** The public host; empty where the client named none. */
  authority: string
}

/** Maps what an answer says of addresses and paths. @param fields names in lower case: name, value, name, value */
export function mapBack(fields: string[], exchange: Exchange<RoutePlan>, target: { authority: string }): void {
  const { parameters, scheme, authority, plan } = exchange
  const { upstream, writer } = plan as ProxyPlan
  const sent = upstream.options.host === 'preserve' ? [authority] : []
  const context: MapBack = {
    writer,
    parameters,
    upstreamAuthorities: [target.authority, ...sent],
    scheme,
    authority,
  }
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i]
    if (name === 'location' || name === 'content-location')
      fields[i + 1] = mapLocation(fields[i + 1] as string, context)
    else if (name === 'set-cookie') fields[i + 1] = mapCookie(fields[i + 1] as string, context)
  }
}

/** A URL of http, or a reference that takes the scheme of its page (`//host/path`, RFC 3986 §4.2). */
const WITH_AUTHORITY = /^(https?:)?\/\/([^/?#]+)([^]*)$/i

/**
 * Location and Content-Location as the client has to see them: an address of the upstream becomes one of the gateway,
 * a rewritten path its public form. Addresses elsewhere, relative ones and paths that the route cannot produce stay.
 */
export function mapLocation(value: string, context: MapBack): string {
  const absolute = WITH_AUTHORITY.exec(value)
  if (absolute === null) {
    return value.startsWith('/') && !value.startsWith('//') ? (mapPath(value, context) ?? value) : value
  }
  const host = (absolute[2] as string).toLowerCase()
  if (!context.upstreamAuthorities.includes(host) || context.authority === '') return value
  const rest = absolute[3] as string
  const path = mapPath(rest.startsWith('/') ? rest : `/${rest}`, context)
  if (path === undefined) return value
  return `${absolute[1] === undefined ? '' : `${context.scheme}:`}//${context.authority}${path}`
}

function mapPath(path: string, { writer, parameters }: MapBack): string | undefined {
  if (writer === null) return path
  const end = path.search(/[?#]/)
  const mapped = writer.back(end === -1 ? path : path.slice(0, end), parameters)
  return mapped === undefined ? undefined : mapped + (end === -1 ? '' : path.slice(end))
}

/** Browsers compare it without case (draft-ietf-httpbis-rfc6265bis §4.1.3). */
const HOST_PREFIX = /^[ \t]*__host-/i

/**
 * A Set-Cookie whose Path and Domain mean the gateway (RFC 6265 §5.3): the upstream's own Domain is left out. One named
 * `__Host-` stays as it is: browsers refuse it with any Path but `/`, and it is for the whole host by its name.
 */
export function mapCookie(value: string, { writer, upstreamAuthorities }: MapBack): string {
  if (HOST_PREFIX.test(value)) return value
  const [pair = '', ...attributes] = value.split(';')
  const kept = attributes.flatMap((attribute) => {
    const equals = attribute.indexOf('=')
    const name = (equals === -1 ? attribute : attribute.slice(0, equals)).trim().toLowerCase()
    const text = equals === -1 ? '' : attribute.slice(equals + 1).trim()
    if (name === 'path' && writer !== null && text.startsWith('/')) return [` Path=${writer.backPrefix(text)}`]
    if (name === 'domain') {
      const domain = text.replace(/^\./, '').toLowerCase()
      if (upstreamAuthorities.some((authority) => authority.replace(/:\d+$/, '') === domain)) return []
    }
    return [attribute]
  })
  return [pair, ...kept].join(';')
}
