import type { Dispatcher } from 'undici'
import { isGrpc } from '../http/grpc.ts'
import type { GatewayError } from '../http/problem.ts'
import { fieldOf } from '../http/request-fields.ts'
import { type AttemptError, explain, outcomeOf } from '../upstream/outcome.ts'
import type { Target } from '../upstream/target.ts'
import type { Attempt } from './attempt.ts'
import { isUnsendable, unsendable } from './failure.ts'
import { readResponseFields, type UpstreamHead } from './response-fields.ts'
import { bodyIdleMs, completeHead, isBodyless } from './response-head.ts'
import { isIdempotent } from './retries.ts'
import { UpstreamCall } from './upstream-call.ts'

/** Interim responses of one request: they know no backpressure, so an upstream without end would fill the memory. */
const MOST_INTERIM = 32

/** One request to an upstream, and what comes back: undici's handler, which passes it on to the client. */
export class ProxyCall extends UpstreamCall implements Dispatcher.DispatchHandler {
  #interim = 0

  /** Gives the request to a connection. */
  protected override send(target: Target, request: Dispatcher.DispatchOptions): void {
    target.pool.dispatch(request, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const attempt = this.attempt as Attempt
    // undici begins again what an HTTP/2 upstream has refused to begin: that was the one repetition there is.
    if (attempt.controller !== undefined) attempt.countResent()
    attempt.controller = controller
    if (this.settled || this.exchange.reply.gone) {
      this.cancel()
      return
    }
    attempt.phase = 'sent'
    attempt.sentAt = performance.now()
    if (this.body === null) {
      this.deadline.forHead(attempt.sentAt, this.exchange.arrivedAt)
      return
    }
    this.#moved()
    // Where undici is given a stream it calls `onBodySent` with pieces of the answer (client-h2.js, writeStream).
    if (this.connection?.http2 === true) this.body.moved = () => this.#moved()
  }

  /** The upstream has taken a piece of the request body. */
  onBodySent(): void {
    this.#moved()
  }

  onRequestSent(): void {
    if (this.body === null || this.attempt?.phase !== 'sent') return
    const now = performance.now()
    this.deadline.forHead(now, now)
  }

  #moved(): void {
    if (this.attempt?.phase !== 'receiving') this.deadline.forRequestBody()
  }

