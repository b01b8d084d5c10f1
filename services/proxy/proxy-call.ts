import type { Dispatcher } from 'undici'
import type { Cancellable, Exchange } from '../downstream/exchange.ts'
import type { Forwarding } from '../downstream/forwarding.ts'
import { serverTiming } from '../downstream/server-timing.ts'
import { RequestBody } from '../downstream/request-body.ts'
import type { GatewayError } from '../http/problem.ts'
import { bodyLimit } from '../request/request-gate.ts'
import type { Deadline, Deadlines } from '../upstream/deadlines.ts'
import { ClientGoneError, SupersededError } from '../upstream/errors.ts'
import { outcomeOf, type Phase } from '../upstream/outcome.ts'
import type { RetryCause, RetryOptions } from '../upstream/retry/options.ts'
import type { Turn } from '../upstream/concurrency/limiter.ts'
import type { Outcome } from '../upstream/snapshot.ts'
import type { Connection, ConnectionAware } from '../upstream/connection.ts'
import type { Target } from '../upstream/target.ts'
import type { Patient, Waiting } from '../upstream/waiting-line.ts'
import { failureOf, isUnsendable, noTarget, noTurn, unsendable } from './failure.ts'
import { mapBack } from './map-back.ts'
import { pathToSend, type ProxyPlan, type RoutePlan } from './plan.ts'
import { readResponseFields, type UpstreamHead } from './response-fields.ts'
import { causeOf, isIdempotent, type NextAttempt, Retries } from './retries.ts'
import { retryAfterMs } from './retry-after.ts'
import { bodyToSend, completeFields } from './upstream-request.ts'

/** What every call of a gateway shares. */
export interface ProxyContext {
  deadlines: Deadlines
  forwarding: Forwarding
  bodyBytes: number
  /** How long a client may take nothing of its answer; 0 for ever. */
  sendTimeoutMs: number
  serverTiming: boolean
  /** Whether the answer goes straight to a client, and gets what is said to that one alone; else it may be stored. */
  toClient: boolean
  /** Tells the client of a failure, while nothing has been sent. */
  refuse(exchange: Exchange<RoutePlan>, error: GatewayError): void
  /** The gateway itself has failed: tells the client, or breaks off. Never throws; books the end as `finish` does. */
  broke(exchange: Exchange<RoutePlan>, error: unknown): void
  /** Books the end of an exchange. Called exactly once for each. */
  finish(exchange: Exchange<RoutePlan>): void
}

const EVENT_STREAM = 'text/event-stream'
/** Interim responses of one request: they know no backpressure, so an upstream without end would fill the memory. */
const MOST_INTERIM = 32
/** What is read of an answer that another attempt takes the place of, to spare its connection: so much, and so long. */
const DISCARD_BYTES = 65_536
const DISCARD_MS = 1_000

/**
 * One request on its way to an upstream and back: undici's handler, the deadline and the client's cancellation in one
 * object, so that a call costs one allocation and no closure.
 */
export class ProxyCall implements Dispatcher.DispatchHandler, Deadline, Cancellable, ConnectionAware, Patient, Turn {
  connection: Connection | undefined
  waiting: Waiting | undefined
  deadlineAt: number
  previous: Deadline | null = null
  next: Deadline | null = null
  readonly #context: ProxyContext
  readonly #exchange: Exchange<RoutePlan>
  readonly #plan: ProxyPlan
  /** Where the request goes, or went last; set when it starts. */
  #target!: Target
  /** It has a place there. */
  #trying = false
  readonly #body: RequestBody | null
  #controller: Dispatcher.DispatchController | undefined
  #phase: Phase = 'waiting'
  #due: Outcome = 'total_timeout'
  #idleMs = 0
  /** When the attempt began, and when it was sent; 0: with the request, and not yet. */
  #beganAt = 0
  #sentAt = 0
  #dispatches = 0
  /** The attempt was sent once more, after a connection that had been closed. */
  #resent = false
  /** Once an attempt has failed that is made again. */
  #retries: Retries | undefined
  /** Where to, while the last answer is read to its end or the time for it has not come. */
  #next: NextAttempt | undefined
  /** Bytes of such an answer; -1: what comes is for the client. */
  #discarded = -1
  #discardedStatus = 0
  /** Of the target's breaker. */
  #ticket = 0
  /** Waits for its turn at the upstream, to go there. */
  #turnAt: Target | undefined
  /** It has one of the places that the upstream's limit leaves. */
  #placed = false
  #interim = 0
  /** The client takes nothing: it, and not the upstream, is what is waited for. */
  #clientBehind = false
  #settled = false
  /** A first byte of the answer has come. */
  #answering = false
  /** The close of the connection is what ends the body. */
  #closeDelimited = false

