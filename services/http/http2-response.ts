import type { OutgoingHttpHeaders, ServerHttp2Stream, ServerStreamResponseOptions } from 'node:http2'
import { HTTP1_CONNECTION_FIELDS } from './connection-fields.ts'

/** Fields of an HTTP/1.1 connection: a response on HTTP/2 must not carry them (RFC 9113 §8.2.2). */
const CONNECTION_FIELDS = [...HTTP1_CONNECTION_FIELDS, 'te'] as const

/**
 * Makes a stream leave out connection-specific fields of its response head, whoever sets them. Node throws on them, and
 * Fastify's last error handler sends the same fields again: uncaught, which ends the process (fastify#7034).
 */
export function dropConnectionFields(stream: ServerHttp2Stream): void {
  stream.respond = respond
}

/** Shared by all streams (`this`), so that a request costs no closure. */
function respond(this: ServerHttp2Stream, head?: OutgoingHttpHeaders, options?: ServerStreamResponseOptions): void {
  if (head !== undefined && !Array.isArray(head)) {
    for (const name of CONNECTION_FIELDS) if (name in head) delete head[name]
  }
  ;(Object.getPrototypeOf(this) as ServerHttp2Stream).respond.call(this, head, options)
}
