import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { CacheContext, CacheExchange, OriginReply } from '../cache/context.ts'
import { ResponseCache } from '../cache/response-cache.ts'
import { isUnsafe } from '../cache/rules/invalidation.ts'
import type { Admission } from '../downstream/admission.ts'
import { Exchange } from '../downstream/exchange.ts'
import type { Forwarding } from '../downstream/forwarding.ts'
import { Http1Reply } from '../downstream/http1-reply.ts'
import { type Connection, Peer } from '../downstream/peer.ts'
import type { Reply } from '../downstream/reply.ts'
import { SocketReply } from '../downstream/socket-reply.ts'
import { Http1UpgradingClient, Http2UpgradingClient, type UpgradingClient } from '../downstream/upgrading-client.ts'
import { replyWithProblem } from '../downstream/problem-reply.ts'
import { discardBody } from '../downstream/unread-body.ts'
import { decompress } from '../compression/requests/decompress.ts'
import { compress } from '../compression/compress.ts'
import { InternalError, RouteNotFoundError } from '../http/errors.ts'
import { ANSWERED, type Verdict } from '../gate/gate.ts'
import type { Gates } from '../gate/gates.ts'
import type { GatewayError } from '../http/problem.ts'
import type { PlainHead } from '../http/plain-head.ts'
import { readRequestFields } from '../http/request-fields.ts'
import type { Load } from '../pressure/load.ts'
import type { Maintenance } from '../maintenance/maintenance.ts'
import type { InternalErrors } from '../monitor/internal-errors.ts'
import type { ProxyPlan, RoutePlan } from '../proxy/plan.ts'
import type { ProxyContext } from '../proxy/proxy-call.ts'
import { startCall } from '../proxy/start-call.ts'
import { bodyLimit } from '../request/request-gate.ts'
import { UpgradeError } from '../websocket/errors.ts'
import type { Tunnels } from '../websocket/tunnels.ts'
import { openTunnel, type Opening } from './opening.ts'
import type { OwnPaths } from './own-paths.ts'

type GatewayExchange = Exchange<RoutePlan>

/** What is booked where nobody was answered. */
const CLIENT_GONE = 499

const kExchange = Symbol('headrace.exchange')

interface Marked {
  [kExchange]?: GatewayExchange
}

/** A connection, and what each lane knows of it: applications may have several, which trust different proxies. */
type Known = Record<symbol, Peer | undefined>

export interface LaneOptions {
  forwarding: Forwarding
  admission: Admission<RoutePlan>
  /** Which paths Fastify serves itself, whatever the configured routes say. */
  own: Pick<OwnPaths, 'find'>
  maintenance: Maintenance
  /** What is under way, in other lanes of the process too; by default in this one alone. */
  load?: Load
  /** All routes. */
  plans: readonly RoutePlan[]
  /** Told of every finished exchange that was answered here. */
  finished: readonly ((exchange: GatewayExchange) => void)[]
  tunnels: Tunnels
  /** Told of what the gateway itself fails on. */
  internalErrors: Pick<InternalErrors, 'record'>
  proxy: Omit<ProxyContext, 'refuse' | 'broke' | 'finish' | 'forwarding' | 'toClient'>
  cache: Pick<CacheContext, 'store' | 'tier' | 'purges' | 'policiesAt' | 'passes' | 'variations' | 'now'>
  /**
   * Of another lane that has the same connections and trusts the same proxies: by this, connections keep what was found out
   * of them. Without it each lane finds it out for itself.
   */
  peers?: symbol
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
  /** For routes whose plan has a cache. */
  readonly cache: ResponseCache
  readonly plans: readonly RoutePlan[]
  /** WebSocket connections that are open. */
  readonly tunnels: Tunnels
  readonly #context: ProxyContext
  readonly #peer: symbol
  readonly #maintenance: Maintenance
  readonly #load: Load
  /** Exchanges that have begun and are not finished, those that Fastify answers too. */
  #inFlight = 0
  /** Some route has a cache: what goes by the others may change what is stored. */
  readonly caches: boolean

