import type { PathWriter } from './path-writer.ts'

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

const ABSOLUTE = /^https?:\/\/([^/?#]+)([^]*)$/i

/**
 * Location and Content-Location as the client has to see them: an address of the upstream becomes one of the gateway,
 * a rewritten path its public form. Addresses elsewhere, relative ones and paths that the route cannot produce stay.
 */
export function mapLocation(value: string, context: MapBack): string {
  const absolute = ABSOLUTE.exec(value)
  if (absolute === null) {
    return value.startsWith('/') && !value.startsWith('//') ? (mapPath(value, context) ?? value) : value
  }
  const host = (absolute[1] as string).toLowerCase()
  if (!context.upstreamAuthorities.includes(host) || context.authority === '') return value
  const rest = absolute[2] as string
  const path = mapPath(rest.startsWith('/') ? rest : `/${rest}`, context)
  return path === undefined ? value : `${context.scheme}://${context.authority}${path}`
}

function mapPath(path: string, { writer, parameters }: MapBack): string | undefined {
  if (writer === null) return path
  const end = path.search(/[?#]/)
  const mapped = writer.back(end === -1 ? path : path.slice(0, end), parameters)
  return mapped === undefined ? undefined : mapped + (end === -1 ? '' : path.slice(end))
}

/** A Set-Cookie whose Path and Domain mean the gateway (RFC 6265 §5.3): the upstream's own Domain is left out. */
export function mapCookie(value: string, { writer, upstreamAuthorities }: MapBack): string {
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
