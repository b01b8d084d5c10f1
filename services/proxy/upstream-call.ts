import type { Dispatcher } from 'undici'
import { noteClientGone } from '../downstream/client-gone.ts'
import type { Cancellable, Exchange } from '../downstream/exchange.ts'
import { RequestBody } from '../downstream/request-body.ts'
import { causeCode, type GatewayError } from '../http/problem.ts'
import { bodyLimit } from '../request/request-gate.ts'
import type { Connection, ConnectionAware } from '../upstream/connection.ts'
import { ClientGoneError, SupersededError } from '../upstream/errors.ts'
import type { RetryCause, RetryOptions } from '../upstream/retry/options.ts'
import type { Outcome } from '../upstream/snapshot.ts'
import type { Target } from '../upstream/target.ts'
import type { Patient, Waiting } from '../upstream/waiting-line.ts'
import { Attempt } from './attempt.ts'
import { CallDeadline } from './call-deadline.ts'
import { failureOf, noTarget, noTurn } from './failure.ts'
import { ConcurrencySlot } from './concurrency-slot.ts'
import { pathToSend, type ProxyPlan, type RoutePlan } from './plan.ts'
import type { ProxyContext } from './proxy-context.ts'
import { causeOf, mayRepeat, type NextAttempt, Retries } from './retries.ts'
import { retryAfterMs } from './retry-after.ts'
import { bodyToSend, completeFields } from './upstream-request.ts'

/** What is read of an answer that another attempt takes the place of, to spare its connection: so much, and so long. */
const DISCARD_BYTES = 65_536
const DISCARD_MS = 1_000

/**
 * One request on its way to an upstream: where it goes, when, how often, and how that ends. What comes back is for the class
 * that extends it, so that a call is one object for undici and for the client, and costs no closure.
 */
export abstract class UpstreamCall implements Cancellable, ConnectionAware, Patient {
  connection: Connection | undefined
  waiting: Waiting | undefined
  protected readonly context: ProxyContext
  protected readonly exchange: Exchange<RoutePlan>
  protected readonly plan: ProxyPlan
  protected readonly body: RequestBody | null
  protected readonly deadline: CallDeadline
  /** The one that goes on, or went last. */
  protected attempt: Attempt | undefined
  /** Where the upstream limits how many it is asked at a time. */
  protected slot: ConcurrencySlot | null = null
  /** It is over, and booked. */
  protected settled = false
  /** Once an attempt has failed that is made again. */
  #retries: Retries | undefined
  /** Where to, while the last answer is read to its end or the time for it has not come. */
  #next: NextAttempt | undefined

  constructor(context: ProxyContext, exchange: Exchange<RoutePlan>, plan: ProxyPlan) {
    this.context = context
    this.exchange = exchange
    this.plan = plan
    this.body =
      exchange.body === null ? null : new RequestBody(exchange, bodyLimit(plan.options.request, context.bodyBytes))
    this.deadline = new CallDeadline(this, plan.timeout, exchange.arrivedAt)
  }

  /** Sends the request. Everything else happens when undici, the deadline or the client calls. */
  start(): void {
    const { upstream } = this.plan
    upstream.budget.earn(this.exchange.arrivedAt)
    const target = upstream.pick(this.exchange)
    if (target === undefined) {
      this.settled = true
      this.refuse(noTarget(upstream))
      return
    }
    this.startAt(target)
  }

  /** Sends the request to a target that is chosen, or to another where too many wait there. */
  startAt(chosen: Target): void {
    const { upstream } = this.plan
    const target = chosen.full ? upstream.pickOther(this.exchange, [chosen]) : chosen
    if (target === undefined) {
      chosen.settle('queue_full', '', 0)
      this.settle('queue_full', '')
      this.refuse(failureOf('queue_full', upstream.name, undefined))
      return
    }
    this.exchange.work = this
    this.context.deadlines.add(this.deadline)
    const { concurrency } = upstream
    if (concurrency === null) {
      this.#begin(target, this.exchange.arrivedAt)
      return
    }
    this.slot = new ConcurrencySlot(concurrency, this)
    if (this.slot.take()) this.#begin(target, this.exchange.arrivedAt)
    else if (this.slot.wait(target)) this.deadline.within(concurrency.options.waitMs)
    else this.#missTurn()
  }

