import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { PlainHead } from '../http/plain-head.ts'

/**
 * Who answers what a listener accepts. The first two are the lane: they return `false`, having written nothing, when
 * Fastify must answer; then `fallback` gets the request through Node's own request and response objects. To a request
 * with `Expect: 100-continue` nobody has written a 100 yet: whoever wants the body does (plugins/expectation.ts).
 */
export interface RequestHandlers {
  /**
   * An HTTP/1.1 request whose head has been read off its socket, on a connection with nothing else in flight: answered at
   * once, or not at all. `null` where nothing ever is.
   *
   * @returns `false`, having done nothing, when the request has to be parsed by node:http and go on from there
   */
  head: ((head: PlainHead, socket: Socket) => boolean) | null
  /** Whether `head` could answer anything now: to read a head for nothing is spared where not. Default: always. */
  wantsHeads?: () => boolean
  /** An HTTP/1.x request. */
  request(request: IncomingMessage, response: ServerResponse): boolean
  /** An HTTP/2 stream that has sent its head. `rawHeaders` is flat: name, value, name, value. */
  stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): boolean
  /** A GET over HTTP/1.1 that asks for WebSocket; what came behind its head is `early`. */
  upgrade?(request: IncomingMessage, early: Buffer): void
  /** The same over HTTP/2, on a stream (RFC 8441). */
  connect?(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): void
  fallback(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse): void
  /** One of the above has thrown. @returns `false` where nobody has been answered for it */
  broke(request: IncomingMessage | ServerHttp2Stream, error: unknown): boolean
}
