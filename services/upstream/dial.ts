import { isIPv6, type LookupFunction } from 'node:net'
import { buildConnector, type Client, Pool } from 'undici'
import { Connection } from './connection.ts'
import { ConnectionPool } from './connection-pool.ts'
import type { Http2Streams } from './http2-streams.ts'
import type { UpstreamOptions } from './options.ts'
import type { TargetSpec } from './target-spec.ts'
import type { TlsSettings } from './tls-settings.ts'

/** Makes connections to one target, by the options of its upstream. */
export class Dialer {
  /** What undici calls the origin; `localhost` for a unix socket. */
  readonly origin: string
  /** The Host field that the target gets by default. */
  readonly authority: string
  readonly #options: UpstreamOptions
  readonly #spec: TargetSpec
  readonly #settings: Client.Options
  readonly #http2Streams: Http2Streams | null
  readonly #tls: TlsSettings

  /** @param parts.http2Streams of the gateway, `null` where it asks no upstream for HTTP/2 */
  constructor(
    spec: TargetSpec,
    options: UpstreamOptions,
    { http2Streams, tls }: { http2Streams: Http2Streams | null; tls: TlsSettings },
  ) {
    const origin = new URL(spec.origin.startsWith('unix:') ? 'http://localhost' : spec.origin)
    this.origin = origin.origin
    this.authority = origin.host
    this.#options = options
    this.#spec = spec
    this.#http2Streams = http2Streams
    this.#tls = tls
    this.#settings = this.#settingsFor(options.http2)
  }

  #settingsFor(http2: boolean): Client.Options {
    const options = this.#options
    const { origin, address } = this.#spec
    const socketPath = origin.startsWith('unix:') ? origin.slice(5) : undefined
    return {
      pipelining: 1,
      allowH2: http2,
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
        ...(socketPath && { socketPath }),
        ...(address !== null && { lookup: lookupOf(address) }),
        ...this.#tls,
      }),
    }
  }

  /** undici's own pool where the target may speak HTTP/2: there a connection takes many requests. */
  pool(): ConnectionPool | Pool {
    const { http2, connections } = this.#options
    if (!http2) return new ConnectionPool(connections, () => this.connection())
    const factory = (_origin: string | URL, settings: object): Connection => this.connection(settings)
    return new Pool(this.origin, { ...this.#settings, connections, factory })
  }

  /** A connection of HTTP/1.1, whatever else the target speaks: one that is to switch to another protocol. */
  switchable(): Connection {
    return this.connection(this.#options.http2 ? this.#settingsFor(false) : this.#settings)
  }

  /** One connection, which opens itself at its first request. */
  connection(settings: Client.Options = this.#settings): Connection {
    const { name } = this.#options
    return new Connection(this.origin, settings, (socket) => this.#http2Streams?.watch(socket, name))
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
