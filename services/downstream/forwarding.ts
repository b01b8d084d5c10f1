import { randomBytes } from 'node:crypto'
import { parseAuthority } from '../http/host.ts'
import type { RequestFields } from '../http/request-fields.ts'
import type { Exchange } from './exchange.ts'
import { readForwarded } from './forwarded.ts'
import type { ForwardedOptions } from './options.ts'
import { nodeOf } from './peer.ts'
import { TrustedProxies } from './trust.ts'

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/
const PROTO = /^https?$/i

/**
 * Who the client is, what the request is called, and what upstreams are told of both. Forwarding fields of a client are
 * believed where its connection comes from a trusted proxy, and rebuilt in any case (RFC 7239; RFC 9110 §7.6.3).
 *
 * Of Forwarded and X-Forwarded-* one is read and the other ignored: a proxy that writes one may pass on the other as a
 * client wrote it, so that a mixture would say what the client likes.
 */
export class Forwarding {
  readonly trust: TrustedProxies
  readonly #read: ForwardedOptions['read']
  readonly #forwarded: boolean
  readonly #xForwarded: boolean
  readonly #via: string
  readonly #ownVia: RegExp
  // Unique to the process, so that ids never meet; the counter makes them unique in it.
  readonly #prefix = randomBytes(6).toString('base64url')
  #count = 0

  /** @throws HR_FORWARDED_TRUST */
  constructor(options: ForwardedOptions) {
    this.trust = new TrustedProxies(options.trust)
    this.#read = options.read
    this.#forwarded = options.send !== 'x-forwarded'
    this.#xForwarded = options.send !== 'forwarded'
    this.#via = options.via
    // No comma within the protocol: a list of thousands would otherwise be read once from each of its commas.
    this.#ownVia = new RegExp(`(?:^|,)\\s*[^\\s,]+\\s+${RegExp.escape(options.via)}(?=\\s|,|$)`, 'g')
  }

  /** Fills `requestId`, `scheme`, `clientAddress` and `told`. */
  identify(exchange: Exchange): void {
    const { peer, fields } = exchange
    exchange.clientAddress = peer.address
    exchange.scheme = peer.scheme
    if (peer.trusted) {
      this.#believe(exchange)
      if (fields.requestId !== undefined && REQUEST_ID.test(fields.requestId)) {
        exchange.requestId = fields.requestId
        return
      }
    }
    exchange.requestId = `${this.#prefix}-${(++this.#count).toString(36)}`
  }

  #believe(exchange: Exchange): void {
    const { peer, fields } = exchange
    let proto: string | undefined
    if (this.#read !== 'forwarded' && hasXForwarded(fields)) {
      exchange.clientAddress = this.trust.clientOf(peer.address, fields.forwardedFor)
      exchange.told = { family: 'x-forwarded', chain: fields.forwardedFor ?? '', host: fields.forwardedHost }
      proto = fields.forwardedProto
    } else if (this.#read !== 'x-forwarded' && fields.forwarded !== undefined) {
      const elements = readForwarded(fields.forwarded)
      const origin = this.trust.originOf(peer.address, elements)
      exchange.clientAddress = origin.address
      const chain = elements.map(({ text }) => text)
      const host = origin.host === undefined ? undefined : parseAuthority(origin.host)?.authority
      exchange.told = { family: 'forwarded', chain: chain.reverse().join(', '), host }
      proto = origin.proto
    }
    if (proto !== undefined && PROTO.test(proto)) exchange.scheme = proto.toLowerCase() as 'http' | 'https'
  }

  /** How often the request has passed a gateway of this name already. */
  passes(exchange: Exchange): number {
    const { via } = exchange.fields
    return via === undefined ? 0 : (via.match(this.#ownVia)?.length ?? 0)
  }

  /** Via of a response, by the protocol in which the upstream has given it. */
  viaOf(protocol: '1.1' | '2'): string {
    return `${protocol} ${this.#via}`
  }

  /** Adds the fields that upstreams get: name, value, name, value. */
  addTo(out: string[], exchange: Exchange): void {
    const { fields } = exchange
    const hop = `${exchange.protocol === '2.0' ? '2' : exchange.protocol} ${this.#via}`
    out.push('via', fields.via === undefined ? hop : `${fields.via}, ${hop}`)
    out.push('x-request-id', exchange.requestId)
    if (this.#xForwarded) {
      out.push('x-forwarded-for', xForwardedFor(exchange), 'x-forwarded-proto', exchange.scheme)
      const host = exchange.told?.host || exchange.authority
      if (host !== '') out.push('x-forwarded-host', host)
    }
    if (this.#forwarded) out.push('forwarded', forwarded(exchange))
  }
}

function hasXForwarded({ forwardedFor, forwardedProto, forwardedHost }: RequestFields): boolean {
  return forwardedFor !== undefined || forwardedProto !== undefined || forwardedHost !== undefined
}

function xForwardedFor({ told, peer, clientAddress }: Exchange): string {
  if (told === undefined) return peer.address
  const before = told.family === 'x-forwarded' ? told.chain : clientAddress === peer.address ? '' : clientAddress
  return before === '' ? peer.address : `${before}, ${peer.address}`
}

function forwarded(exchange: Exchange): string {
  const { told, peer, authority } = exchange
  const own = element(peer.node, authority, peer.scheme)
  if (told === undefined) return own
  const before = told.family === 'forwarded' ? told.chain : clientElement(exchange, told.host)
  return before === '' ? own : `${before}, ${own}`
}

function clientElement({ clientAddress, peer, scheme }: Exchange, host: string | undefined): string {
  if (clientAddress === peer.address) return ''
  // X-Forwarded-Host is any text; within quotes here it must not end them.
  return element(nodeOf(clientAddress), host === undefined ? '' : (parseAuthority(host)?.authority ?? ''), scheme)
}

/** One element of Forwarded (RFC 7239 §4). A client of HTTP/1.0 may name no host. */
function element(node: string, host: string, scheme: string): string {
  return host === '' ? `for=${node};proto=${scheme}` : `for=${node};host="${host}";proto=${scheme}`
}
