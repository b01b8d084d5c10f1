import type { Cancellable, Exchange } from '../downstream/exchange.ts'
import type { GatewayError } from '../http/problem.ts'
import type { Deadline } from '../upstream/deadlines.ts'
import type { HedgeOptions } from '../upstream/retry/options.ts'
import { GuardedCall } from './guarded-call.ts'
import { HedgeAttempt } from './hedge-attempt.ts'
import type { ProxyPlan, RoutePlan } from './plan.ts'
import type { ProxyContext } from './proxy-context.ts'

/**
 * A request that is asked of another target as well where the first is slow (Dean, Barroso, "The Tail at Scale", 2013). The
 * answer whose head comes first is the client's, and the other attempts are called off; a failure counts only where no
 * attempt is left that may still answer. So does an answer that speaks of one by its status, as a broken target gives it at
 * once: it waits for the others. Each attempt is an ordinary call, whose reply stands between it and the client.
 */
export class HedgedCall implements Cancellable, Deadline {
  deadlineAt = Number.POSITIVE_INFINITY
  previous: Deadline | null = null
  next: Deadline | null = null
  readonly #context: ProxyContext
  readonly #exchange: Exchange<RoutePlan>
  readonly #plan: ProxyPlan
  readonly #hedge: HedgeOptions
  readonly #attempts: HedgeAttempt[] = []
  #winner: HedgeAttempt | undefined
  /** Of the first attempt that has failed: the others were only a try. */
  #failure: { attempt: HedgeAttempt; error: GatewayError } | undefined
  #over = false

  constructor(context: ProxyContext, exchange: Exchange<RoutePlan>, plan: ProxyPlan & { hedge: HedgeOptions }) {
    this.#context = context
    this.#exchange = exchange
    this.#plan = plan
    this.#hedge = plan.hedge
  }

  start(): void {
    this.#exchange.work = this
    this.#launch().call.start()
    if (!this.#isUndecided()) return
    this.#wait()
    this.#context.deadlines.add(this)
  }

  /** There is no answer yet: another target is asked, within the budget. */
  expire(): void {
    try {
      this.#another()
    } catch (error) {
      this.#broke(error)
    }
  }

  /** The client has left, or has another answer. */
  cancel(outcome?: 'client_abort' | 'superseded'): void {
    if (this.#winner !== undefined) {
      this.#winner.call.cancel(outcome)
      return
    }
    this.#end()
    // Of one that was not over until now, it is said that the client has left.
    const left = this.#attempts.find(({ failed, finished }) => !failed && !finished)
    for (const { call } of this.#attempts) call.cancel(outcome)
    this.#finish(left ?? (this.#attempts[0] as HedgeAttempt))
  }

  #another(): void {
    const { upstream } = this.#plan
    const tried = this.#attempts.flatMap(({ call }) => call.target ?? [])
    const target = upstream.pickOther(this.#exchange, tried)
    if (target === undefined || !upstream.budget.spend(performance.now())) {
      this.#context.deadlines.remove(this)
      return
    }
    for (const slow of tried.slice(-1)) slow.retries.hedge++
    if (this.#attempts.length < this.#hedge.max) this.#wait()
    else this.#context.deadlines.remove(this)
    this.#launch().call.startAt(target)
  }

  #wait(): void {
    const { after } = this.#hedge
    const ms = 'ms' in after ? after.ms : this.#plan.upstream.latencyAt(after.quantile)
    this.deadlineAt = performance.now() + (ms ?? Number.POSITIVE_INFINITY)
  }

  #launch(): HedgeAttempt {
    const attempt = new HedgeAttempt(this.#exchange, {
      // The first answer is the client's.
      mayWait: (one, status) => this.#isPoor(status) && this.#isUndecided() && this.#mayDoBetter(one),
      mayAnswer: (one) => this.#choose(one),
      failed: (one, error) => this.#failed(one, error),
      finished: (one) => this.#finished(one),
      broke: (_one, error) => this.#broke(error),
    })
    const isFirst = this.#attempts.length === 0
    this.#attempts.push(attempt)
    // An attempt that is one too many is not made again.
    const plan = isFirst ? this.#plan : { ...this.#plan, retry: null }
    attempt.call = new GuardedCall(attempt.contextOf(this.#context), attempt.exchange, plan)
    return attempt
  }

  #isUndecided(): boolean {
    return !this.#over && this.#winner === undefined
  }

  /** By its status, an answer that is retried where it can be, or that counts as a failure of its target. */
  #isPoor(status: number): boolean {
    const { retry, upstream } = this.#plan
    return upstream.options.failureStatuses.includes(status) || retry?.statuses.includes(status) === true
  }

  /** Some attempt goes on. */
  #mayDoBetter(than?: HedgeAttempt): boolean {
    return this.#attempts.some((one) => one !== than && !one.failed && !one.held)
  }

  #choose(attempt: HedgeAttempt): boolean {
    if (this.#over) return false
    if (this.#winner !== undefined) return this.#winner === attempt
    this.#winner = attempt
    this.#context.deadlines.remove(this)
    for (const other of this.#attempts) if (other !== attempt) other.call.cancel('superseded')
    return true
  }

  #failed(attempt: HedgeAttempt, error: GatewayError): void {
    if (!this.#isUndecided()) return
    this.#failure ??= { attempt, error }
    if (this.#mayDoBetter()) return
    const held = this.#attempts.find((one) => one.held)
    if (held !== undefined) {
      this.#choose(held)
      held.answer()
      if (held.finished) this.#finished(held)
      return
    }
    this.#end()
    this.#exchange.outcome = this.#failure.attempt.exchange.outcome
    this.#context.refuse(this.#exchange, this.#failure.error)
  }

  #finished(attempt: HedgeAttempt): void {
    if (this.#over || this.#winner !== attempt) return
    this.#end()
    this.#finish(attempt)
  }

  #broke(error: unknown): void {
    if (this.#over) return
    this.#end()
    for (const { call } of this.#attempts) call.cancel('superseded')
    this.#context.broke(this.#exchange, error)
  }

  #end(): void {
    this.#over = true
    this.#context.deadlines.remove(this)
    this.#exchange.work = undefined
  }

  /** What is said of the exchange is what was said of the attempt that has answered it. */
  #finish({ exchange: { status, outcome, code, upstreamMs } }: HedgeAttempt): void {
    Object.assign(this.#exchange, { status, outcome, code, upstreamMs })
    this.#context.finish(this.#exchange)
  }
}
