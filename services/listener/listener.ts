import { createServer as createNetServer, type Server as NetServer, type Socket } from 'node:net'
import { bind } from './bind.ts'
import { RATE_WINDOW_MS } from './body-rate.ts'
import { developmentCertificate } from './certificate.ts'
import { type ConnectionBudget, Connections } from './connections.ts'
import { createListenerCounters, type ListenerCounters } from './counters.ts'
import { DRAIN_IDLE_MS, drainConnections, type DrainResult, type DrainState, type OpenWork } from './drain.ts'
import { choosePrior } from './h2c.ts'
import type { RequestHandlers } from './handlers.ts'
import { createHttp1Server } from './http1.ts'
import { createHttp2Server } from './http2.ts'
import { Http2Sessions } from './http2-sessions.ts'
import { createIdleConnectionCheck } from './idle-connections.ts'
import type { LimitsOptions, ListenerOptions } from './options.ts'
import { endFailedHandshake } from './plain-http.ts'
import { createSlowBodyCheck } from './slow-bodies.ts'
import { createSocketHeads } from './socket-heads.ts'
import { createStalledReaderCheck } from './stalled-readers.ts'
import {
  certificateWarnings,
  createTlsFront,
  loadCertificate,
  loadClientIssuers,
  type LoadedCertificate,
  type TlsFront,
} from './tls.ts'

const CHECK_EVERY_MS = 1_000
const TCP_KEEPALIVE_MS = 60_000

export interface ListenerContext {
  limits: LimitsOptions
  handlers: RequestHandlers
  /** Where the development certificate is kept; needed with `tls: 'development'` only. */
  dataDir: string
  /** One for all listeners of the process: whoever answers reads it. */
  drain: DrainState
  /** One for all public listeners of the process; default: a budget of its own of `limits.connections`. */
  budget?: ConnectionBudget
  /** For TLS sessions that are resumed at another process; one for all that share the address. */
  ticketKeys?: Buffer | undefined
  log?: { warn(fields: object, message: string): void }
  /** What chooses the port, for the error that it is taken: `admin.port in the configuration`. */
  setting?: string
  /** Milliseconds that only grow. */
  now?: () => number
  /** For tests: how long a kept-alive connection is left to its client while draining. */
  drainIdleMs?: number
  /** For tests: over how long the rate of a request body is measured. */
  bodyWindowMs?: number
}

export interface ListenerAddress {
  host: string
  port: number
  /** What a client can speak here, the preferred first; `h2c` is cleartext HTTP/2 with prior knowledge. */
  protocols: ('h2' | 'h2c' | 'http/1.1')[]
  url: string
}

/** An address that clients connect to, with every protocol that is spoken on it. */
export interface Listener {
  readonly options: ListenerOptions
  readonly counters: ListenerCounters
  readonly sessions: Http2Sessions
  /** What a drain would wait for. */
  open(): OpenWork
  /** Reads the TLS files. @throws the errors of tls.ts */
  prepare(): Promise<void>
  /** Binds the address, prepared if it is not yet. @throws the errors of bind.ts and tls.ts */
  listen(): Promise<ListenerAddress>
  /** Closes the listening socket; connections that were accepted stay. */
  stopAccepting(): void
  /** `stopAccepting`, and every request in flight is answered; what remains at the deadline is destroyed. */
  drain(deadlineMs: number): Promise<DrainResult>
  /**
   * Reads the TLS files again, or others in their place. Without TLS there is nothing to read.
   *
   * @returns puts into force what was read: new handshakes get it, connections keep what they have
   * @throws the errors of tls.ts; nothing has changed then
   */
  renew(tls?: ListenerOptions['tls']): Promise<() => void>
  /** Destroys what is open and resolves when nothing is. */
  close(): Promise<void>
}

/**
 * A listener is a chain: a plain `net.Server` accepts (so that it can stop accepting without closing what it accepted),
 * the cap admits, TLS or the first bytes choose the protocol, and a `node:http` or `node:http2` server that never
 * listens itself takes the connection over: for HTTP/1 with the first request that is not answered before it.
 */
