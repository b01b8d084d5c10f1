import type { Dispatcher } from 'undici'
import type { Cancellable, Exchange } from '../downstream/exchange.ts'
import type { Forwarding } from '../downstream/forwarding.ts'
import { RequestBody } from '../downstream/request-body.ts'
import type { GatewayError } from '../http/problem.ts'
import type { Deadline, Deadlines } from '../upstream/deadlines.ts'
import { ClientGoneError } from '../upstream/errors.ts'
import { outcomeOf, type Phase } from '../upstream/outcome.ts'
import type { Outcome } from '../upstream/snapshot.ts'
import type { ConnectionAware, CountedClient, Target } from '../upstream/target.ts'
import { failureOf, isUnsendable, unsendable } from './failure.ts'
import { type MapBack, mapCookie, mapLocation } from './map-back.ts'
import { pathToSend, type RoutePlan } from './plan.ts'
import { readResponseFields, type UpstreamHead } from './response-fields.ts'

/** What every call of a gateway shares. */
export interface ProxyContext {
  deadlines: Deadlines
  forwarding: Forwarding
  bodyBytes: number
  /** How long a client may take nothing of its answer; 0 for ever. */
  sendTimeoutMs: number
  serverTiming: boolean
  /** Tells the client of a failure, while nothing has been sent. */
  refuse(exchange: Exchange<RoutePlan>, error: GatewayError): void
  /** Books the end of an exchange. Called exactly once for each. */
  finish(exchange: Exchange<RoutePlan>): void
}

/** Methods whose repetition does no harm (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY'])
const EVENT_STREAM = 'text/event-stream'
/** Interim responses of one request: they know no backpressure, so an upstream without end would fill the memory. */
const MOST_INTERIM = 32

/**
 * One request on its way to an upstream and back: undici's handler, the deadline and the client's cancellation in one
 * object, so that a call costs one allocation and no closure.
 */
export class ProxyCall implements Dispatcher.DispatchHandler, Deadline, Cancellable, ConnectionAware {
  connection: CountedClient | undefined
  deadlineAt: number
  previous: Deadline | null = null
  next: Deadline | null = null
  readonly #context: ProxyContext
  readonly #exchange: Exchange<RoutePlan>
  readonly #plan: RoutePlan
  readonly #target: Target
  readonly #body: RequestBody | null
  #controller: Dispatcher.DispatchController | undefined
  #phase: Phase = 'waiting'
  #due: Outcome = 'total_timeout'
  #idleMs = 0
  #sentAt = 0
  #attempts = 0
  #interim = 0
  /** The client takes nothing: it, and not the upstream, is what is waited for. */
  #clientBehind = false
  #settled = false
  /** A first byte of the answer has come. */
  #answering = false
  /** The close of the connection is what ends the body. */
  #closeDelimited = false

  constructor(context: ProxyContext, exchange: Exchange<RoutePlan>, plan: RoutePlan) {
    this.#context = context
    this.#exchange = exchange
    this.#plan = plan
    this.#target = plan.upstream.pick()
    this.#body = exchange.body === null ? null : new RequestBody(exchange, context.bodyBytes)
    this.deadlineAt = exchange.arrivedAt + (plan.upstream.options.timeout.totalMs || Number.POSITIVE_INFINITY)
  }

  /** Sends the request. Everything else happens when undici, the deadline or the client calls. */
  start(): void {
    if (this.#target.full) {
      this.#settle('queue_full', '')
      this.#refuse(failureOf('queue_full', this.#plan.upstream.name, undefined))
      return
    }
    this.#exchange.work = this
    this.#target.inFlight++
    this.#context.deadlines.add(this)
    this.#dispatch()
  }