  constructor(context: ProxyContext, exchange: Exchange<RoutePlan>, plan: ProxyPlan) {
    this.#context = context
    this.#exchange = exchange
    this.#plan = plan
    this.#body =
      exchange.body === null ? null : new RequestBody(exchange, bodyLimit(plan.options.request, context.bodyBytes))
    this.deadlineAt = exchange.arrivedAt + (plan.timeout.totalMs || Number.POSITIVE_INFINITY)
  }

  /** Sends the request. Everything else happens when undici, the deadline or the client calls. */
  start(): void {
    const { upstream } = this.#plan
    upstream.budget.earn(this.#exchange.arrivedAt)
    const target = upstream.pick(this.#exchange)
    if (target === undefined) {
      this.#settled = true
      this.#refuse(noTarget(upstream))
      return
    }
    this.startAt(target)
  }

  /** Sends the request to a target that is chosen, or to another where too many wait there. */
  startAt(chosen: Target): void {
    const { upstream } = this.#plan
    const target = chosen.full ? upstream.pickOther(this.#exchange, [chosen]) : chosen
    if (target === undefined) {
      this.#target = chosen
      chosen.settle('queue_full', '', 0)
      this.#settle('queue_full', '')
      this.#refuse(failureOf('queue_full', upstream.name, undefined))
      return
    }
    this.#exchange.work = this
    this.#context.deadlines.add(this)
    const { concurrency } = upstream
    if (concurrency === null || concurrency.take()) {
      this.#placed = concurrency !== null
      this.#begin(target)
    } else if (concurrency.wait(this)) {
      this.#turnAt = target
      this.deadlineAt = Math.min(performance.now() + concurrency.options.waitMs, this.#totalAt)
    } else this.#miss()
  }

  /** Its turn has come. */
  enter(): void {
    const chosen = this.#turnAt as Target
    this.#turnAt = undefined
    this.#placed = true
    this.deadlineAt = this.#totalAt
    const isThere = !chosen.draining && !chosen.barred
    const target = isThere ? chosen : this.#plan.upstream.pickOther(this.#exchange, [])
    if (target !== undefined) {
      this.#begin(target)
      return
    }
    this.#settle('connect_error', '')
    this.#refuse(noTarget(this.#plan.upstream))
  }

  /** It does not come to its turn. */
  #miss(): void {
    const { upstream } = this.#plan
    upstream.concurrency?.refuse()
    this.#settle('queue_full', '')
    this.#refuse(noTurn(upstream.name))
  }

  /** Gives its place to another: its answer has begun, or there will be none. */
  #leave(sample: { ms: number; overloaded: boolean } | null): void {
    if (!this.#placed) return
    this.#placed = false
    this.#plan.upstream.concurrency?.leave(performance.now(), sample)
  }

  /** Where the request has gone last; `undefined` before it has started. */
  get target(): Target | undefined {
    return this.#target
  }

  /** Begins an attempt. */
  #begin(target: Target): void {
    this.#target = target
    this.#trying = true
    if (!this.#placed && this.#plan.upstream.concurrency !== null) {
      // A further attempt.
      this.#plan.upstream.concurrency.force()
      this.#placed = true
    }
    this.#ticket = target.acquire()
    this.#dispatch()
  }

  #dispatch(): void {
    const isFirst = ++this.#dispatches === 1
    // A further attempt finds the list as the first has left it.
    if (isFirst) completeFields(this.#exchange, this.#plan, this.#context.forwarding)
    const { method, path, query, sentQuery = query, parameters, fields } = this.#exchange
    this.send(this.#target, {
      path: pathToSend(this.#plan, path, sentQuery, parameters),
      method: method as Dispatcher.HttpMethod,
      headers: fields.kept,
      body: bodyToSend(this.#body, this.#plan),
    })
  }

  /** Gives the request to a connection. */
  protected send(target: Target, request: Dispatcher.DispatchOptions): void {
    target.pool.dispatch(request, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#controller !== undefined) {
      // undici begins again what an HTTP/2 upstream has refused to begin: that was the one repetition there is.
      this.#resent = true
      this.#target.retries.stale++
    }
    this.#controller = controller
    if (this.#settled || this.#exchange.reply.gone) {
      this.cancel()
      return
    }
    this.#phase = 'sent'
    this.#sentAt = performance.now()
    if (this.#body === null) {
      this.#awaitHead()
      return
    }
    this.#moved()
    // Where undici is given a stream it calls `onBodySent` with pieces of the answer (client-h2.js, writeStream).
    if (this.connection?.http2 === true) this.#body.moved = () => this.#moved()
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
    this.deadlineAt = performance.now() + (this.#plan.timeout.idleMs || Number.POSITIVE_INFINITY)
  }

  #awaitHead(): void {
    const { firstByteMs, totalMs } = this.#plan.timeout
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
    // A 101 that comes here switches nothing (no Connection, no Upgrade); the client could take it for one that does.
    if (response === undefined || status < 100 || status > 999 || status === 101) {
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
    const now = performance.now()
    this.#exchange.upstreamMs = now - this.#sentAt
    if (this.#placed) this.#leave({ ms: now - this.#sentAt, overloaded: status === 503 || status === 429 })
    if (this.#plan.retry?.statuses.includes(status) && this.#replaces(status, head['retry-after'])) return
    const { fields } = response
    // RFC 9112 §6.3: these end with their head.
    const bodyless = status === 204 || status === 304 || this.#exchange.method === 'HEAD'
    this.#closeDelimited = response.length === null && !response.chunked && !bodyless
    this.#exchange.unframed = this.#closeDelimited && this.connection?.http2 !== true
    const { timeout } = this.#plan
    this.#phase = 'receiving'
    this.#due = 'idle_timeout'
    const type = head['content-type']
    this.#idleMs = typeof type === 'string' && type.startsWith(EVENT_STREAM) ? timeout.streamIdleMs : timeout.idleMs
    this.deadlineAt = now + (this.#idleMs || Number.POSITIVE_INFINITY)
    this.#complete(fields, head, now)
    this.#exchange.status = status
    // A client that is still sending what nobody will read is told to stop.
    if (this.#body !== null && !this.#body.ended) reply.closing = true
    reply.head(status, fields, response.length)
  }

  /** The upstream has switched to another protocol: the call is over, and booked as answered; the exchange goes on. */
  protected switched({ fields }: { fields: string[] }, head: UpstreamHead): void {
    const now = performance.now()
    this.#exchange.upstreamMs = now - this.#sentAt
    this.#leave({ ms: now - this.#sentAt, overloaded: false })
    this.#complete(fields, head, now)
    this.#exchange.status = 101
    this.#settle('response', '')
  }

  /** What has come is no answer. */
  protected invalid(cause: Error): void {
    this.#fail('invalid_response', undefined, cause)
  }

  protected get settled(): boolean {
    return this.#settled
  }

  /** Adds what the gateway has to say of an answer, in terms of the client's. */
  #complete(fields: string[], head: UpstreamHead, now: number): void {
    if (head.location !== undefined || head['content-location'] !== undefined || head['set-cookie'] !== undefined) {
      mapBack(fields, this.#exchange, this.#target)
    }
    if (head.date === undefined) fields.push('date', new Date().toUTCString())
    fields.push('via', this.#context.forwarding.viaOf(this.connection?.http2 === true ? '2' : '1.1'))
    if (this.#context.toClient) this.#addOwn(fields, now)
  }

  #addOwn(fields: string[], now: number): void {
    const { requestId, cacheStatus, scheme } = this.#exchange
    const { sticky } = this.#plan.upstream
    fields.push('x-request-id', requestId)
    if (sticky !== null) sticky.addTo(fields, { request: this.#exchange, id: this.#target.stickyId, scheme })
    if (cacheStatus !== '') fields.push('cache-status', cacheStatus)
    if (this.#context.serverTiming) fields.push('server-timing', serverTiming(this.#exchange, now))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#discarded !== -1) {
      this.#discarded += chunk.length
      if (this.#discarded > DISCARD_BYTES) this.#abandon()
      return
    }
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
    if (this.#discarded !== -1) {
      if (this.connection !== undefined) this.connection.answered++
      this.#follow()
      return
    }
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
    controller: Dispatcher.DispatchController,
    error: Error & { code?: string; statusCode?: number },
  ): void {
    // Of an attempt that was given up for another, nothing is waited for.
    if (this.#settled || (controller != null && controller !== this.#controller)) return
    if (this.#discarded !== -1) {
      this.#follow()
      return
    }
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
    if (this.#mayResend(outcome)) {
      this.#resent = true
      this.#target.retries.stale++
      this.#phase = 'waiting'
      this.#controller = undefined
      this.#dispatch()
      return
    }
    if (!this.#again(outcome, error.code ?? outcome)) this.#fail(outcome, undefined, error)
  }

  /**
   * A reset on a connection that had answered before means, almost always, that the upstream closed it while idle: the
   * request was not seen (RFC 9110 §9.2.2). It is sent once more where repeating it could do no harm in any case. A
   * stream that alone is reset (HTTP/2) was seen; undici itself repeats those that were refused (RFC 9113 §8.7).
   */
  #mayResend(outcome: Outcome): boolean {
    return (
      outcome === 'reset' &&
      !this.#resent &&
      !this.#answering &&
      !this.#resetAlone() &&
      this.#body === null &&
      (this.connection?.answered ?? 0) > 0 &&
      isIdempotent(this.#exchange.method) &&
      !this.#exchange.reply.gone
    )
  }

  /**
   * Makes another attempt in place of one that has failed, where the route has it so. Where nothing was sent, any request
   * may have it whose body nobody has begun to take; else what has no body and may be repeated.
   *
   * @returns `false` where the failure is for the client
   */
  #again(outcome: Outcome, code: string): boolean {
    const { retry } = this.#plan
    const cause = causeOf(outcome)
    if (retry === null || cause === undefined || cause === 'status' || !retry[cause] || !this.#mayRepeat(cause)) {
      return false
    }
    this.#book(outcome, code)
    const next = this.#nextAfter(retry, cause)
    if (next === undefined) return false
    this.#next = next
    this.#follow()
    return true
  }

  /**
   * Whether another attempt takes the place of an answer, by its status. Its body is then read to the end, within bounds,
   * so that its connection can be used again.
   */
  #replaces(status: number, retryAfter: string | string[] | undefined): boolean {
    const { retry } = this.#plan
    if (retry === null || !this.#mayRepeat('status')) return false
    const restMs = retryAfterMs(retryAfter, Date.now())
    if (restMs > 0) this.#target.restsUntil = performance.now() + restMs
    const next = this.#nextAfter(retry, 'status')
    if (next === undefined) return false
    this.#next = next
    this.#discarded = 0
    this.#discardedStatus = status
    this.deadlineAt = Math.min(performance.now() + DISCARD_MS, this.#totalAt)
    return true
  }

  #mayRepeat(cause: RetryCause): boolean {
    const { method, reply } = this.#exchange
    if (reply.gone || this.#phase === 'receiving') return false
    if (cause === 'connect') return this.#body === null || !this.#body.touched
    return this.#body === null && isIdempotent(method)
  }

  #nextAfter(retry: RetryOptions, cause: RetryCause): NextAttempt | undefined {
    this.#retries ??= new Retries(retry, this.#plan.upstream)
    return this.#retries.next(this.#target, cause, { request: this.#exchange, until: this.#totalAt })
  }

  /** The last attempt is over: the next begins, or waits for its time. */
  #follow(): void {
    const { target, waitMs } = this.#next as NextAttempt
    if (this.#trying) this.#book('response', '', this.#discardedStatus)
    const now = performance.now()
    this.#controller = undefined
    this.#phase = 'waiting'
    this.#sentAt = 0
    this.#discarded = -1
    this.#resent = this.#answering = false
    this.#due = 'total_timeout'
    this.deadlineAt = waitMs > 0 ? Math.min(now + waitMs, this.#totalAt) : this.#totalAt
    if (waitMs > 0) return
    this.#next = undefined
    this.#beganAt = now
    this.#begin(target)
  }

  /** Its answer is too long, or too slow, to be read to its end. */
  #abandon(): void {
    const controller = this.#controller
    this.#controller = undefined
    controller?.abort(new SupersededError())
    this.#follow()
  }

  get #totalAt(): number {
    return this.#exchange.arrivedAt + (this.#plan.timeout.totalMs || Number.POSITIVE_INFINITY)
  }

  #resetAlone(): boolean {
    return this.connection?.http2 === true && !this.connection.gone
  }

  /** The deadline has passed. */
  expire(): void {
    if (this.#turnAt !== undefined) {
      this.#miss()
      return
    }
    if (this.#clientBehind) {
      this.#exchange.code = 'CLIENT_STALLED'
      this.cancel()
      this.#exchange.reply.abort()
      return
    }
    if (this.#discarded !== -1) {
      this.#abandon()
      return
    }
    if (this.#next !== undefined && performance.now() < this.#totalAt) {
      this.#tryNext(this.#next.target)
      return
    }
    const controller = this.#controller
    if (this.#again(this.#due, this.#due)) controller?.abort(new SupersededError())
    else this.#fail(this.#due, controller, undefined)
  }

  /** The time for it has come; who was chosen may not be there any more. */
  #tryNext(chosen: Target): void {
    const isThere = !chosen.draining && !chosen.barred
    const target = isThere ? chosen : this.#plan.upstream.pickOther(this.#exchange, [])
    this.#next = target === undefined ? undefined : { target, waitMs: 0 }
    if (target !== undefined) {
      this.#follow()
      return
    }
    this.#settle('connect_error', '')
    this.#refuse(noTarget(this.#plan.upstream))
  }

  /**
   * The client has left; or `superseded`: another attempt has answered it.
   */
  cancel(outcome: 'client_abort' | 'superseded' = 'client_abort'): void {
    if (!this.#settled) {
      this.#settle(outcome, '')
      this.#exchange.code ||= 'CLIENT_ABORT'
      if (this.#exchange.status === 0) this.#exchange.status = 499
      this.#context.finish(this.#exchange)
    }
    this.#body?.destroy()
    this.#controller?.abort(new ClientGoneError())
  }

  /** The gateway itself has failed on this call, at whatever point: it ends, and no other does. Never throws. */
  protected broke(error: unknown): void {
    if (!this.#settled) this.#settle('internal_error', '')
    this.#context.broke(this.#exchange, error)
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
    this.waiting?.withdraw()
    if (this.#turnAt !== undefined) {
      this.#turnAt = undefined
      this.#plan.upstream.concurrency?.withdraw(this)
    }
    // An answer may come before the body has: nobody takes the rest.
    this.#body?.destroy()
    this.#exchange.outcome = outcome
    if (this.#exchange.work === this) {
      this.#exchange.work = undefined
      this.#context.deadlines.remove(this)
    }
    if (this.#trying) this.#book(outcome, code, this.#exchange.status)
    this.#leave(null)
  }

  /** An attempt is over: its target learns how, and has room for another. */
  #book(outcome: Outcome, code: string, status = 0): void {
    const target = this.#target
    this.#trying = false
    target.release()
    if (this.#placed) this.#leave(outcome.endsWith('_timeout') ? { ms: 0, overloaded: true } : null)
    const { arrivedAt, upstreamMs } = this.#exchange
    // Without a connection nothing was sent: the first attempt began when the request came.
    const ms = outcome === 'response' ? upstreamMs : performance.now() - (this.#sentAt || this.#beganAt || arrivedAt)
    target.settle(outcome, code, ms)
    if (target.watcher !== null) target.watcher.attempted(target, { outcome, status, ms, ticket: this.#ticket })
  }
}
