import { Exchange } from '../../downstream/exchange.ts'
import { Peer } from '../../downstream/peer.ts'
import { TrustedProxies } from '../../downstream/trust.ts'
import { parseAuthority } from '../../http/host.ts'
import { readRequestFields } from '../../http/request-fields.ts'
import type { CacheExchange, RouteCache } from '../context.ts'
import { CollectedReply } from '../../downstream/collected-reply.ts'

/** A request as a framework has it. */
export interface HandlerRequest {
  method: string
  scheme: 'http' | 'https'
  /** Host, or what a trusted proxy says of it. */
  host: string
  /** As the handler sees it: path and query. */
  target: string
  /** Fields as received: name, value, name, value; without pseudo-headers. */
  rawFields: readonly string[]
}

const NOBODY = new Peer({}, new TrustedProxies([]))

/**
 * The exchange of a request whose handler is the application's own. The path goes into the key as it was sent, since the
 * handler may look at it: two spellings are two entries.
 *
 * @returns `undefined` for what no key can be made of: a Host that is none, a target that is no path, a GET with content
 */
export function handlerExchange(request: HandlerRequest, cache: RouteCache | null): CacheExchange | undefined {
  const authority = parseAuthority(request.host)
  if (authority === undefined || !request.target.startsWith('/') || request.target.includes('#')) return undefined
  const fields = readRequestFields(request.rawFields)
  const hasBody = fields.transferEncoding !== undefined || (fields.contentLength ?? '0') !== '0'
  if (hasBody && (request.method === 'GET' || request.method === 'HEAD')) return undefined
  const exchange: CacheExchange = new Exchange({
    protocol: '1.1',
    method: request.method,
    target: request.target,
    fields,
    body: null,
    peer: NOBODY,
  })
  const query = request.target.indexOf('?')
  exchange.scheme = request.scheme
  exchange.authority = authority.authority
  exchange.path = query === -1 ? request.target : request.target.slice(0, query)
  exchange.query = query === -1 ? '' : request.target.slice(query)
  exchange.plan = { cache }
  exchange.reply = new CollectedReply()
  return exchange
}