  constructor(options: LaneOptions) {
    this.#options = options
    this.#peer = options.peers ?? Symbol('headrace.peer')
    this.plans = options.plans
    this.#maintenance = options.maintenance
    this.#load = options.load ?? { inFlight: 0 }
    this.tunnels = options.tunnels
    this.caches = options.plans.some(({ cache }) => cache !== null)
    this.#context = {
      ...options.proxy,
      forwarding: options.forwarding,
      toClient: true,
      refuse: (exchange, error) => this.refuse(exchange, error),
      broke: (exchange, error) => this.broke(exchange, error),
      finish: (exchange) => this.finish(exchange),
    }
    this.cache = this.#createCache()
  }

  /** What it knows connections by, for a lane that takes its place. */
  get peers(): symbol {
    return this.#peer
  }

  /** Nothing is under way: neither an exchange with a client, nor a request of the cache's own. */
  get idle(): boolean {
    return this.#inFlight === 0 && this.cache.flights === 0
  }

  /**
   * An HTTP/1.1 request off its socket, on a connection with nothing else in flight: a fresh answer in memory is written
   * past node:http, which was half of the cost of one (`npm run bench -- --only hit`), and what there is no room for is refused
   * at that price: turning away costs what could have been served (docs/load-shedding.md).
   *
   * @returns `false`, having done nothing, for all else: it is given as a `request` then
   */
  head({ method, target, fields }: PlainHead, socket: Socket): boolean {
    if (this.off !== undefined || this.#maintenance.active) return false
    const peer = this.#peerOf(socket)
    const exchange: GatewayExchange = new Exchange({ protocol: '1.1', method, target, fields, body: null, peer })
    exchange.reply = new SocketReply(socket, method)
    this.#enter()
    try {
      if (this.#isAnswered(exchange)) return true
    } catch (error) {
      if (exchange.reply.headSent) {
        this.broke(exchange, error)
        return true
      }
      // It has its second chance, and its answer, as a request.
      this.#options.internalErrors.record(error, exchange.requestId)
    }
    this.#leave()
    peer.passed = exchange.early
    return false
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

  /** A GET over HTTP/1.1 that asks for WebSocket. Always answered. @param early what has come behind its head */
  upgrade(request: IncomingMessage, early: Buffer): void {
    const client = new Http1UpgradingClient(request, early)
    const exchange = this.#http1(request)
    exchange.reply = client.reply
    this.#open(exchange, client)
  }

  /** The same over HTTP/2: an extended CONNECT (RFC 8441). */
  connect(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): void {
    this.#open(this.#http2(stream, headers, rawHeaders), new Http2UpgradingClient(stream))
  }

  /**
   * A GET that no client has sent, on the way of all others; it counts as coming from this machine.
   *
   * @param fields name, value, name, value; Host is the URL's
   * @returns `undefined` where Fastify would have to answer
   */
  get(url: URL, fields: readonly string[], reply: Reply): GatewayExchange | undefined {
    const connection = { remoteAddress: '127.0.0.1', encrypted: url.protocol === 'https:' }
    const exchange: GatewayExchange = new Exchange({
      protocol: '1.1',
      method: 'GET',
      target: url.pathname + url.search,
      fields: readRequestFields(['host', url.host, ...fields]),
      body: null,
      peer: new Peer(connection, this.#options.forwarding.trust),
    })
    exchange.reply = reply
    this.#begin(exchange)
    if (this.#run(exchange)) return exchange
    this.#leave()
    return undefined
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
    return exchange
  }

  /** Gives an exchange from {@link exchangeOf} its response, where it has none yet. */
  attach(exchange: GatewayExchange, request: IncomingMessage, response: ServerResponse): void {
    exchange.reply ??= new Http1Reply(request, response)
  }

  /** Answers an exchange with a plan, once it has passed the gates of its route. */
  proxy(exchange: GatewayExchange): void {
    const { gates } = exchange.plan as RoutePlan
    if (gates === null || this.#holds(exchange)) this.#serve(exchange)
    else this.#ask(gates, exchange, () => this.#serve(exchange))
  }

  /** Answers with a problem, and finishes. */
  refuse(exchange: GatewayExchange, error: GatewayError): void {
    // RFC 9110 §10.1.1: whether the client still sends the body that it asked about, it alone knows; what follows on the
    // connection would be read as one or the other.
    if (exchange.fields.expect !== undefined && exchange.body !== null) exchange.reply.closing = true
    replyWithProblem(exchange, error)
    this.finish(exchange)
  }

  /** The gateway itself has failed: its client gets a problem, or a broken answer, and nobody else notices. Never throws. */
  broke(exchange: GatewayExchange, error: unknown): void {
    this.#options.internalErrors.record(error, exchange.requestId)
    if (exchange.finished) return
    const { reply, work } = exchange
    try {
      exchange.code = new InternalError().code
      if (reply.headSent) reply.abort()
      else {
        reply.closing = true
        replyWithProblem(exchange, new InternalError())
      }
    } catch {
      // The answer was what failed, and is logged; there is no other.
      reply.abort()
    }
    this.finish(exchange)
    work?.cancel()
  }

  /**
   * {@link broke} for what only its request or stream is known of, such as an exception of Fastify's.
   *
   * @returns `false` where there is no exchange: nobody has been answered
   */
  brokeOff(request: object, error: unknown): boolean {
    const exchange = (request as Marked)[kExchange]
    if (exchange?.reply === undefined) this.#options.internalErrors.record(error, '')
    else this.broke(exchange, error)
    return exchange?.reply !== undefined
  }

  /** Books the end of an exchange; the second time does nothing. Never throws. */
  finish(exchange: GatewayExchange): void {
    if (exchange.finished) return
    exchange.finished = true
    this.#leave()
    exchange.peer.done(exchange)
    try {
      exchange.plan?.gates?.finish(exchange)
      exchange.plan?.cache?.counters.record(exchange.cacheResult)
      exchange.plan?.traffic?.record(exchange.method, exchange.status, performance.now() - exchange.arrivedAt)
      for (const told of this.#options.finished) told(exchange)
    } catch (error) {
      this.#options.internalErrors.record(error, exchange.requestId)
    }
  }

  #createCache(): ResponseCache {
    const { proxy, forwarding, cache } = this.#options
    // The cache's own requests: their answers may be stored, so they get nothing that is said to one client.
    const fetching: ProxyContext = {
      ...proxy,
      forwarding,
      toClient: false,
      sendTimeoutMs: 0,
      refuse: ({ reply }, error) => (reply as OriginReply).refused(error),
      broke: ({ reply, requestId }, error) => {
        this.#options.internalErrors.record(error, requestId)
        if (reply.headSent) reply.abort()
        else (reply as OriginReply).refused(new InternalError())
      },
      finish: () => undefined,
    }
    const call = (context: ProxyContext, exchange: CacheExchange): void =>
      startCall(context, exchange as GatewayExchange, exchange.plan as ProxyPlan)
    return new ResponseCache({
      ...cache,
      deadlines: proxy.deadlines,
      sendTimeoutMs: proxy.sendTimeoutMs,
      serverTiming: proxy.serverTiming,
      origin: {
        pass: (exchange) => call(this.#context, exchange),
        fetch: (request) => call(fetching, request),
        refuse: (exchange, error) => this.refuse(exchange as GatewayExchange, error),
        broke: (exchange, error) => this.broke(exchange as GatewayExchange, error),
        failed: (error) => this.#options.internalErrors.record(error, ''),
        finish: (exchange) => this.finish(exchange as GatewayExchange),
      },
    })
  }

  #run(exchange: GatewayExchange): boolean {
    try {
      return this.#answer(exchange)
    } catch (error) {
      this.broke(exchange, error)
      return true
    }
  }

  #answer(exchange: GatewayExchange): boolean {
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
    return false
  }

  /** Answers from the cache where the plan has one, or from its upstream. */
  #serve(exchange: GatewayExchange): void {
    let plan = exchange.plan as RoutePlan
    try {
      // The last step before the client, whoever answers.
      if (plan.compression !== null) compress(exchange, plan.compression)
      if (this.#holds(exchange)) {
        discardBody(exchange)
        this.refuse(exchange, this.#maintenance.refusal())
        return
      }
      if (plan.detour !== null) {
        const next = plan.detour.take(exchange, this.#context)
        if (next === null) return
        exchange.plan = plan = next
      }
      if (plan.options.decompress !== null) {
        const refusal = decompress(
          exchange,
          plan.options.decompress,
          bodyLimit(plan.options.request, this.#context.bodyBytes),
        )
        if (refusal !== undefined) {
          this.refuse(exchange, refusal)
          return
        }
      }
      if (plan.cache !== null) this.cache.handle(exchange)
      else {
        if (this.caches && isUnsafe(exchange.method)) this.cache.watch(exchange)
        startCall(this.#context, exchange, plan)
      }
    } catch (error) {
      this.broke(exchange, error)
    }
  }

  /** Goes on with what the gates let pass, and answers the rest. Never throws. */
  #ask(gates: Gates, exchange: GatewayExchange, pass: () => void): void {
    try {
      const verdict = gates.check(exchange)
      if (verdict === undefined) pass()
      else if (verdict instanceof Promise) this.#wait(verdict, exchange, pass)
      else this.#turnAway(exchange, verdict)
    } catch (error) {
      this.broke(exchange, error)
    }
  }

  #wait(verdict: Promise<Verdict>, exchange: GatewayExchange, pass: () => void): void {
    exchange.work = {
      cancel: () => {
        exchange.status = CLIENT_GONE
        exchange.code = 'CLIENT_ABORT'
        this.finish(exchange)
      },
    }
    verdict.then(
      (decided) => {
        // Its client has left: nobody is there for an answer.
        if (exchange.finished) return
        exchange.work = undefined
        if (decided === undefined) pass()
        else this.#turnAway(exchange, decided)
      },
      (error: unknown) => this.broke(exchange, error),
    )
  }

  #turnAway(exchange: GatewayExchange, verdict: GatewayError | typeof ANSWERED): void {
    discardBody(exchange)
    if (verdict === ANSWERED) this.finish(exchange)
    else this.refuse(exchange, verdict)
  }

  /** Its route, or the whole gateway, is in maintenance. */
  #holds({ plan, clientAddress }: GatewayExchange): boolean {
    return this.#maintenance.active && this.#maintenance.holds((plan as RoutePlan).key, clientAddress)
  }

  /** Opens a WebSocket connection, by the steps of any other request. */
  #open(exchange: GatewayExchange, client: UpgradingClient): void {
    try {
      const plan = this.#planToOpen(exchange)
      if (plan instanceof Error) {
        this.#refuseToOpen(exchange, plan)
        return
      }
      exchange.reply.closing = true
      const opening = { exchange, plan, client }
      if (plan.gates === null) this.#openTo(opening)
      else this.#ask(plan.gates, exchange, () => this.#openTo(opening))
    } catch (error) {
      this.broke(exchange, error)
    }
  }

  #openTo(opening: Opening): void {
    const refusal = openTunnel(opening, { context: this.#context, tunnels: this.tunnels })
    if (refusal !== undefined) this.#refuseToOpen(opening.exchange, refusal)
  }

  #refuseToOpen(exchange: GatewayExchange, refusal: GatewayError): void {
    this.tunnels.counters.refuse(refusal.code)
    exchange.reply.closing = true
    this.refuse(exchange, refusal)
  }

  /** @returns the route that serves it, or why none does */
  #planToOpen(exchange: GatewayExchange): RoutePlan | GatewayError {
    const refusal = this.#admit(exchange)
    if (refusal !== undefined) return refusal
    const { plan, method, path } = exchange
    if (this.off !== undefined || exchange.undecided) return new UpgradeError()
    if (plan === undefined) return new RouteNotFoundError(method, path, 'the documentation')
    return this.#holds(exchange) ? this.#maintenance.refusal() : plan
  }

  /** Answers what needs no more than its head: from the cache, or because there is no room for it. */
  #isAnswered(exchange: GatewayExchange): boolean {
    if (this.#admit(exchange) !== undefined || exchange.undecided || exchange.plan === undefined) return false
    const { gates } = exchange.plan
    if (this.#isHittable(exchange.plan) && this.cache.hit(exchange)) return true
    if (gates?.early !== true) return false
    const refusal = gates.checkEarly(exchange)
    exchange.early = refusal === undefined
    if (refusal === undefined) return false
    this.refuse(exchange, refusal)
    return true
  }

  /** Whether the cache may answer ahead of all else. */
  #isHittable({ cache, detour, compression, gates }: RoutePlan): boolean {
    // What sees to a request before the cache sees this one too; its codings may have to be made first, and nothing may come
    // later on this way; gates count what they are asked, and this one may be asked again as a request. What would only be
    // turned away for want of room costs less this way than its refusal.
    return cache !== null && detour === null && compression === null && (gates === null || gates.shed)
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

  #enter(): void {
    this.#inFlight++
    this.#load.inFlight++
  }

  #leave(): void {
    this.#inFlight--
    this.#load.inFlight--
  }

  #begin(exchange: GatewayExchange): void {
    this.#enter()
    exchange.peer.open(exchange)
  }

  #peerOf(of: Socket): Peer {
    const socket = of as Socket & Known & Connection
    let peer = socket[this.#peer]
    if (peer === undefined) {
      peer = socket[this.#peer] = new Peer(socket, this.#options.forwarding.trust)
      socket.once('close', () => peer?.left())
    }
    return peer
  }

  #http1(request: IncomingMessage): GatewayExchange {
    const peer = this.#peerOf(request.socket)
    const exchange = Exchange.fromHttp1<RoutePlan>(request, peer)
    exchange.early = peer.passed
    peer.passed = false
    ;(request as Marked)[kExchange] = exchange
    this.#begin(exchange)
    return exchange
  }

  #http2(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): GatewayExchange {
    const session = stream.session as NonNullable<typeof stream.session> & Known
    const peer = (session[this.#peer] ??= new Peer(connectionOf(session), this.#options.forwarding.trust))
    const exchange = Exchange.fromHttp2<RoutePlan>(stream, headers, rawHeaders, peer)
    ;(stream as Marked)[kExchange] = exchange
    this.#begin(exchange)
    stream.once('close', () => exchange.work?.cancel())
    // Without a listener, a reset by the client would be an uncaught error.
    stream.on('error', (error: Error) => {
      exchange.work?.cancel()
      if (error instanceof InternalError) this.#options.internalErrors.record(error.cause, exchange.requestId)
    })
    return exchange
  }
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
