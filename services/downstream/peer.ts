import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { type ClientCertificate, readClientCertificate } from './client-certificate.ts'
import type { Exchange } from './exchange.ts'
import type { TrustedProxies } from './trust.ts'

/** Who is at the other end of a connection; made once a connection. */
export interface Connection {
  remoteAddress?: string | undefined
  encrypted?: boolean
  /** Of a TLS socket: the certificate that the client has shown is one that the listener's issuers stand for. */
  authorized?: boolean
  getPeerX509Certificate?(): X509Certificate | undefined
}

/** What the gateway knows of a connection, and the exchanges in flight on it. */
export class Peer {
  /** The address of the other end, IPv4 in IPv6 unwrapped. */
  readonly address: string
  readonly scheme: 'http' | 'https'
  /** `true` where its forwarding fields are believed. */
  readonly trusted: boolean
  /** `address` as a node of Forwarded (RFC 7239 §6). */
  readonly node: string
  /** The head that was read off this connection last has passed what can be asked of one: it is not asked again of its request. */
  passed = false
  readonly #connection: Connection
  #certificate: ClientCertificate | null | undefined
  // Almost always none or one; more with pipelining and on HTTP/2.
  readonly #open: Exchange[] = []

  constructor(connection: Connection, trust: TrustedProxies) {
    const raw = connection.remoteAddress ?? ''
    this.address = raw.startsWith('::ffff:') && raw.includes('.') ? raw.slice(7) : raw === '' ? 'unknown' : raw
    this.scheme = connection.encrypted === true ? 'https' : 'http'
    this.trusted = trust.includes(this.address)
    this.node = nodeOf(this.address)
    this.#connection = connection
  }

  /** What the client has shown of itself by TLS; `null` for nothing. Read once a connection, when it is first asked for. */
  get certificate(): ClientCertificate | null {
    if (this.#certificate === undefined) this.#certificate = readClientCertificate(this.#connection)
    return this.#certificate
  }

  /** An exchange has begun on this connection. */
  open(exchange: Exchange): void {
    this.#open.push(exchange)
  }

  /** An exchange is over. */
  done(exchange: Exchange): void {
    const index = this.#open.indexOf(exchange)
    if (index === -1) return
    const last = this.#open.pop() as Exchange
    if (last !== exchange) this.#open[index] = last
  }

  /** `true` while an exchange is in flight. */
  get busy(): boolean {
    return this.#open.length > 0
  }

  /** The connection is gone: ends the work for every exchange on it. */
  left(): void {
    // A copy: each that ends leaves the list.
    for (const { work, abandoned } of this.#open.slice()) (work ?? abandoned)?.cancel()
  }
}

/** An address as a node of Forwarded (RFC 7239 §6). */
export function nodeOf(address: string): string {
  return isIP(address) === 6 ? `"[${address}]"` : address
}