  /** Its turn has come. */
  enter(chosen: Target): void {
    this.deadline.forConnection()
    const target = this.#stillThere(chosen)
    if (target === undefined) this.#failUnsent()
    else this.#begin(target, this.exchange.arrivedAt)
  }

  /** It does not come to its turn. */
  #missTurn(): void {
    const { upstream } = this.plan
    upstream.concurrency?.refuse()
    this.settle('queue_full', '')
    this.refuse(noTurn(upstream.name))
  }

  /** Who was chosen a while ago, or another who is there now. */
  #stillThere(chosen: Target): Target | undefined {
    return chosen.draining || chosen.barred ? this.plan.upstream.pickOther(this.exchange, []) : chosen
  }

  /** There is nobody left to send it to. */
  #failUnsent(): void {
    this.settle('connect_error', '')
    this.refuse(noTarget(this.plan.upstream))
  }

  /** Where the request has gone last; `undefined` before it has started. */
  get target(): Target | undefined {
    return this.attempt?.target
  }

  #begin(target: Target, beganAt: number): void {
    const isFirst = this.attempt === undefined
    this.slot?.hold()
    this.attempt = new Attempt(target, beganAt)
    // A further attempt finds the list as the first has left it.
    if (isFirst) completeFields(this.exchange, this.plan, this.context.forwarding)
    this.dispatch(target)
  }

  protected dispatch(target: Target): void {
    const { method, path, query, sentQuery = query, parameters, fields } = this.exchange
    // Where no connection takes it, nothing is known of one.
    this.connection = undefined
    this.send(target, {
      path: pathToSend(this.plan, path, sentQuery, parameters),
      method: method as Dispatcher.HttpMethod,
      headers: fields.kept,
      body: bodyToSend(this.body, this.plan),
    })
  }

  /** Gives the request to a connection. */
  protected abstract send(target: Target, request: Dispatcher.DispatchOptions): void

  /**
   * Makes another attempt in place of one that has failed, where the route has it so.
   *
   * @returns `false` where the failure is for the client
   */
  protected again(outcome: Outcome, code: string): boolean {
    const { retry } = this.plan
    const cause = causeOf(outcome)
    if (retry === null || cause === undefined || cause === 'status' || !retry[cause]) return false
    const attempt = this.attempt as Attempt
    if (attempt.phase === 'receiving' || !mayRepeat(cause, this.exchange, this.body)) return false
    this.#end(attempt, outcome, code)
    this.#next = this.#nextAfter(attempt, cause, retry)
    if (this.#next === undefined) return false
    this.follow()
    return true
  }

  /**
   * Whether another attempt takes the place of an answer, by its status. Its body is then read to the end, within bounds,
   * so that its connection can be used again.
   */
  protected replaces(attempt: Attempt, retryAfter: string | string[] | undefined): boolean {
    const { retry } = this.plan
    if (retry === null || !mayRepeat('status', this.exchange, this.body)) return false
    const restMs = retryAfterMs(retryAfter, Date.now())
    if (restMs > 0) attempt.target.restsUntil = performance.now() + restMs
    this.#next = this.#nextAfter(attempt, 'status', retry)
    if (this.#next === undefined) return false
    attempt.discarded = 0
    this.deadline.within(DISCARD_MS)
    return true
  }

  #nextAfter({ target }: Attempt, cause: RetryCause, retry: RetryOptions): NextAttempt | undefined {
    this.#retries ??= new Retries(retry, this.plan.upstream)
    return this.#retries.next(target, cause, { request: this.exchange, until: this.deadline.totalAt })
  }

  /** The last attempt is over: the next begins, or waits for its time. */
  protected follow(): void {
    const { target, waitMs } = this.#next as NextAttempt
    const last = this.attempt as Attempt
    if (last.open) this.#end(last, 'response', '')
    last.letGo()
    this.deadline.forConnection()
    if (waitMs > 0) {
      this.deadline.within(waitMs)
      return
    }
    this.#next = undefined
    this.#begin(target, performance.now())
  }

  /** A piece of an answer has come that another attempt takes the place of. */
  protected discard(attempt: Attempt, bytes: number): void {
    attempt.discarded += bytes
    if (attempt.discarded > DISCARD_BYTES) this.#abandon(attempt)
  }

  /** Its answer is too long, or too slow, to be read to its end. */
  #abandon(attempt: Attempt): void {
    attempt.letGo()?.abort(new SupersededError())
    this.follow()
  }

  /** The deadline has passed. */
  expire(): void {
    if (this.slot?.waiting === true) {
      this.#missTurn()
      return
    }
    if (this.deadline.clientBehind) {
      this.exchange.code = 'CLIENT_STALLED'
      this.cancel()
      this.exchange.reply.abort()
      return
    }
    const attempt = this.attempt as Attempt
    if (attempt.discarded !== -1) {
      this.#abandon(attempt)
      return
    }
    if (this.#next !== undefined && performance.now() < this.deadline.totalAt) {
      this.#tryNext(this.#next.target)
      return
    }
    const { controller } = attempt
    if (this.again(this.deadline.due, this.deadline.due)) controller?.abort(new SupersededError())
    else this.fail(this.deadline.due, controller, undefined)
  }

  /** The time for the next attempt has come; who was chosen may not be there any more. */
  #tryNext(chosen: Target): void {
    const target = this.#stillThere(chosen)
    if (target === undefined) {
      this.#next = undefined
      this.#failUnsent()
      return
    }
    this.#next = { target, waitMs: 0 }
    this.follow()
  }

  /** The client has left; or `superseded`: another attempt has answered it. */
  cancel(outcome: 'client_abort' | 'superseded' = 'client_abort'): void {
    if (!this.settled) {
      this.settle(outcome, '')
      noteClientGone(this.exchange)
      this.context.finish(this.exchange)
    }
    this.body?.destroy()
    this.attempt?.controller?.abort(new ClientGoneError())
  }

  /** The gateway itself has failed on this call, at whatever point: it ends, and no other does. Never throws. */
  protected broke(error: unknown): void {
    if (!this.settled) this.settle('internal_error', '')
    this.context.broke(this.exchange, error)
    this.attempt?.controller?.abort(new ClientGoneError())
  }

  protected fail(
    outcome: Outcome,
    controller: Dispatcher.DispatchController | undefined,
    cause: Error | undefined,
  ): void {
    if (this.settled) return
    this.settle(outcome, (cause as { code?: string } | undefined)?.code ?? outcome)
    const error = failureOf(outcome, this.plan.upstream.name, cause)
    this.answer(error)
    controller?.abort(error)
  }

  /** Tells the client, or breaks off where it has had a part of another answer. */
  protected answer(error: GatewayError): void {
    const { reply } = this.exchange
    if (!reply.headSent) {
      this.refuse(error)
      return
    }
    this.exchange.code = error.code
    this.exchange.cause = causeCode(error)
    reply.abort()
    this.context.finish(this.exchange)
  }

  protected refuse(error: GatewayError): void {
    this.body?.destroy()
    this.exchange.reply.closing ||= this.exchange.body !== null && !this.exchange.body.readableEnded
    this.context.refuse(this.exchange, error)
  }

  protected settle(outcome: Outcome, code: string): void {
    this.settled = true
    this.waiting?.withdraw()
    // An answer may come before the body has: nobody takes the rest.
    this.body?.destroy()
    this.exchange.outcome = outcome
    if (this.exchange.work === this) {
      this.exchange.work = undefined
      this.context.deadlines.remove(this.deadline)
    }
    const attempt = this.attempt
    if (attempt?.open === true) this.#end(attempt, outcome, code)
    this.slot?.giveUp()
  }

  #end(attempt: Attempt, outcome: Outcome, code: string): void {
    attempt.end(outcome, code)
    this.slot?.ended(outcome)
  }
}
