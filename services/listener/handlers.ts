import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'

/**
 * Who answers what a listener accepts. The first two are the lane: they return `false`, having written nothing, when
 * Fastify must answer; then `fallback` gets the request through Node's own request and response objects.
 */
export interface RequestHandlers {
  /** An HTTP/1.x request (also one with `Expect: 100-continue`: no 100 has been written yet). */
  request(request: IncomingMessage, response: ServerResponse): boolean
  /** An HTTP/2 stream that has sent its head. `rawHeaders` is flat: name, value, name, value. */
  stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): boolean
  fallback(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void
}
