import type { Exchange } from '../downstream/exchange.ts'
import { fieldOf } from '../http/request-fields.ts'

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'QUERY', 'TRACE'])

/**
 * Whether a browser sends it for a page of another site, and it may change something. Cookies go along with such requests by
 * themselves; browsers say where they come from (Fetch Metadata, else Origin: RFC 6454 §7), and nobody else has cookies of
 * theirs. What says neither is no browser of these years.
 */
export function isCrossSite({ method, fields, authority, scheme }: Exchange): boolean {
  // A handshake of WebSocket is a GET, and opens a way for more; CORS does not keep pages of other sites from it.
  if (SAFE.has(method) && fields.upgrade === undefined) return false
  const site = fieldOf(fields.kept, 'sec-fetch-site')
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  const origin = fieldOf(fields.kept, 'origin')
  return origin !== undefined && origin.toLowerCase() !== `${scheme}://${authority}`.toLowerCase()
}