  #dispatch(): void {
    const { method, path, query, parameters } = this.#exchange
    this.#attempts++
    this.#target.pool.dispatch(
      {
        path: pathToSend(this.#plan, path, query, parameters),
        method: method as Dispatcher.HttpMethod,
        headers: this.#fields(),
        body: this.#body,
      },
      this,
    )
  }

  #fields(): string[] {
    const { fields, authority } = this.#exchange
    const out = fields.kept
    // A retry finds the list as the first attempt left it.
    if (this.#attempts > 1) return out
    if (fields.contentLength !== undefined) out.push('content-length', fields.contentLength)
    if (fields.trailers) out.push('te', 'trailers')
    if (this.#plan.upstream.options.host === 'preserve' && authority !== '') out.push('host', authority)
    this.#context.forwarding.addTo(out, this.#exchange)
    return out
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#settled || this.#exchange.reply.gone) {
      this.cancel()
      return
    }
    this.#phase = 'sent'
    this.#sentAt = performance.now()
    if (this.#body === null) this.#awaitHead()
    else this.#moved()
  }

  /** The upstream has taken a piece of the request body: only standing still is an error while it goes on. */
  onBodySent(): void {
    this.#moved()
  }

  onRequestSent(): void {
    if (this.#body !== null && this.#phase === 'sent') this.#awaitHead()
  }

  #moved(): void {
    if (this.#phase === 'receiving') return
    this.#due = 'idle_timeout'
    this.deadlineAt = performance.now() + (this.#plan.upstream.options.timeout.idleMs || Number.POSITIVE_INFINITY)
  }

  #awaitHead(): void {
    const { firstByteMs, totalMs } = this.#plan.upstream.options.timeout
    const now = this.#body === null ? this.#sentAt : performance.now()
    const firstByteAt = now + (firstByteMs || Number.POSITIVE_INFINITY)
    // The time that a client takes to send its body is its own: `total` begins when the request is complete.
    const totalAt = (this.#body === null ? this.#exchange.arrivedAt : now) + (totalMs || Number.POSITIVE_INFINITY)
    this.#due = firstByteAt <= totalAt ? 'first_byte_timeout' : 'total_timeout'
    this.deadlineAt = Math.min(firstByteAt, totalAt)
  }

  onResponseStarted(): void {
    this.#answering = true
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, head: UpstreamHead): void {
    const { reply } = this.#exchange
    const response = readResponseFields(head)
    if (response === undefined || status < 100 || status > 999) {
      this.#fail('invalid_response', controller, undefined)
      return
    }
    if (status < 200) {
      if (++this.#interim > MOST_INTERIM) {
        this.#fail('invalid_response', controller, undefined)
        return
      }
      reply.informational(status, response.fields)
      return
    }
    const { fields } = response
    this.#closeDelimited = response.length === null && !response.chunked
    const { timeout } = this.#plan.upstream.options
    this.#phase = 'receiving'
    this.#due = 'idle_timeout'
    const type = head['content-type']
    this.#idleMs = typeof type === 'string' && type.startsWith(EVENT_STREAM) ? timeout.streamIdleMs : timeout.idleMs
    const now = performance.now()
    this.deadlineAt = now + (this.#idleMs || Number.POSITIVE_INFINITY)
    this.#exchange.upstreamMs = now - this.#sentAt
    if (head.location !== undefined || head['content-location'] !== undefined || head['set-cookie'] !== undefined) {
      this.#mapBack(fields)
    }
    if (head.date === undefined) fields.push('date', new Date().toUTCString())
    fields.push('via', this.#context.forwarding.via, 'x-request-id', this.#exchange.requestId)
    if (this.#context.serverTiming) fields.push('server-timing', this.#timing(now))
    this.#exchange.status = status
    // A client that is still sending what nobody will read is told to stop.
    if (this.#body !== null && !this.#body.readableEnded) reply.closing = true
    reply.head(status, fields, response.length)
  }

  /** Server-Timing: milliseconds to a tenth. */
  #timing(now: number): string {
    const upstream = ((this.#exchange.upstreamMs * 10) | 0) / 10
    const gateway = (((now - this.#exchange.arrivedAt) * 10) | 0) / 10
    return `upstream;dur=${upstream}, gateway;dur=${gateway}`
  }

  #mapBack(fields: string[]): void {
    const { parameters, scheme, authority } = this.#exchange
    const sent = this.#plan.upstream.options.host === 'preserve' ? [authority] : []
    const context: MapBack = {
      writer: this.#plan.writer,
      parameters,
      upstreamAuthorities: [this.#target.authority, ...sent],
      scheme,
      authority,
    }
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i]
      if (name === 'location' || name === 'content-location')
        fields[i + 1] = mapLocation(fields[i + 1] as string, context)
      else if (name === 'set-cookie') fields[i + 1] = mapCookie(fields[i + 1] as string, context)
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { reply } = this.#exchange
    this.deadlineAt = performance.now() + (this.#idleMs || Number.POSITIVE_INFINITY)
    if (reply.write(chunk)) return
    if (reply.gone) {
      this.cancel()
      return
    }
    // While the client is behind, the upstream waits for it: that is not the upstream standing still.
    // Without an end to that, a client that never reads would keep a connection to the upstream for ever.
    this.#clientBehind = true
    this.deadlineAt = performance.now() + (this.#context.sendTimeoutMs || Number.POSITIVE_INFINITY)
    controller.pause()
    reply.drained(() => {
      this.#clientBehind = false
      this.deadlineAt = performance.now() + (this.#idleMs || Number.POSITIVE_INFINITY)
      if (!this.#settled) controller.resume()
    })
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: UpstreamHead): void {
    if (this.#settled) return
    // undici takes a reset for the end of such a body (client-h1.js, onHttpSocketError): it is not.
    if (this.#closeDelimited && this.connection?.broken === true) {
      this.#fail('truncated', undefined, undefined)
      return
    }
    let pairs: string[] | undefined
    for (const _ in trailers) {
      pairs = readResponseFields(trailers)?.fields
      break
    }
    if (this.connection !== undefined) this.connection.answered++
    this.#settle('response', '')
    this.#exchange.reply.end(undefined, pairs)
    this.#context.finish(this.#exchange)
  }

  onResponseError(
    _controller: Dispatcher.DispatchController,
    error: Error & { code?: string; statusCode?: number },
  ): void {
    if (this.#settled) return
    if (isUnsendable(error)) {
      this.#settle('client_abort', error.code ?? '')
      this.#refuse(unsendable(error))
      return
    }
    // Errors of the request's own body come back through undici with our codes: too large, or not what it said.
    if (error.code?.startsWith('HR_REQUEST_')) {
      this.#settle('client_abort', error.code)
      this.#answer(error as GatewayError)
      return
    }
    const outcome = outcomeOf(error, this.#phase)
    if (this.#mayRetry(outcome)) {
      this.#target.retries++
      this.#phase = 'waiting'
      this.#controller = undefined
      this.#dispatch()
      return
    }
    this.#fail(outcome, undefined, error)
  }

  /**
   * A reset on a connection that had answered before means, almost always, that the upstream closed it while idle: the
   * request was not seen (RFC 9110 §9.2.2). It is sent once more where repeating it could do no harm in any case.
   */
  #mayRetry(outcome: Outcome): boolean {
    return (
      outcome === 'reset' &&
      this.#attempts === 1 &&
      !this.#answering &&
      this.#body === null &&
      (this.connection?.answered ?? 0) > 0 &&
      IDEMPOTENT.has(this.#exchange.method) &&
      !this.#exchange.reply.gone
    )
  }

  /** The deadline has passed. */
  expire(): void {
    if (this.#clientBehind) {
      this.#exchange.code = 'CLIENT_STALLED'
      this.cancel()
      this.#exchange.reply.abort()
      return
    }
    this.#fail(this.#due, this.#controller, undefined)
  }

  /** The client has left. */
  cancel(): void {
    if (!this.#settled) {
      this.#settle('client_abort', '')
      this.#exchange.code ||= 'CLIENT_ABORT'
      if (this.#exchange.status === 0) this.#exchange.status = 499
      this.#context.finish(this.#exchange)
    }
    this.#body?.destroy()
    this.#controller?.abort(new ClientGoneError())
  }

  #fail(outcome: Outcome, controller: Dispatcher.DispatchController | undefined, cause: Error | undefined): void {
    if (this.#settled) return
    this.#settle(outcome, (cause as { code?: string } | undefined)?.code ?? outcome)
    const error = failureOf(outcome, this.#plan.upstream.name, cause)
    this.#answer(error)
    controller?.abort(error)
  }

  /** Tells the client, or breaks off where it has had a part of another answer. */
  #answer(error: GatewayError): void {
    const { reply } = this.#exchange
    if (!reply.headSent) {
      this.#refuse(error)
      return
    }
    this.#exchange.code = error.code
    reply.abort()
    this.#context.finish(this.#exchange)
  }

  #refuse(error: GatewayError): void {
    this.#body?.destroy()
    this.#exchange.reply.closing ||= this.#exchange.body !== null && !this.#exchange.body.readableEnded
    this.#context.refuse(this.#exchange, error)
  }

  #settle(outcome: Outcome, code: string): void {
    this.#settled = true
    this.#exchange.outcome = outcome
    const { arrivedAt, upstreamMs } = this.#exchange
    // Without a connection nothing was sent: the attempt began when the request came.
    const ms = outcome === 'response' ? upstreamMs : performance.now() - (this.#sentAt || arrivedAt)
    this.#target.settle(outcome, code, ms)
    if (this.#exchange.work !== this) return
    this.#exchange.work = undefined
    this.#target.inFlight--
    this.#context.deadlines.remove(this)
  }
}
