import { constants } from 'node:http2'
import { isIPv4 } from 'node:net'
import type { Connection } from './connection.ts'
import { NotHttp2Error } from './errors.ts'
import type { Outcome } from './snapshot.ts'

/** How far an attempt had come when it failed. */
export type Phase = 'waiting' | 'sent' | 'receiving'

/** What nghttp2 says of a connection on which it cannot go on. */
const BROKEN_CONNECTION = 'ERR_HTTP2_ERROR'
const GARBAGE =
  /^(HPE_|UND_ERR_(HEADERS_OVERFLOW|RES_|RESPONSE|H2|HTTP_PARSER)|ERR_HTTP2_ERROR$|HR_UPSTREAM_NOT_HTTP2$)/

/** An error of undici; `http2ErrorCode` is that of a stream which was reset (RFC 9113 §7), `address` where no connection led. */
export type AttemptError = Error & { code?: string; http2ErrorCode?: number; address?: string }

/** What the gateway's own machine is out of: descriptors of the process and of the system, buffers, memory. */
const SCARCE: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'])

/** Whether a connection has failed before anything was asked of the target: for want of something here. */
function isOurLack(error: AttemptError): boolean {
  // Of several addresses each has failed; the code is the first one's.
  if (error instanceof AggregateError && error.errors.length > 0) return error.errors.every(isOurLack)
  if (SCARCE.has(error.code)) return true
  // All local ports towards this target are taken. Over IPv6 it is said as well where the machine has no such address.
  return error.code === 'EADDRNOTAVAIL' && isIPv4(error.address ?? '')
}

/** The error of an attempt, in other words where its connection says more of it than it does itself. */
export function explain(error: AttemptError, connection: Connection | undefined, upstream: string): AttemptError {
  if (error.code !== BROKEN_CONNECTION || connection?.isGuess !== true) return error
  return new NotHttp2Error(upstream, { cause: error })
}

/** What an error of undici means, by how far the attempt had come. */
export function outcomeOf(error: AttemptError, phase: Phase): Outcome {
  const code = error.code ?? ''
  if (phase === 'waiting') {
    if (isOurLack(error)) return 'out_of_resources'
    return code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT' ? 'connect_timeout' : 'connect_error'
  }
  if (phase === 'receiving') return 'truncated'
  // A malformed head (RFC 9113 §8.1.1) is found by nghttp2, which resets the stream itself.
  if (error.http2ErrorCode === constants.NGHTTP2_PROTOCOL_ERROR) return 'invalid_response'
  // undici reports what it cannot take (an unsolicited 100, an upgrade nobody asked for) as 'bad response', 'bad upgrade'.
  // Some of what its parser refuses comes without a code.
  if (GARBAGE.test(code) || error.name === 'HTTPParserError' || error.message.startsWith('bad '))
    return 'invalid_response'
  return 'reset'
}
