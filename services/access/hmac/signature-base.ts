import type { Exchange } from '../../downstream/exchange.ts'
import type { SignatureInput } from './signature-input.ts'

/**
 * The text that is signed (RFC 9421 §2.5).
 *
 * @returns `undefined` where a component is not in the request, or none that is known here
 */
export function signatureBase(exchange: Exchange, { components, parameters }: SignatureInput): string | undefined {
  let text = ''
  for (const name of components) {
    const value = name.startsWith('@') ? derived(exchange, name) : fieldValue(exchange, name)
    if (value === undefined) return undefined
    text += `"${name}": ${value}\n`
  }
  return `${text}"@signature-params": ${parameters}`
}

/** Whether all that decides about a request is signed: its method, where it goes, and what it brings. */
export function isCovered(exchange: Exchange, components: readonly string[]): boolean {
  const has = (name: string): boolean => components.includes(name)
  const { path, query } = partsOf(exchange)
  const isPathSigned = has('@request-target') || (has('@path') && (query === '?' || has('@query')))
  const isPlaceSigned = has('@target-uri') || (has('@authority') && isPathSigned)
  return path !== '' && has('@method') && isPlaceSigned && (exchange.body === null || has('content-digest'))
}

/** RFC 9421 §2.2. What is signed is the target as it was sent: the gateway's own reading of it follows from that. */
function derived(exchange: Exchange, name: string): string | undefined {
  switch (name) {
    case '@method':
      return exchange.method
    case '@authority':
      return authorityOf(exchange)
    case '@scheme':
      return exchange.scheme
    case '@target-uri': {
      const { path, query } = partsOf(exchange)
      return `${exchange.scheme}://${authorityOf(exchange)}${path}${query === '?' ? '' : query}`
    }
    case '@request-target':
      return exchange.target
    case '@path':
      return partsOf(exchange).path
    case '@query':
      return partsOf(exchange).query
    default:
      return undefined
  }
}

function authorityOf({ scheme, authority }: Exchange): string {
  const port = scheme === 'https' ? ':443' : ':80'
  const name = authority.toLowerCase()
  return name.endsWith(port) ? name.slice(0, -port.length) : name
}

/** The query with its `?`, which alone stands for none (RFC 9421 §2.2.7). */
function partsOf({ target }: Exchange): { path: string; query: string } {
  const local = target.startsWith('/') ? target : target.replace(/^[a-z]+:\/\/[^/?]*/i, '')
  const mark = local.indexOf('?')
  const path = mark === -1 ? local : local.slice(0, mark)
  return { path: path === '' ? '/' : path, query: mark === -1 ? '?' : local.slice(mark) }
}

/** RFC 9421 §2.1: lines joined, without blanks around. */
function fieldValue({ fields }: Exchange, name: string): string | undefined {
  if (name === 'content-length') return fields.contentLength
  const lines: string[] = []
  for (let i = 0; i < fields.kept.length; i += 2) {
    if ((fields.kept[i] as string).toLowerCase() === name) lines.push((fields.kept[i + 1] as string).trim())
  }
  return lines.length === 0 ? undefined : lines.join(', ')
}
