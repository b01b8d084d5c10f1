import { randomUUID } from 'node:crypto'
import { constants, createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { HostError, InternalError } from '../http/errors.ts'
import { checkHttp2Head } from '../http/http2-request.ts'
import { type GatewayError, PROBLEM_TYPE, problemOf } from '../http/problem.ts'
import type { ListenerCounters } from './counters.ts'
import type { DrainState } from './drain.ts'
import { ConnectError, HeadTooLargeError, MethodError } from './errors.ts'
import type { RequestHandlers } from './handlers.ts'
import { http2ServerOptions, PSEUDO_FIELDS } from './http2-options.ts'
import type { Http2Sessions } from './http2-sessions.ts'
import type { LimitsOptions } from './options.ts'

export interface Http2Context {
  limits: LimitsOptions
  handlers: RequestHandlers
  counters: ListenerCounters
  sessions: Http2Sessions
  drain: DrainState
}

/** What a field costs in the size of a list beyond its bytes (RFC 9113 §6.5.2). */
const FIELD_OVERHEAD_BYTES = 32
const HOST = new HostError('disagrees with :authority')
const METHOD = new MethodError()
const INTERNAL = new InternalError()
const CONNECT: GatewayError = new ConnectError()

/**
 * The HTTP/2 side of a listener: a server that never listens; `emit('connection', socket)` hands it the connections
 * that the front has accepted (TLS with `h2` chosen by ALPN, or cleartext with the preface).
 */
export function createHttp2Server(context: Http2Context): Http2Server {
  const { limits, handlers, counters, sessions, drain } = context
  const headTooLarge = new HeadTooLargeError(limits.headerBytes, limits.headerCount)
  const mostRaw = (limits.headerCount + PSEUDO_FIELDS) * 2

  /** Another protocol over CONNECT would make an open proxy of the gateway. */
  function asksForWebSocket(headers: IncomingHttpHeaders): boolean {
    return handlers.connect !== undefined && headers[':protocol'] === 'websocket'
  }

  function refuse(stream: ServerHttp2Stream, error: GatewayError): void {
    counters.malformed[error.code] = (counters.malformed[error.code] ?? 0) + 1
    answerStream(stream, error)
  }

  /** @returns true when the request may go to the handlers */
  function check(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): boolean {
    if (headers[':method'] === 'CONNECT' && !asksForWebSocket(headers)) {
      counters.unsupported++
      refuse(stream, CONNECT)
      return false
    }
    if (rawHeaders.length > mostRaw || listBytes(rawHeaders) > limits.headerBytes) {
      refuse(stream, headTooLarge)
      return false
    }
    const fault = checkHttp2Head(headers, rawHeaders)
    if (fault === null) return true
    if (fault.kind === 'answer') {
      refuse(stream, fault.code === 'HR_REQUEST_HOST' ? HOST : METHOD)
    } else {
      counters.malformed[fault.code] = (counters.malformed[fault.code] ?? 0) + 1
      sessions.counters.malformed++
      stream.close(constants.NGHTTP2_PROTOCOL_ERROR)
    }
    return false
  }

  const server = createServer(http2ServerOptions(limits), (request, response) => handlers.fallback(request, response))
  // Else the compatibility layer would write a 100 Continue by itself, before anybody wants the body.
  server.on('checkContinue', (request, response) => handlers.fallback(request, response))
  // The compatibility layer listens to `stream` for the request listener above; it gets only what the lane declines.
  const compatible = server.listeners('stream') as ((...event: unknown[]) => void)[]
  server.removeAllListeners('stream')
  server.on('stream', (stream: ServerHttp2Stream, headers, flags, rawHeaders) => {
    const state = drain.draining ? sessions.stateOf(stream) : undefined
    if (state !== undefined) sessions.goAway(state)
    // Reset before Node told of it: whoever answers would throw.
    if (stream.destroyed || stream.closed) return
    if (!check(stream, headers, rawHeaders)) return
    try {
      if (headers[':method'] === 'CONNECT') return handlers.connect?.(stream, headers, rawHeaders)
      if (handlers.stream(stream, headers, rawHeaders)) return
      for (const listener of compatible) listener.call(server, stream, headers, flags, rawHeaders)
    } catch (error) {
      if (handlers.broke(stream, error)) return
      if (stream.headersSent) stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      else answerStream(stream, INTERNAL)
    }
  })
  server.on('session', (session) => sessions.open(session))
  server.on('sessionError', () => {
    // Counted by the session's own listener (http2-sessions.ts); the session has ended.
  })
  return server
}

function listBytes(rawHeaders: readonly string[]): number {
  let bytes = (rawHeaders.length / 2) * FIELD_OVERHEAD_BYTES
  for (const text of rawHeaders) bytes += text.length
  return bytes
}

/** Answers a stream with a problem document, whatever its request still sends. */
export function answerStream(stream: ServerHttp2Stream, error: GatewayError): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return
  const body = JSON.stringify(problemOf(error, randomUUID()))
  const fields: Record<string, string> = {}
  for (let i = 0; i < (error.fields?.length ?? 0); i += 2) {
    fields[error.fields?.[i] as string] = error.fields?.[i + 1] as string
  }
  stream.respond({ ...fields, ':status': error.statusCode ?? 400, 'content-type': PROBLEM_TYPE })
  stream.end(body)
}
