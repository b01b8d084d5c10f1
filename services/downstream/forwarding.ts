import { randomBytes } from 'node:crypto'
import type { Exchange } from './exchange.ts'
import type { ForwardedOptions } from './options.ts'
import { TrustedProxies } from './trust.ts'

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/
const PROTO = /^https?$/i

/**
 * Who the client is, what the request is called, and what upstreams are told of both. Forwarding fields of a client are
 * believed where its connection comes from a trusted proxy, and rebuilt in any case (RFC 7239; RFC 9110 §7.6.3).
 */
export class Forwarding {
  readonly trust: TrustedProxies
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
    this.#forwarded = options.send !== 'x-forwarded'
    this.#xForwarded = options.send !== 'forwarded'
    this.#via = options.via
    // No comma within the protocol: a list of thousands would otherwise be read once from each of its commas.
    this.#ownVia = new RegExp(`(?:^|,)\\s*[^\\s,]+\\s+${RegExp.escape(options.via)}(?=\\s|,|$)`, 'g')
  }

  /** Fills `requestId`, `scheme` and `clientAddress`. */
  identify(exchange: Exchange): void {
    const { peer, fields } = exchange
    if (peer.trusted) {
      exchange.clientAddress = this.trust.clientOf(peer.address, fields.forwardedFor)
      const proto = fields.forwardedProto
      exchange.scheme =
        proto !== undefined && PROTO.test(proto) ? (proto.toLowerCase() as 'http' | 'https') : peer.scheme
      if (fields.requestId !== undefined && REQUEST_ID.test(fields.requestId)) {
        exchange.requestId = fields.requestId
        return
      }
    } else {
      exchange.clientAddress = peer.address
      exchange.scheme = peer.scheme
    }
    exchange.requestId = `${this.#prefix}-${(++this.#count).toString(36)}`
  }

  /** How often the request has passed a gateway of this name already. */
  passes(exchange: Exchange): number {
    const { via } = exchange.fields
    return via === undefined ? 0 : (via.match(this.#ownVia)?.length ?? 0)
  }

  /** Via of a response: the protocol is the upstream's, which undici reads as HTTP/1.1. */
  get via(): string {
    return `1.1 ${this.#via}`
  }

  /** Adds the fields that upstreams get: name, value, name, value. */
  addTo(out: string[], exchange: Exchange): void {
    const { peer, fields } = exchange
    const hop = `${exchange.protocol} ${this.#via}`
    out.push('via', fields.via === undefined ? hop : `${fields.via}, ${hop}`)
    out.push('x-request-id', exchange.requestId)
    const believed = peer.trusted ? fields : undefined
    if (this.#xForwarded) {
      const chain = believed?.forwardedFor
      out.push(
        'x-forwarded-for',
        chain === undefined ? peer.address : `${chain}, ${peer.address}`,
        'x-forwarded-proto',
        exchange.scheme,
        'x-forwarded-host',
        believed?.forwardedHost ?? exchange.authority,
      )
    }
    if (this.#forwarded) {
      const own = `for=${peer.node};host="${exchange.authority}";proto=${peer.scheme}`
      const chain = believed?.forwarded
      out.push('forwarded', chain === undefined ? own : `${chain}, ${own}`)
    }
  }
}