  /** What is no status (RFC 9110 §15) goes on as it is, where Node sends it: over HTTP/1. */
  get #mostStatus(): number {
    return this.exchange.protocol === '2.0' ? 599 : 999
  }

  onResponseStarted(): void {
    ;(this.attempt as Attempt).answering = true
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, head: UpstreamHead): void {
    const { reply, method } = this.exchange
    const response = readResponseFields(head)
    // A 101 that comes here switches nothing (no Connection, no Upgrade); the client could take it for one that does.
    if (response === undefined || status < 100 || status > this.#mostStatus || status === 101) {
      this.fail('invalid_response', controller, undefined)
      return
    }
    if (status < 200) {
      if (++this.#interim > MOST_INTERIM) {
        this.fail('invalid_response', controller, undefined)
        return
      }
      reply.informational(status, response.fields)
      return
    }
    const attempt = this.attempt as Attempt
    const now = performance.now()
    this.#answered(attempt, status, now)
    if (this.plan.retry?.statuses.includes(status) && this.replaces(attempt, head['retry-after'])) return
    const hasBody = !isBodyless(status, method)
    attempt.sized = hasBody && response.length !== null
    attempt.closeDelimited = hasBody && response.length === null && !response.chunked
    this.exchange.unframed = attempt.closeDelimited && this.connection?.http2 !== true
    attempt.phase = 'receiving'
    this.deadline.forBody(now, bodyIdleMs(head, this.plan))
    this.#complete(response.fields, head, now)
    this.exchange.status = status
    // A client that is still sending what nobody will read is told to stop.
    if (this.body !== null && !this.body.ended) reply.closing = true
    // A length would end the answer of a call ahead of its status, which comes in trailers.
    const isCall = hasBody && this.connection?.http2 === true && isGrpc(fieldOf(response.fields, 'content-type'))
    reply.head(status, response.fields, isCall ? null : response.length)
  }

  /** The upstream has switched to another protocol: the call is over, and booked as answered; the exchange goes on. */
  protected switched({ fields }: { fields: string[] }, head: UpstreamHead): void {
    const now = performance.now()
    this.#answered(this.attempt as Attempt, 101, now)
    this.#complete(fields, head, now)
    this.exchange.status = 101
    this.settle('response', '')
  }

  #answered(attempt: Attempt, status: number, now: number): void {
    const ms = attempt.answered(status, now)
    this.exchange.upstreamMs = ms
    this.slot?.answered(status, now, ms)
  }

  #complete(fields: string[], head: UpstreamHead, now: number): void {
    const { forwarding, toClient, serverTiming } = this.context
    completeHead(fields, head, {
      exchange: this.exchange,
      plan: this.plan,
      target: (this.attempt as Attempt).target,
      http2: this.connection?.http2 === true,
      forwarding,
      toClient,
      serverTiming,
      now,
    })
  }

  /** What has come is no answer. */
  protected invalid(cause: Error): void {
    this.fail('invalid_response', undefined, cause)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const attempt = this.attempt as Attempt
    if (attempt.discarded !== -1) {
      this.discard(attempt, chunk.length)
      return
    }
    const { reply } = this.exchange
    this.deadline.bodyMoved()
    if (reply.write(chunk)) return
    if (reply.gone) {
      this.cancel()
      return
    }
    this.deadline.forClient(this.context.sendTimeoutMs)
    controller.pause()
    reply.drained(() => {
      this.deadline.clientCaughtUp()
      if (!this.settled) controller.resume()
    })
  }

  onResponseEnd(_controller: Dispatcher.DispatchController, trailers: UpstreamHead): void {
    if (this.settled) return
    const { discarded, closeDelimited } = this.attempt as Attempt
    if (discarded !== -1) {
      if (this.connection !== undefined) this.connection.answered++
      this.follow()
      return
    }
    // undici takes a reset for the end of such a body (client-h1.js, onHttpSocketError): it is not.
    if (closeDelimited && this.connection?.broken === true) {
      this.fail('truncated', undefined, undefined)
      return
    }
    let pairs: string[] | undefined
    for (const _ in trailers) {
      pairs = readResponseFields(trailers)?.fields
      break
    }
    if (this.connection !== undefined) this.connection.answered++
    this.settle('response', '')
    this.exchange.reply.end(undefined, pairs)
    this.context.finish(this.exchange)
  }

  onResponseError(controller: Dispatcher.DispatchController, cause: AttemptError): void {
    const attempt = this.attempt as Attempt
    // Of an attempt that was given up for another, nothing is waited for.
    if (this.settled || (controller != null && controller !== attempt.controller)) return
    if (attempt.discarded !== -1) {
      this.follow()
      return
    }
    const error = explain(cause, this.connection, attempt.target.upstream)
    if (isUnsendable(error)) {
      this.settle('client_abort', error.code ?? '')
      this.refuse(unsendable(error))
      return
    }
    if (attempt.isWhole(error)) {
      this.onResponseEnd(controller, {})
      return
    }
    // Errors of the request's own body come back through undici with our codes: too large, or not what it said.
    if (error.code?.startsWith('HR_REQUEST_')) {
      this.settle('client_abort', error.code)
      this.answer(error as GatewayError)
      return
    }
    // Any request: nothing of it was sent. Each time there is one idle connection less.
    if (attempt.isUnsent(this.connection)) {
      attempt.target.retries.stale++
      this.dispatch(attempt.target)
      return
    }
    const outcome = outcomeOf(error, attempt.phase)
    if (outcome === 'reset' && this.#mayResend(attempt)) {
      attempt.resend()
      this.dispatch(attempt.target)
      return
    }
    if (!this.again(outcome, error.code ?? outcome)) this.fail(outcome, undefined, error)
  }

  /** A request that was not seen is sent once more where repeating it could do no harm in any case. */
  #mayResend(attempt: Attempt): boolean {
    const { method, reply } = this.exchange
    return this.body === null && isIdempotent(method) && !reply.gone && attempt.isUnseen(this.connection)
  }
}
