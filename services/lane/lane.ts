import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Admission } from '../downstream/admission.ts'
import { Exchange } from '../downstream/exchange.ts'
import type { Forwarding } from '../downstream/forwarding.ts'
import { Http1Reply } from '../downstream/http1-reply.ts'
import { type Connection, Peer } from '../downstream/peer.ts'
import { replyWithProblem } from '../downstream/problem-reply.ts'
import type { GatewayError } from '../http/problem.ts'
import type { RoutePlan } from '../proxy/plan.ts'
import { ProxyCall, type ProxyContext } from '../proxy/proxy-call.ts'
import type { OwnPaths } from './own-paths.ts'

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
  /** Which paths Fastify serves itself, whatever the configured routes say. */
  own: Pick<OwnPaths, 'find'>
  /** Told of every finished exchange that was answered here. */
  finished: readonly ((exchange: GatewayExchange) => void)[]
  proxy: Omit<ProxyContext, 'refuse' | 'finish' | 'forwarding'>
}

/**
 * The short way through the gateway: from the raw request straight to its route, before Fastify has built anything. It
 * answers what it can answer completely, and returns `false`, having written nothing, for the rest: the gateway's own
 * endpoints, paths without a route, and everything once `off` is set (a hook of the user's on the gateway, say).
 *
 * Fastify goes the same steps with the same exchange: `exchangeOf` and `proxy` are all that its plugins call.
 */
export class Lane {
  /** Why every request takes the way through Fastify; `undefined` while the lane is open. */
  off: string | undefined
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
    const exchange = this.#http1(request)
    exchange.reply = new Http1Reply(request, response)
    return this.#run(exchange)
  }

  /** An HTTP/2 stream. @returns `false` when Fastify has to answer */
  stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): boolean {
    return this.#run(this.#http2(stream, headers, rawHeaders))
  }

  /**
   * The exchange of a request that Fastify handles, begun by the lane or now (`inject`, or an application without the
   * lane). What it is refused with stands in `refusal`; Fastify answers it.
   */
  exchangeOf(request: IncomingMessage): GatewayExchange {
    const { stream } = request as unknown as { stream?: ServerHttp2Stream & Marked }
    const known = (request as Marked)[kExchange] ?? stream?.[kExchange]
    if (known !== undefined) return known
    const exchange =
      request.httpVersionMajor === 2 && stream !== undefined
        ? this.#http2(stream, request.headers, request.rawHeaders)
        : this.#http1(request)
    exchange.refusal = this.#admit(exchange)
    leaveToFastify(exchange)
    return exchange
  }

  /** Gives an exchange from {@link exchangeOf} its response, where it has none yet. */
  attach(exchange: GatewayExchange, request: IncomingMessage, response: ServerResponse): void {
    exchange.reply ??= new Http1Reply(request, response)
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
    const refusal = this.#admit(exchange)
    if (this.off === undefined) {
      if (refusal !== undefined) {
        exchange.reply.closing = exchange.suspect
        this.refuse(exchange, refusal)
        return true
      }
      if (exchange.plan !== undefined && !exchange.undecided) {
        this.proxy(exchange)
        return true
      }
    }
    exchange.refusal = refusal
    leaveToFastify(exchange)
    return false
  }

  #admit(exchange: GatewayExchange): GatewayError | undefined {
    const { admission } = this.#options
    const refusal = admission.admit(exchange)
    if (refusal !== undefined) {
      // A message that two readers may understand differently: what follows on its connection cannot be trusted.
      exchange.suspect = true
      return refusal
    }
    const own = this.#options.own.find(exchange.path)
    if (own === undefined) return admission.route(exchange)
    if (own === 'perhaps') {
      exchange.undecided = true
      exchange.held = admission.route(exchange)
    }
    return undefined
  }

  #http1(request: IncomingMessage): GatewayExchange {
    const socket = request.socket as typeof request.socket & Marked & Connection
    let peer = socket[kPeer]
    if (peer === undefined) {
      peer = socket[kPeer] = new Peer(socket, this.#options.forwarding.trust)
      socket.once('close', () => peer?.left())
    }
    const exchange = Exchange.fromHttp1<RoutePlan>(request, peer)
    ;(request as Marked)[kExchange] = exchange
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
    ;(stream as Marked)[kExchange] = exchange
    peer.open(exchange)
    stream.once('close', () => exchange.work?.cancel())
    // Without a listener, a reset by the client would be an uncaught error.
    stream.on('error', () => exchange.work?.cancel())
    return exchange
  }
}

/** What Fastify gets has had its 100 Continue: whoever calls it writes one at once, as Node does by itself. */
function leaveToFastify({ fields }: GatewayExchange): void {
  fields.expect = undefined
}
