import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Admission } from '../downstream/admission.ts'
import { Exchange } from '../downstream/exchange.ts'
import type { Forwarding } from '../downstream/forwarding.ts'
import { type Connection, Peer } from '../downstream/peer.ts'
import { replyWithProblem } from '../downstream/problem-reply.ts'
import type { GatewayError } from '../http/problem.ts'
import type { RoutePlan } from '../proxy/plan.ts'
import { ProxyCall, type ProxyContext } from '../proxy/proxy-call.ts'

type GatewayExchange = Exchange<RoutePlan>

const kPeer = Symbol('headrace.peer')
const kExchange = Symbol('headrace.exchange')

interface Marked {
  [kPeer]?: Peer
  [kExchange]?: GatewayExchange
}

export interface LaneOptions {
  forwarding: Forwarding
  admission: Admission<RoutePlan>
  /** Paths that Fastify serves itself, whatever the routes say. */
  isOwn(path: string): boolean
  /** Told of every finished exchange that was answered here. */
  finished: ((exchange: GatewayExchange) => void)[]
  proxy: Omit<ProxyContext, 'refuse' | 'finish' | 'forwarding'>
}

/**
 * The short way through the gateway: from the raw request straight to its route, before Fastify has built anything. It
 * answers what it can answer completely, and returns `false`, having written nothing, for the rest: the gateway's own
 * endpoints, paths without a route, and everything once `off` is set (a hook of the user's on the gateway, say).
 *
 * Fastify goes the same steps with the same exchange: `begin` and `proxy` are all that its plugins call.
 */
export class Lane {
  /** Why every request takes the way through Fastify; `undefined` while the lane is open. */
  off: string | undefined
  /** Set while draining: every further answer tells its client to close the connection. */
  draining = false
  readonly #options: LaneOptions
  readonly #context: ProxyContext

  constructor(options: LaneOptions) {
    this.#options = options
    this.#context = {
      ...options.proxy,
      forwarding: options.forwarding,
      refuse: (exchange, error) => this.refuse(exchange, error),
      finish: (exchange) => this.finish(exchange),
    }
  }

  /** An HTTP/1.x request. @returns `false` when Fastify has to answer */
  request(request: IncomingMessage, response: ServerResponse): boolean {
    const exchange = this.#http1(request, response)
    ;(request as Marked)[kExchange] = exchange
    return this.#run(exchange)
  }

  /** An HTTP/2 stream. @returns `false` when Fastify has to answer */
  stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): boolean {
    const exchange = this.#http2(stream, headers, rawHeaders)
    ;(stream as Marked)[kExchange] = exchange
    return this.#run(exchange)
  }

  /**
   * The exchange of a request that Fastify handles: begun here, or now. A refusal is thrown by the caller, since Fastify
   * answers it.
   */
  begin(request: IncomingMessage, response: ServerResponse): { exchange: GatewayExchange; refusal?: GatewayError } {
    const stream = (request as unknown as { stream?: ServerHttp2Stream & Marked }).stream
    const isHttp2 = request.httpVersionMajor === 2 && stream !== undefined
    const known = isHttp2 ? stream[kExchange] : (request as Marked)[kExchange]
    if (known !== undefined) return { exchange: known }
    const exchange = isHttp2
      ? this.#http2(stream, request.headers, request.rawHeaders)
      : this.#http1(request, response)
    if (isHttp2) stream[kExchange] = exchange
    else (request as Marked)[kExchange] = exchange
    const refusal = this.#admit(exchange)
    return refusal === undefined ? { exchange } : { exchange, refusal }
  }

  /** Sends an exchange with a plan to its upstream, and the answer back. */
  proxy(exchange: GatewayExchange): void {
    new ProxyCall(this.#context, exchange, exchange.plan as RoutePlan).start()
  }

  /** Answers with a problem, and finishes. */
  refuse(exchange: GatewayExchange, error: GatewayError): void {
    replyWithProblem(exchange, error)
    this.finish(exchange)
  }

  /** Books the end of an exchange; the second time does nothing. */
  finish(exchange: GatewayExchange): void {
    if (exchange.finished) return
    exchange.finished = true
    exchange.peer.done(exchange)
    exchange.plan?.traffic?.record(exchange.method, exchange.status, performance.now() - exchange.arrivedAt)
    for (const told of this.#options.finished) told(exchange)
  }

  #run(exchange: GatewayExchange): boolean {
    if (this.draining) exchange.reply.closing = true
    const refusal = this.#admit(exchange)
    if (refusal !== undefined) {
      // A message that two readers may understand differently: what follows on the connection cannot be trusted.
      exchange.reply.closing = true
      this.refuse(exchange, refusal)
      return true
    }
    if (this.off !== undefined || exchange.plan === undefined) return false
    this.proxy(exchange)
    return true
  }

  #admit(exchange: GatewayExchange): GatewayError | undefined {
    const { admission } = this.#options
    const refusal = admission.admit(exchange)
    if (refusal !== undefined) return refusal
    return this.#options.isOwn(exchange.path) ? undefined : admission.route(exchange)
  }

  #http1(request: IncomingMessage, response: ServerResponse): GatewayExchange {
    const socket = request.socket as typeof request.socket & Marked & Connection
    let peer = socket[kPeer]
    if (peer === undefined) {
      peer = socket[kPeer] = new Peer(socket, this.#options.forwarding.trust)
      socket.once('close', () => peer?.left())
    }
    const exchange = Exchange.fromHttp1<RoutePlan>(request, response, peer)
    peer.open(exchange)
    return exchange
  }

  #http2(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): GatewayExchange {
    const session = stream.session as NonNullable<typeof stream.session> & Marked
    const peer = (session[kPeer] ??= new Peer(
      { remoteAddress: session.socket.remoteAddress, encrypted: session.encrypted ?? false },
      this.#options.forwarding.trust,
    ))
    const exchange = Exchange.fromHttp2<RoutePlan>(stream, headers, rawHeaders, peer)
    peer.open(exchange)
    stream.once('close', () => exchange.work?.cancel())
    // Without a listener, a reset by the client would be an uncaught error.
    stream.on('error', () => exchange.work?.cancel())
    return exchange
  }
}
