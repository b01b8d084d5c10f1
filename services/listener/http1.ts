import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type GatewayError, PROBLEM_TYPE, problemOf } from '../http/problem.ts'
import { connectionOf } from './connections.ts'
import type { ListenerCounters } from './counters.ts'
import type { DrainState } from './drain.ts'
import {
  ConnectError,
  ExpectationError,
  HeadTooLargeError,
  PipelineError,
  UpgradeError,
  VersionError,
} from './errors.ts'
import type { RequestHandlers } from './handlers.ts'
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
const CONNECT: GatewayError = new ConnectError()
CONNECT.fields = ['allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS']

/**
 * The HTTP/1 side of a listener: a `node:http` server that never listens; `emit('connection', socket)` hands it the
 * connections that the front has accepted and tracked.
 */
export function createHttp1Server(context: Http1Context): Server {
  const { limits, handlers, counters, drain, now } = context
  const mostRawFields = limits.headerCount * 2
  const headTooLarge = new HeadTooLargeError(limits.headerBytes, limits.headerCount)

  /** @returns false when the request has been refused */
  function begin(request: IncomingMessage, response: ServerResponse): boolean {
    const connection = connectionOf(request.socket)
    if (connection !== undefined) {
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
  }

  function refuse(response: ServerResponse, error: GatewayError): false {
    counters.malformed[error.code] = (counters.malformed[error.code] ?? 0) + 1
    const problem = JSON.stringify(problemOf(error, randomUUID()))
    // Through the response and not the socket: it keeps its place behind those of earlier, pipelined requests.
    response.shouldKeepAlive = false
    response.writeHead(error.statusCode ?? 400, { 'content-type': PROBLEM_TYPE, connection: 'close' })
    response.end(problem)
    return false
  }

  const server = createServer({
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.headerTimeoutMs,
    // The body has a minimum rate instead (body-rate.ts): a total would cut large uploads on slow links.
    requestTimeout: 0,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(CHECK_INTERVAL_MS, limits.headerTimeoutMs),
    noDelay: true,
    // Admission answers a missing Host, with the same problem document on every protocol.
    requireHostHeader: false,
    insecureHTTPParser: false,
    // A request without a body has ended when it comes: no stream events for it (measured: 4 µs a request).
    optimizeEmptyRequests: true,
    // Other upgrades are ignored, as RFC 9110 §7.8 allows: `curl --http2` offers h2c on every first request.
    shouldUpgradeCallback: (request) => /^websocket$/i.test(request.headers.upgrade ?? ''),
  })
  // Above a limit Node drops fields in silence; headerCount answers 431, and headerBytes bounds what is parsed.
  server.maxHeadersCount = 0
  server.on('request', (request, response) => {
    if (begin(request, response) && !handlers.request(request, response)) handlers.fallback(request, response)
  })
  server.on('checkContinue', (request, response) => {
    if (!begin(request, response) || handlers.request(request, response)) return
    response.writeContinue()
    handlers.fallback(request, response)
  })
  server.on('checkExpectation', (request, response) => {
    counters.unsupported++
    if (begin(request, response)) refuse(response, EXPECTATION)
  })
  server.on('connect', (request, stream) => refuseUpgrade(request, stream, CONNECT))
  server.on('upgrade', (request, stream) => refuseUpgrade(request, stream, UPGRADE))
  server.on('clientError', (error, stream) => onClientError(error, stream as Socket))

  const onClientError = createMalformedHandler(limits, counters)

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
