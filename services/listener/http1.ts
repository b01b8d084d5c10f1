import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { InternalError } from '../http/errors.ts'
import { COMMON_METHODS } from '../http/methods.ts'
import { type GatewayError, PROBLEM_TYPE, problemOf } from '../http/problem.ts'
import { resetSocket } from '../http/reset.ts'
import { connectionOf } from './connections.ts'
import type { ListenerCounters } from './counters.ts'
import type { DrainState } from './drain.ts'
import { ConnectError, ExpectationError, HeadTooLargeError, PipelineError, VersionError } from './errors.ts'
import type { RequestHandlers } from './handlers.ts'
import { Http1Request } from './http1-request.ts'
import { watchIgnoredUpgrade } from './ignored-upgrade.ts'
import { UpgradeError } from '../websocket/errors.ts'
import { closingAnswer, createMalformedHandler, endAfterPending, endWith } from './malformed.ts'
import type { LimitsOptions } from './options.ts'

/** How often head timeouts are looked at: Node's default of 30 s lets a dripping client stay three times as long. */
const CHECK_INTERVAL_MS = 1_000

export interface Http1Context {
  limits: LimitsOptions
  handlers: RequestHandlers
  counters: ListenerCounters
  drain: DrainState
  now: () => number
}

/** A pipelining client may have this many requests in flight: it must not take the share of others. */
const PIPELINED = 32

const PIPELINE = new PipelineError()
const VERSION = new VersionError()
const EXPECTATION = new ExpectationError()
const UPGRADE = new UpgradeError()
const INTERNAL = new InternalError()
const CONNECT: GatewayError = new ConnectError()
CONNECT.fields = ['allow', COMMON_METHODS]

/**
 * The HTTP/1 side of a listener: a `node:http` server that never listens; `emit('connection', socket)` hands it the
 * connections that the front has accepted and tracked.
 */
export function createHttp1Server(context: Http1Context): Server {
  const { limits, handlers, counters, drain, now } = context
  const mostRawFields = limits.headerCount * 2
  const headTooLarge = new HeadTooLargeError(limits.headerBytes, limits.headerCount)

  /** @returns false when the request has been refused, or is not read */
  function begin(request: Http1Request, response: ServerResponse): boolean {
    request.begun = true
    const connection = connectionOf(request.socket)
    if (connection !== undefined) {
      if (connection.last !== null) {
        // RFC 9112 §9.6: what follows the last one is not processed.
        if (connection.last !== request) return false
        response.shouldKeepAlive = false
      }
      connection.served = true
      connection.active++
      connection.request = request
      connection.response = response
      response.on('close', onResponseClose)
    }
    counters.requests++
    if (drain.draining) response.shouldKeepAlive = false
    // Node parses "HTTP/0.9", a bare "GET /" and even "HTTP/2.0" as a request line.
    if (request.httpVersionMajor !== 1) return refuse(response, VERSION)
    if (connection !== undefined && connection.active > PIPELINED) return refuse(response, PIPELINE)
    if (request.rawHeaders.length > mostRawFields) return refuse(response, headTooLarge)
    return true
  }

  /** Shared by all responses (`this`), so that a request costs no closure. */
  function onResponseClose(this: ServerResponse): void {
    const connection = connectionOf(this.req.socket)
    if (connection === undefined) return
    connection.active--
    if (connection.active > 0) return
    connection.idleSince = now()
    // A body that goes on after the answer is still held to its minimum rate.
    if (connection.request?.complete !== false) connection.request = null
    connection.response = null
    if (connection.farewell !== null) endWith(connection.socket, connection.farewell)
    else if (connection.last !== null) connection.socket.end()
  }

  function refuse(response: ServerResponse, error: GatewayError): false {
    counters.malformed[error.code] = (counters.malformed[error.code] ?? 0) + 1
    answer(response, error)
    return false
  }

  function answer(response: ServerResponse, error: GatewayError): void {
    const problem = JSON.stringify(problemOf(error, randomUUID()))
    // Through the response and not the socket: it keeps its place behind those of earlier, pipelined requests.
    response.shouldKeepAlive = false
    response.writeHead(error.statusCode ?? 400, { 'content-type': PROBLEM_TYPE, connection: 'close' })
    response.end(problem)
  }

  function handle(request: Http1Request, response: ServerResponse): void {
    if (!begin(request, response)) return
    try {
      if (!handlers.request(request, response)) handlers.fallback(request, response)
    } catch (error) {
      if (handlers.broke(request, error)) return
      if (response.headersSent) resetSocket(request.socket)
      else answer(response, INTERNAL)
    }
  }

  const server = createServer({
    IncomingMessage: Http1Request,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerTimeoutMs,
    // The body has a minimum rate instead (body-rate.ts): a total would cut large uploads on slow links.
    requestTimeout: 0,
    // idle-connections.ts closes what is idle: this would move a timer several times a request.
    keepAliveTimeout: 0,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, limits.headerTimeoutMs),
    noDelay: true,
    // Admission answers a missing Host, with the same problem document on every protocol.
    requireHostHeader: false,
    insecureHTTPParser: false,
    // A request without a body has ended when it comes: no stream events for it (measured: 4 µs a request).
    optimizeEmptyRequests: true,
    // Other upgrades are ignored, as RFC 9110 §7.8 allows: `curl --http2` offers h2c on every first request.
    shouldUpgradeCallback(request) {
      if (request.method === 'GET' && /^websocket$/i.test(request.headers.upgrade ?? '')) return true
      watchIgnoredUpgrade(request)
      return false
    },
  })
  // Above a limit Node drops fields in silence; headerCount answers 431, and headerBytes bounds what is parsed.
  server.maxHeadersCount = 0
  server.on('request', handle)
  // No 100 yet: it is for whoever wants the body, and an answer without it closes the connection.
  server.on('checkContinue', handle)
  server.on('checkExpectation', (request, response) => {
    counters.unsupported++
    if (begin(request, response)) refuse(response, EXPECTATION)
  })
  server.on('connect', (request, stream) => refuseUpgrade(request, stream, CONNECT))
  server.on('upgrade', (request, stream, early) => {
    if (handlers.upgrade === undefined || !beginUpgrade(request)) refuseUpgrade(request, stream, UPGRADE)
    else handlers.upgrade(request, early)
  })
  server.on('clientError', (error, stream) => onClientError(error, stream as Socket))

  const onClientError = createMalformedHandler(limits, counters)

  /** From here on the connection is somebody else's, and never idle. @returns `false` where there are answers ahead of it */
  function beginUpgrade(request: Http1Request): boolean {
    const { socket } = request
    const connection = connectionOf(socket)
    if (connection === undefined || connection.active > 0 || drain.draining) return false
    request.begun = true
    connection.served = true
    connection.active++
    counters.requests++
    // Of socket-heads.ts, which has nothing to do with it any more.
    socket.removeAllListeners('data')
    return true
  }

  function refuseUpgrade(request: IncomingMessage, stream: Duplex, error: GatewayError): void {
    counters.unsupported++
    // Node has taken its listeners off the socket: an error there would be nobody's.
    stream.on('error', () => stream.destroy())
    endAfterPending(connectionOf(request.socket), request.socket, closingAnswer(error))
  }

  // node:http starts its timeout checks when a server begins to listen, which this one never does.
  server.emit('listening')
  return server
}
