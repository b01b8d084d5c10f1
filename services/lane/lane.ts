import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import { withoutKeys } from '../access/key/key-in-url.ts'
import type { ResponseCache } from '../cache/response-cache.ts'
import { isUnsafe } from '../cache/rules/invalidation.ts'
import { noteClientGone } from '../downstream/client-gone.ts'
import type { Admission } from '../downstream/admission.ts'
import { Exchange } from '../downstream/exchange.ts'
import type { Forwarding } from '../downstream/forwarding.ts'
import { Http1Reply } from '../downstream/http1-reply.ts'
import { Peer } from '../downstream/peer.ts'
import type { Reply } from '../downstream/reply.ts'
import { SocketReply } from '../downstream/socket-reply.ts'
import { Http1UpgradingClient, Http2UpgradingClient } from '../downstream/upgrading-client.ts'
import { discardBody } from '../downstream/unread-body.ts'
import { decompress } from '../compression/requests/decompress.ts'
import { compress } from '../compression/compress.ts'
import { RouteNotFoundError } from '../http/errors.ts'
import type { GatewayError } from '../http/problem.ts'
import type { PlainHead } from '../http/plain-head.ts'
import { readRequestFields } from '../http/request-fields.ts'
import type { Load } from '../pressure/load.ts'
import type { Maintenance } from '../maintenance/maintenance.ts'
import type { InternalErrors } from '../monitor/internal-errors.ts'
import type { RoutePlan } from '../proxy/plan.ts'
import type { ProxyContext } from '../proxy/proxy-context.ts'
import { startCall } from '../proxy/start-call.ts'
import { bodyLimit } from '../request/request-gate.ts'
import { UpgradeError } from '../websocket/errors.ts'
import type { Tunnels } from '../websocket/tunnels.ts'
import { ExchangeLife } from './exchange-life.ts'
import { Exchanges, type GatewayExchange } from './exchanges.ts'
import { createLaneCache, type LaneCacheOptions } from './lane-cache.ts'
import { Openings } from './openings.ts'
import type { OwnPaths } from './own-paths.ts'
import { type Onward, Passage } from './passage.ts'

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
  cache: LaneCacheOptions
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
  readonly #exchanges: Exchanges
  readonly #passage: Passage
  /** Of requests: made once, since hits ask gates too. */
  readonly #onward: Onward
  readonly #maintenance: Maintenance
  readonly #life: ExchangeLife
  readonly #openings: Openings
  /** Some route has a cache: what goes by the others may change what is stored. */
  readonly caches: boolean

  constructor(options: LaneOptions) {
    this.#options = options
    const { peers, forwarding, internalErrors, finished, load = { inFlight: 0 } } = options
    this.#life = new ExchangeLife({ load, finished, internalErrors })
    this.#exchanges = new Exchanges({ peers, trust: forwarding.trust, internalErrors })
    this.plans = options.plans
    this.#maintenance = options.maintenance
    this.tunnels = options.tunnels
    this.caches = options.plans.some(({ cache }) => cache !== null)
    this.#context = {
      ...options.proxy,
      forwarding,
      toClient: true,
      refuse: (exchange, error) => this.#life.refuse(exchange, error),
      broke: (exchange, error) => this.#life.break(exchange, error),
      finish: (exchange) => this.#life.finish(exchange),
    }
    this.#passage = new Passage(this.#context)
    this.#onward = {
      pass: (exchange) => this.#serve(exchange),
      refuse: (exchange, error) => this.#life.refuse(exchange, error),
    }
    this.#openings = new Openings({
      tunnels: this.tunnels,
      context: this.#context,
      passage: this.#passage,
      route: (exchange) => this.#routeToOpen(exchange),
    })
    this.cache = createLaneCache(options.cache, { context: this.#context, internalErrors })
  }

  /** What it knows connections by, for a lane that takes its place. */
  get peers(): symbol {
    return this.#exchanges.peers
  }

  /** Nothing is under way: neither an exchange with a client, nor a request of the cache's own. */
  get idle(): boolean {
    return this.#life.inFlight === 0 && this.cache.flights === 0
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
    const peer = this.#exchanges.peerOf(socket)
    const exchange: GatewayExchange = new Exchange({ protocol: '1.1', method, target, fields, body: null, peer })
    exchange.reply = new SocketReply(socket, method)
    this.#life.enter()
    try {
      if (this.#isAnswered(exchange)) return true
    } catch (error) {
      if (exchange.reply.headSent) {
        this.#life.break(exchange, error)
        return true
      }
      // It has its second chance, and its answer, as a request.
      this.#options.internalErrors.record(error, exchange.requestId)
    }
    this.#life.leave()
    peer.passed = exchange.early
    return false
  }

  /** An HTTP/1.x request. @returns `false` when Fastify has to answer */
  request(request: IncomingMessage, response: ServerResponse): boolean {
    const exchange = this.#life.begin(this.#exchanges.ofHttp1(request))
    exchange.reply = new Http1Reply(request, response)
    return this.#run(exchange)
  }

  /** An HTTP/2 stream. @returns `false` when Fastify has to answer */
  stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): boolean {
    const exchange = this.#life.begin(this.#exchanges.ofStream(stream, headers, rawHeaders))
    const isAnswered = this.#run(exchange)
    // A hit is over by now, and listeners of streams are dear: Node's own are told of each.
    if (exchange.finished) this.#exchanges.forget(stream)
    else this.#exchanges.follow(stream)
    return isAnswered
  }

  /** A GET over HTTP/1.1 that asks for WebSocket. Always answered. @param early what has come behind its head */
  upgrade(request: IncomingMessage, early: Buffer): void {
    const client = new Http1UpgradingClient(request, early)
    const exchange = this.#life.begin(this.#exchanges.ofHttp1(request))
    exchange.reply = client.reply
    this.#openings.open(exchange, client)
  }

  /** The same over HTTP/2: an extended CONNECT (RFC 8441). */
  connect(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: string[]): void {
    const exchange = this.#life.begin(this.#exchanges.ofStream(stream, headers, rawHeaders))
    this.#exchanges.follow(stream)
    this.#openings.open(exchange, new Http2UpgradingClient(stream))
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
    this.#life.begin(exchange)
    if (this.#run(exchange)) return exchange
    this.#life.leave()
    return undefined
  }

  /**
   * The exchange of a request that Fastify handles, begun by the lane or now (`inject`, or an application without the
   * lane). What it is refused with stands in `refusal`; Fastify answers it.
   */
  exchangeOf(request: IncomingMessage): GatewayExchange {
    const known = this.#exchanges.of(request)
    if (known !== undefined) return known
    const exchange = this.#life.begin(this.#exchanges.ofRequest(request))
    exchange.refusal = this.#admit(exchange)
    return exchange
  }

  /** Gives an exchange from {@link exchangeOf} its response, where it has none yet. */
  attach(exchange: GatewayExchange, request: IncomingMessage, response: ServerResponse): void {
    exchange.reply ??= new Http1Reply(request, response)
    // An answer that waits for those before it on its connection (pipelining) hears nothing of the end of that, nor does Fastify.
    exchange.abandoned = { cancel: () => this.#abandon(exchange) }
  }

  #abandon(exchange: GatewayExchange): void {
    noteClientGone(exchange)
    this.#life.finish(exchange)
  }

  /** Answers an exchange with a plan, once it has passed the gates of its route. */
  proxy(exchange: GatewayExchange): void {
    const { gates } = exchange.plan as RoutePlan
    // Ahead of the gates: nobody's allowance pays for what is held.
    if (this.#holds(exchange)) this.#suspend(exchange)
    else if (gates === null) this.#serve(exchange)
    else this.#passage.lead(exchange, gates, this.#onward)
  }

  /** Answers with a problem, and finishes. */
  refuse(exchange: GatewayExchange, error: GatewayError): void {
    this.#life.refuse(exchange, error)
  }

  /**
   * The gateway itself has failed, and only the request or stream is known, as of an exception of Fastify's: its client gets
   * a problem, or a broken answer.
   *
   * @returns `false` where there is no exchange: nobody has been answered
   */
  brokeOff(request: object, error: unknown): boolean {
    const exchange = this.#exchanges.of(request)
    if (exchange?.reply === undefined) this.#options.internalErrors.record(error, '')
    else this.#life.break(exchange, error)
    return exchange?.reply !== undefined
  }

  /** Books the end of an exchange; the second time does nothing. Never throws. */
  finish(exchange: GatewayExchange): void {
    this.#life.finish(exchange)
  }

  #run(exchange: GatewayExchange): boolean {
    try {
      return this.#answer(exchange)
    } catch (error) {
      this.#life.break(exchange, error)
      return true
    }
  }

  #answer(exchange: GatewayExchange): boolean {
    const refusal = this.#admit(exchange)
    if (this.off === undefined) {
      if (refusal !== undefined) {
        exchange.reply.closing = exchange.suspect
        this.#life.refuse(exchange, refusal)
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
          this.#life.refuse(exchange, refusal)
          return
        }
      }
      if (plan.cache !== null) this.cache.handle(exchange)
      else {
        if (this.caches && isUnsafe(exchange.method)) this.cache.watch(exchange)
        startCall(this.#context, exchange, plan)
      }
    } catch (error) {
      this.#life.break(exchange, error)
    }
  }

  #suspend(exchange: GatewayExchange): void {
    const { compression } = exchange.plan as RoutePlan
    try {
      if (compression !== null) compress(exchange, compression)
      discardBody(exchange)
      this.#life.refuse(exchange, this.#maintenance.refusal())
    } catch (error) {
      this.#life.break(exchange, error)
    }
  }

  /** Its route, or the whole gateway, is in maintenance. */
  #holds({ plan, clientAddress }: GatewayExchange): boolean {
    return this.#maintenance.active && this.#maintenance.holds((plan as RoutePlan).key, clientAddress)
  }

  /** @returns the route that serves it, or why none does */
  #routeToOpen(exchange: GatewayExchange): RoutePlan | GatewayError {
    const refusal = this.#admit(exchange)
    if (refusal !== undefined) return refusal
    const { plan, method, path } = exchange
    if (this.off !== undefined || exchange.undecided) return new UpgradeError()
    if (plan === undefined) return new RouteNotFoundError(method, withoutKeys(path), 'the documentation')
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
    this.#life.refuse(exchange, refusal)
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
}
