import { noteClientGone } from '../downstream/client-gone.ts'
import type { Cancellable, Exchange } from '../downstream/exchange.ts'
import { discardBody } from '../downstream/unread-body.ts'
import type { GatewayError } from '../http/problem.ts'
import { removeField, setField } from '../http/request-fields.ts'
import type { ProxyPlan, RoutePlan } from './plan.ts'
import type { ProxyContext } from './proxy-context.ts'
import type { ResponseStage } from './response-stage.ts'
import { StagedReply } from './staged-reply.ts'

type Send = (context: ProxyContext, exchange: Exchange<RoutePlan>, plan: ProxyPlan) => void

/** A request of a route that changes requests, or looks at answers: the way to the upstream, and back before any cache. */
export class StagedCall implements Cancellable {
  readonly #context: ProxyContext
  readonly #exchange: Exchange<RoutePlan>
  readonly #plan: ProxyPlan
  readonly #send: Send
  #left = false

  constructor(context: ProxyContext, exchange: Exchange<RoutePlan>, { plan, send }: { plan: ProxyPlan; send: Send }) {
    this.#context = context
    this.#exchange = exchange
    this.#plan = plan
    this.#send = send
  }

  start(): void {
    const shaped = this.#plan.requests?.apply(this.#exchange)
    if (shaped === undefined) {
      this.#go()
      return
    }
    this.#exchange.work = this
    shaped.then(
      (refusal) => this.#shaped(refusal),
      (error: unknown) => this.#broke(error),
    )
  }

  /** The client has left before anything was sent. */
  cancel(): void {
    if (this.#left) return
    this.#left = true
    this.#exchange.work = undefined
    noteClientGone(this.#exchange)
    this.#context.finish(this.#exchange)
  }

  #shaped(refusal: GatewayError | undefined): void {
    if (this.#left) return
    this.#exchange.work = undefined
    try {
      if (refusal === undefined) this.#go()
      else this.#refuse(refusal)
    } catch (error) {
      this.#context.broke(this.#exchange, error)
    }
  }

  #refuse(refusal: GatewayError): void {
    const { body, reply } = this.#exchange
    if (body !== null) {
      // What the client still sends is read by nobody.
      reply.closing ||= !body.readableEnded
      discardBody(this.#exchange)
    }
    this.#context.refuse(this.#exchange, refusal)
  }

  #broke(error: unknown): void {
    if (this.#left) return
    this.#exchange.work = undefined
    this.#context.broke(this.#exchange, error)
  }

  #go(): void {
    const { stages } = this.#plan
    if (stages === null) this.#send(this.#context, this.#exchange, this.#plan)
    else this.#goStaged(stages)
  }

  #goStaged(stages: readonly ResponseStage[]): void {
    const exchange = this.#exchange
    const { kept } = exchange.fields
    const reply = new StagedReply(exchange.reply, { exchange, stages, context: this.#context })
    exchange.reply = reply
    // Of an answer that is coded nobody here can tell what it says; the client's own coding is made behind the cache.
    if (stages.some(({ readsBodies }) => readsBodies)) setField(kept, 'accept-encoding', 'identity')
    if (stages.some(({ changesBodies }) => changesBodies)) {
      // A part of what it was is no part of what it becomes.
      removeField(kept, 'range')
      removeField(kept, 'if-range')
    }
    this.#send(reply.context, exchange, this.#plan)
  }
}
