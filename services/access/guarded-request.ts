import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Readable } from 'node:stream'
import { Exchange } from '../downstream/exchange.ts'
import { type Connection, Peer } from '../downstream/peer.ts'
import type { Reply } from '../downstream/reply.ts'
import { TrustedProxies } from '../downstream/trust.ts'
import { readRequestFields, type RequestFields } from '../http/request-fields.ts'

/** What an application's own server knows of a request. */
export interface ReceivedRequest {
  raw: IncomingMessage
  /** As the client has sent it: what is signed, whatever the application makes of it. */
  originalUrl: string
  /** Of the client, as the application takes it. */
  ip: string
  /** As in Host. */
  host: string
  protocol: string
  id: string
}

const NOBODY_TRUSTED = new TrustedProxies([])

/**
 * A request of an application as gates see requests: without a plan.
 *
 * @param payload its body, as whoever came before has left it
 * @param peers by connection: what one has shown is known of its next request
 * @param answer what gates say to the client, for the application to send
 */
export function guardedRequest(
  { raw, originalUrl: target, ip, host, protocol, id }: ReceivedRequest,
  { payload, peers, answer }: { payload: Readable; peers: WeakMap<object, Peer>; answer: Reply },
): Exchange<{ key: string }> {
  const socket = raw.socket as Connection & object
  let peer = peers.get(socket)
  if (peer === undefined) {
    peer = new Peer(socket, NOBODY_TRUSTED)
    peers.set(socket, peer)
  }
  // Over HTTP/2 what the request is stands among its fields.
  const fields = readRequestFields(raw.rawHeaders.slice(endOfPseudoFields(raw.rawHeaders)))
  // The application's server has told the client to go on (RFC 9110 §10.1.1) before it gave the request to anybody.
  fields.expect = undefined
  const exchange = new Exchange<{ key: string }>({
    protocol: raw.httpVersionMajor === 2 ? '2.0' : '1.1',
    method: raw.method ?? 'GET',
    target,
    fields,
    body: hasBody(raw, fields) ? payload : null,
    peer,
  })
  const query = target.indexOf('?')
  exchange.path = query === -1 ? target : target.slice(0, query)
  exchange.query = query === -1 ? '' : target.slice(query)
  exchange.clientAddress = ip
  exchange.authority = host
  exchange.scheme = protocol === 'https' ? 'https' : 'http'
  exchange.requestId = id
  exchange.reply = answer
  return exchange
}

function hasBody(raw: IncomingMessage, { transferEncoding, contentLength = '0' }: RequestFields): boolean {
  // On HTTP/2 the frames say so, whatever the fields do.
  if (raw.httpVersionMajor === 2) return !(raw as unknown as Http2ServerRequest).stream.endAfterHeaders
  return transferEncoding !== undefined || contentLength !== '0'
}

function endOfPseudoFields(raw: readonly string[]): number {
  let end = 0
  while (end < raw.length && (raw[end] as string).startsWith(':')) end += 2
  return end
}
