import { isIPv6, type LookupFunction } from 'node:net'
import { buildConnector, type Client, Pool } from 'undici'
import { Connection } from './connection.ts'
import { ConnectionPool } from './connection-pool.ts'
import type { Http2Streams } from './http2-streams.ts'
import type { UpstreamOptions } from './options.ts'
import { httpOrigin, isPriorKnowledge } from './prior-knowledge.ts'
import type { TargetSpec } from './target-spec.ts'
import type { TlsSettings } from './tls-settings.ts'

/** Makes connections to one target, by the options of its upstream. */
export class Dialer {
  /** What undici calls the origin; `localhost` for a unix socket. */
  readonly origin: string
  /** The Host field that the target gets by default. */
  readonly authority: string
  /** A connection may take many requests at a time. */
  readonly multiplexes: boolean
  readonly #options: UpstreamOptions
  readonly #spec: TargetSpec
  readonly #settings: Client.Options
  readonly #http2Streams: Http2Streams
  readonly #tls: TlsSettings
  /** HTTP/2 without asking: the target speaks nothing else. */
  readonly #isPrior: boolean

  constructor(
    spec: TargetSpec,
    options: UpstreamOptions,
    { http2Streams, tls }: { http2Streams: Http2Streams; tls: TlsSettings },
  ) {
    const origin = new URL(spec.origin.startsWith('unix:') ? 'http://localhost' : httpOrigin(spec.origin))
    this.origin = origin.origin
    this.authority = origin.host
    this.#options = options
    this.#spec = spec
    this.#http2Streams = http2Streams
    this.#tls = tls
    this.#isPrior = isPriorKnowledge(spec.origin)
    this.multiplexes = options.http2 || this.#isPrior
    this.#settings = this.#settingsFor(this.multiplexes)
  }

  #settingsFor(http2: boolean): Client.Options {
    const options = this.#options
    const { origin, address } = this.#spec
    // undici's types leave it out, in both places.
    const prior = { useH2c: this.#isPrior }
    const socketPath = origin.startsWith('unix:') ? origin.slice(5) : undefined
    return {
      pipelining: 1,
      allowH2: http2,
      ...prior,
      // One coarse timer looks after every deadline (deadlines.ts), so undici's own are off.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: options.keepAliveMs,
      keepAliveMaxTimeout: Math.max(options.keepAliveMs, 600_000),
      connect: buildConnector({
        timeout: options.timeout.connectMs,
        allowH2: http2,
        // Some servers take the first protocol that the client names.
        preferH2: http2,
        ...prior,
        ...(socketPath && { socketPath }),
        ...(address !== null && { lookup: lookupOf(address) }),
        ...this.#tls,
      }),
    }
  }

  /** undici's own pool where the target may speak HTTP/2: there a connection takes many requests. */
  pool(): ConnectionPool | Pool {
    const { connections } = this.#options
    if (!this.multiplexes) return new ConnectionPool(connections, () => this.connection())
    const factory = (_origin: string | URL, settings: object): Connection => this.connection(settings)
    return new Pool(this.origin, { ...this.#settings, connections, factory })
  }

  /** A connection of HTTP/1.1, to switch to another protocol; `null` where the target speaks HTTP/2 alone. */
  switchable(): Connection | null {
    if (this.#isPrior) return null
    return this.connection(this.#options.http2 ? this.#settingsFor(false) : this.#settings)
  }

  /** One connection, which opens itself at its first request. */
  connection(settings: Client.Options = this.#settings): Connection {
    const { name } = this.#options
    return new Connection(this.origin, settings, (socket) => this.#http2Streams.watch(socket, name))
  }
}

/** A name server's answer that is known beforehand: the connection goes there, whatever the name. */
function lookupOf(address: string): LookupFunction {
  const family = isIPv6(address) ? 6 : 4
  return (_name, { all }, callback) => {
    if (all === true) callback(null, [{ address, family }])
    else callback(null, address, family)
  }
}
