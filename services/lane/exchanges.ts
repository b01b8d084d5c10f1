import type { IncomingMessage } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { Exchange } from '../downstream/exchange.ts'
import { type Connection, Peer } from '../downstream/peer.ts'
import type { TrustedProxies } from '../downstream/trust.ts'
import { InternalError } from '../http/errors.ts'
import type { InternalErrors } from '../monitor/internal-errors.ts'
import type { RoutePlan } from '../proxy/plan.ts'

export type GatewayExchange = Exchange<RoutePlan>

const kExchange = Symbol('headrace.exchange')

interface Marked {
  [kExchange]?: GatewayExchange | undefined
}

/** A connection, and what each lane knows of it: applications may have several, which trust different proxies. */
type Known = Record<symbol, Peer | undefined>

/** The exchanges of what comes in: one for each request or stream, by which it is found again. */
export class Exchanges {
  /** What connections keep what was found out of them by. */
  readonly peers: symbol
  readonly #trust: TrustedProxies
  readonly #onStreamError: (this: ServerHttp2Stream & Marked, error: Error) => void

  /** @param peers of those whose connections and trusted proxies are the same; by default, of nobody else */
  constructor({
    peers = Symbol('headrace.peer'),
    trust,
    internalErrors,
  }: {
    peers: symbol | undefined
    trust: TrustedProxies
    internalErrors: Pick<InternalErrors, 'record'>
  }) {
    this.peers = peers
    this.#trust = trust
    // One for all streams, as `onStreamClose`: a request costs no closure.
    this.#onStreamError = function onStreamError(error) {
      const exchange = this[kExchange]
      exchange?.work?.cancel()
      if (error instanceof InternalError) internalErrors.record(error.cause, exchange?.requestId ?? '')
    }
  }

  /** That of a request, or of the stream below it, where it has one. */
  of(request: object): GatewayExchange | undefined {
    const { stream } = request as { stream?: Marked }
    return (request as Marked)[kExchange] ?? stream?.[kExchange]
  }

  /** Of a request that Fastify gives, whatever its protocol. */
  ofRequest(request: IncomingMessage): GatewayExchange {
    const { stream } = request as unknown as { stream?: ServerHttp2Stream }
    if (request.httpVersionMajor !== 2 || stream === undefined) return this.ofHttp1(request)
    const exchange = this.ofStream(stream, request.headers, request.rawHeaders)
    this.follow(stream)
    return exchange
  }

  ofHttp1(request: IncomingMessage): GatewayExchange {
    const peer = this.peerOf(request.socket)
    const exchange = Exchange.fromHttp1<RoutePlan>(request, peer)
    exchange.early = peer.passed
    peer.passed = false
    ;(request as Marked)[kExchange] = exchange
    return exchange
  }

  ofStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): GatewayExchange {
    const session = stream.session as NonNullable<typeof stream.session> & Known
    const peer = (session[this.peers] ??= new Peer(connectionOf(session), this.#trust))
    const exchange = Exchange.fromHttp2<RoutePlan>(stream, headers, rawHeaders, peer)
    ;(stream as Marked)[kExchange] = exchange
    return exchange
  }

  /** For a stream whose exchange is over: what still holds the one, or held it, is not to keep the other. */
  forget(stream: ServerHttp2Stream): void {
    ;(stream as Marked)[kExchange] = undefined
  }

  /** Ends the work for the exchange of a stream with the stream. Nothing is lost by a call within the same tick as `ofStream`. */
  follow(stream: ServerHttp2Stream): void {
    stream.on('close', onStreamClose)
    // Without a listener, a reset by the client would be an uncaught error.
    stream.on('error', this.#onStreamError)
  }

  /** Who is at the other end of an HTTP/1 connection. */
  peerOf(of: Socket): Peer {
    const socket = of as Socket & Known & Connection
    let peer = socket[this.peers]
    if (peer === undefined) {
      peer = socket[this.peers] = new Peer(socket, this.#trust)
      socket.once('close', () => peer?.left())
    }
    return peer
  }
}

function onStreamClose(this: Marked): void {
  this[kExchange]?.work?.cancel()
}

/** The connection below a session, whose socket node:http2 lends piece by piece. */
function connectionOf(session: NonNullable<ServerHttp2Stream['session']>): Connection {
  const { socket, encrypted = false } = session
  const { authorized } = socket as Partial<TLSSocket>
  return {
    remoteAddress: socket.remoteAddress,
    encrypted,
    authorized: authorized === true,
    getPeerX509Certificate: () =>
      session.destroyed ? undefined : (session.socket as TLSSocket).getPeerX509Certificate?.(),
  }
}