export function createListener(options: ListenerOptions, context: ListenerContext): Listener {
  const { limits, handlers, drain } = context
  const now = context.now ?? (() => performance.now())
  const counters = createListenerCounters()
  const connections = new Connections(context.budget ?? { limit: limits.connections, open: 0 }, counters)
  const sessions = new Http2Sessions({ limits, now })
  const http1 = createHttp1Server({ limits, handlers, counters, drain, now })
  const http2 = createHttp2Server({ limits, handlers, counters, sessions, drain })
  const checkBodies = createSlowBodyCheck({
    connections,
    sessions,
    counters,
    minBytesPerSecond: limits.bodyMinBytesPerSecond,
    windowMs: context.bodyWindowMs ?? RATE_WINDOW_MS,
  })
  const checkReaders = createStalledReaderCheck({
    connections,
    sessions,
    counters,
    sendTimeoutMs: limits.sendTimeoutMs,
  })
  const { idleTimeoutMs, headerTimeoutMs } = limits
  const checkIdle = createIdleConnectionCheck({ connections, counters, idleTimeoutMs, headerTimeoutMs })
  const readHeads = createSocketHeads({ http1, handlers, counters, drain, limits, now })
  let tls: TlsFront | null = null
  let files = options.tls
  let front: NetServer | null = null
  let ticker: NodeJS.Timeout | undefined

  function speakHttp1(socket: Socket): void {
    readHeads(connections.track(socket, now()))
  }

  function onConnection(socket: Socket): void {
    if (!connections.admit(socket)) return
    // Each protocol hears its own errors; this one is for the moments between two of them. 'close' follows.
    socket.on('error', () => socket.destroy())
    if (tls !== null) {
      // A client that leaves within the handshake would keep its connection until the handshake's time is over.
      socket.allowHalfOpen = false
      tls.server.emit('connection', socket)
    } else if (!options.h2c) speakHttp1(socket)
    else {
      choosePrior(socket, {
        http1: speakHttp1,
        http2: (chosen) => {
          // Node's HTTP/2 never ends its side by itself: a client's FIN would leave the connection behind.
          chosen.allowHalfOpen = false
          http2.emit('connection', chosen)
        },
        timedOut: () => counters.headTimeouts++,
        timeoutMs: limits.headerTimeoutMs,
      })
    }
  }

  async function openTls(): Promise<void> {
    const certificates = await loadCertificates(files, context)
    if (certificates === null) return
    const { clientCertificates: clients = null } = options
    tls = createTlsFront({
      clients: clients && { ca: await loadClientIssuers(clients.ca), required: clients.mode === 'require' },
      certificates,
      http2: options.http2,
      handshakeTimeoutMs: limits.headerTimeoutMs,
      ticketKeys: context.ticketKeys,
    })
    tls.server.on('secureConnection', (socket) => {
      if (socket.alpnProtocol === 'h2') http2.emit('connection', socket)
      else speakHttp1(socket)
    })
    tls.server.on('tlsClientError', (error, socket) => {
      counters.tlsFailed++
      endFailedHandshake(error, socket)
    })
  }

  function stopAccepting(): void {
    front?.close()
    front = null
  }

  async function end(): Promise<void> {
    stopAccepting()
    connections.destroy()
    await connections.empty()
    clearInterval(ticker)
    http1.close()
  }

  return {
    options,
    counters,
    sessions,
    open() {
      let requests = 0
      for (const { active } of connections) requests += active
      for (const { streams } of sessions) requests += streams.length
      return { requests, connections: connections.size }
    },
    async prepare() {
      if (tls === null) await openTls()
    },
    async listen() {
      if (tls === null) await openTls()
      front = createNetServer(
        { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: TCP_KEEPALIVE_MS },
        onConnection,
      )
      const { address, port } = await bind(front, {
        ...options,
        setting: context.setting ?? 'listen.port in the configuration',
      })
      const check = (): void => {
        checkBodies(now())
        checkReaders(now())
        checkIdle(now())
        sessions.check()
      }
      const { bodyWindowMs = CHECK_EVERY_MS } = context
      const everyMs = Math.min(CHECK_EVERY_MS, bodyWindowMs, headerTimeoutMs, idleTimeoutMs || CHECK_EVERY_MS)
      ticker = setInterval(check, everyMs)
      ticker.unref()
      const protocols: ListenerAddress['protocols'] = ['http/1.1']
      if (tls !== null && options.http2) protocols.unshift('h2')
      else if (tls === null && options.h2c) protocols.push('h2c')
      const name = address.includes(':') ? `[${address}]` : address
      return { host: address, port, protocols, url: `${tls === null ? 'http' : 'https'}://${name}:${port}` }
    },
    stopAccepting,
    async drain(deadlineMs) {
      stopAccepting()
      drain.draining = true
      const idleMs = context.drainIdleMs ?? DRAIN_IDLE_MS
      const result = await drainConnections({ connections, sessions, counters, deadlineMs, idleMs, now })
      await end()
      return result
    },
    async renew(next = files) {
      const certificates = await loadCertificates(next, context)
      const { clientCertificates: clients = null } = options
      const ca = clients && (await loadClientIssuers(clients.ca))
      return () => {
        files = next
        if (certificates !== null) tls?.replace(certificates, ca)
      }
    },
    close: end,
  }
}

async function loadCertificates(
  tls: ListenerOptions['tls'],
  { dataDir, log }: ListenerContext,
): Promise<[LoadedCertificate, ...LoadedCertificate[]] | null> {
  if (tls === null) return null
  const files = tls === 'development' ? [await developmentCertificate(dataDir)] : tls
  const [first, ...others] = await Promise.all(files.map((pair) => loadCertificate(pair)))
  if (first === undefined) return null
  const certificates: [LoadedCertificate, ...LoadedCertificate[]] = [first, ...others]
  for (const { code, message } of certificateWarnings(certificates, Date.now())) log?.warn({ code }, message)
  return certificates
}
