import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { currentDate } from '../http/current-date.ts'
import { FramingError } from '../http/errors.ts'
import { PROBLEM_TYPE, type GatewayError, problemOf } from '../http/problem.ts'
import { type Connection, connectionOf } from './connections.ts'
import type { ListenerCounters } from './counters.ts'
import { HeadTimeoutError, HeadTooLargeError, MalformedError } from './errors.ts'
import type { LimitsOptions } from './options.ts'

/** How long what a refused client still sends is read and thrown away: closing over unread bytes resets the answer away. */
const LINGER_MS = 1_000

// Made once: building an error costs a stack trace, and floods of garbage come here.
const MALFORMED = new MalformedError()
const FRAMING = new FramingError('is framed in a way that two parsers could read differently')
const HEAD_TIMEOUT = new HeadTimeoutError()

/** A whole HTTP/1.1 response that ends its connection, with a problem document (RFC 9457) as its body. */
export function closingAnswer(error: GatewayError, requestId: string = randomUUID()): string {
  const problem = problemOf(error, requestId)
  const body = JSON.stringify(problem)
  const fields = error.fields ?? []
  let head = `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n`
  for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`
  head += `content-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`
  return `${head}x-request-id: ${requestId}\r\ndate: ${currentDate()}\r\nconnection: close\r\n\r\n${body}`
}

/**
 * Ends a connection with an answer written past node:http, which has given up on it. What is still under way is
 * abandoned, so the caller makes sure that no response has begun.
 */
export function endWith(socket: Socket, answer: string): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const timer = setTimeout(() => socket.destroy(), LINGER_MS)
  socket.once('close', () => clearTimeout(timer))
  socket.removeAllListeners('data')
  socket.on('data', discard)
  socket.once('end', () => socket.destroy())
  socket.end(answer)
  socket.resume()
}

function discard(): void {
  // Read and thrown away: see LINGER_MS.
}

/** Answers once what stands before it on the connection has been answered: pipelined responses keep their order. */
export function endAfterPending(connection: Connection | undefined, socket: Socket, answer: string): void {
  if (connection !== undefined && connection.active > 0) connection.farewell = answer
  else endWith(socket, answer)
}

/**
 * The `clientError` listener of the HTTP/1 server: 400, 408 or 431 as a problem document, and the end of the
 * connection. Nothing is written to a client that has gone, into a response that has begun, or to a connection that
 * never sent a byte.
 */
export function createMalformedHandler(limits: LimitsOptions, counters: ListenerCounters) {
  const headTooLarge = new HeadTooLargeError(limits.headerBytes, limits.headerCount)

  function errorFor(code: string): GatewayError {
    if (code === 'HPE_HEADER_OVERFLOW' || code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return headTooLarge
    if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return HEAD_TIMEOUT
    return /CONTENT_LENGTH|TRANSFER_ENCODING|CHUNK/.test(code) ? FRAMING : MALFORMED
  }

  return function onClientError(error: NodeJS.ErrnoException, socket: Socket): void {
    const code = error.code ?? ''
    const timedOut = code === 'ERR_HTTP_REQUEST_TIMEOUT'
    // The others are the socket's own errors: ECONNRESET, EPIPE.
    const answerable = timedOut || code.startsWith('HPE_')
    const connection = connectionOf(socket)
    if (timedOut) counters.headTimeouts++
    if (!answerable || !socket.writable || socket.bytesRead === 0) {
      socket.destroy()
      return
    }
    if (connection?.farewell != null) return
    const refusal = errorFor(code)
    counters.malformed[refusal.code] = (counters.malformed[refusal.code] ?? 0) + 1
    const incomplete = connection?.request?.complete === false
    if (!incomplete) endAfterPending(connection, socket, closingAnswer(refusal))
    // The fault is in the body of the request in flight: what has begun to be answered can only be broken off.
    else if (connection?.response?.headersSent === false && connection.active === 1) {
      endWith(socket, closingAnswer(refusal))
    } else socket.destroy()
  }
}
