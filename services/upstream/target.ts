import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { type buildConnector, Client, type Dispatcher, Pool } from 'undici'
import { Histogram } from '../monitor/histogram.ts'
import { UpstreamTlsError } from './errors.ts'
import type { UpstreamOptions } from './options.ts'
import { type Outcome, OUTCOMES, type TargetSnapshot } from './snapshot.ts'

/** A handler that wants to know over which connection its request goes. */
export interface ConnectionAware {
  connection: CountedClient | undefined
}

/**
 * A client is one connection at a time; it counts the answers on the present one, because a reset means another thing on
 * a connection that was idle (the upstream closed it, the request was not seen) than on a new one.
 */
export class CountedClient extends Client {
  answered = 0
  readonly #socket: { current: Socket | undefined }

  constructor(origin: string | URL, options: Client.Options) {
    const socket: { current: Socket | undefined } = { current: undefined }
    const connect = options.connect as buildConnector.connector
    super(origin, {
      ...options,
      connect: (to, callback) =>
        connect(to, (...result) => {
          socket.current = result[1] ?? undefined
          callback(...result)
        }),
    })
    this.#socket = socket
    this.on('connect', () => {
      this.answered = 0
    })
  }

  /** `true` where the connection ended with an error, a reset say, and not with its end. */
  get broken(): boolean {
    return this.#socket.current?.errored != null
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    ;(handler as Partial<ConnectionAware>).connection = this
    return super.dispatch(options, handler)
  }
}

/** One origin of an upstream: its connection pool, and what happened on it in plain integers. */
export class Target {
  readonly upstream: string
  /** As configured: `http://host:port`, `https://host`, `unix:/path`. */
  readonly url: string
  /** What undici calls the origin; `localhost` for a unix socket. */
  readonly origin: string
  /** The Host field that the target gets by default. */
  readonly authority: string
  readonly pool: Pool
  /** Requests given to the pool that are not over yet. */
  inFlight = 0
  retries = 0
  state: TargetSnapshot['state'] = 'unknown'
  lastError: TargetSnapshot['lastError'] = null
  readonly outcomes: Record<Outcome, number>
  /** One for each outcome that has occurred: most targets know two or three. */
  readonly #latency: Partial<Record<Outcome, Histogram>> = {}
  readonly #options: UpstreamOptions

  /** @throws HR_UPSTREAM_TLS */
  constructor(url: string, options: UpstreamOptions) {
    this.#options = options
    this.upstream = options.name
    this.url = url
    const socketPath = url.startsWith('unix:') ? url.slice(5) : undefined
    const origin = new URL(socketPath === undefined ? url : 'http://localhost')
    this.origin = origin.origin
    this.authority = origin.host
    this.outcomes = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, 0])) as Record<Outcome, number>
    this.pool = new Pool(this.origin, {
      connections: options.connections,
      pipelining: 1,
      allowH2: options.http2,
      // One coarse timer looks after every deadline (deadlines.ts), so undici's own are off.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: options.keepAliveMs,
      keepAliveMaxTimeout: Math.max(options.keepAliveMs, 600_000),
      connect: { timeout: options.timeout.connectMs, ...(socketPath && { socketPath }), ...tlsOf(options) },
      factory: (pool: string | URL, settings: object) => new CountedClient(pool, settings as Client.Options),
    })
  }

  /** `true` while a further request would wait behind more than `queue` others. */
  get full(): boolean {
    return this.inFlight >= this.#options.connections + this.#options.queue
  }

  /**
   * Books how an attempt ended.
   *
   * @param ms from dispatch to the response head for `response`, to the end for everything else
   */
  settle(outcome: Outcome, code: string, ms: number): void {
    this.outcomes[outcome]++
    ;(this.#latency[outcome] ??= new Histogram()).record(ms)
    this.#learn(outcome, code)
  }

  /** Books what a probe has found, which counts as no attempt. A late answer came over a connection: that is enough here. */
  probed(outcome: Outcome, code: string): void {
    this.#learn(outcome, code)
    if (outcome === 'first_byte_timeout') this.state = 'up'
  }

  #learn(outcome: Outcome, code: string): void {
    if (outcome === 'response') this.state = 'up'
    else if (outcome !== 'client_abort') {
      this.lastError = { outcome, code, at: Date.now() }
      if (outcome === 'connect_error' || outcome === 'connect_timeout') this.state = 'down'
    }
  }

  snapshot(): TargetSnapshot {
    const { connected, free, pending, running } = this.pool.stats
    return {
      upstream: this.upstream,
      target: this.url,
      required: this.#options.required,
      state: this.state,
      connections: {
        limit: this.#options.connections,
        connected,
        free,
        running,
        pending,
        queued: Math.max(0, this.inFlight - this.#options.connections),
      },
      outcomes: { ...this.outcomes },
      retries: this.retries,
      lastError: this.lastError,
      latency: Object.fromEntries(Object.entries(this.#latency).map(([outcome, held]) => [outcome, held.snapshot()])),
    }
  }
}

function tlsOf(options: UpstreamOptions): object {
  const { tls } = options
  if (tls === null) return {}
  const read = (file: string | null): Buffer | undefined => {
    if (file === null) return undefined
    try {
      return readFileSync(file)
    } catch (cause) {
      throw new UpstreamTlsError(options.name, `cannot read ${file}`, { cause })
    }
  }
  return {
    ca: read(tls.ca),
    cert: read(tls.cert),
    key: read(tls.key),
    rejectUnauthorized: tls.verify,
    ...(tls.servername !== null && { servername: tls.servername }),
  }
}
