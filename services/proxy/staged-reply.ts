import { CLIENT_GONE } from '../downstream/client-gone.ts'
import type { Cancellable, Exchange } from '../downstream/exchange.ts'
import { RelayedReply } from '../downstream/relayed-reply.ts'
import type { Reply } from '../downstream/reply.ts'
import type { GatewayError } from '../http/problem.ts'
import type { RoutePlan } from './plan.ts'
import type { ProxyContext } from './proxy-context.ts'
import type { Answer, ResponseStage } from './response-stage.ts'

/**
 * The way of an answer through the stages of its route. It is the reply of an ordinary call, before any cache: the head
 * waits until the stages have said what becomes of it, the body as far as one of them wants it, and whoever is behind it
 * gets the answer whole, or a problem in place of it.
 *
 * - `waiting`: no head has come
 * - `collecting`: the body is held until it is whole, or too large
 * - `deciding`: the stages take their time; what comes meanwhile waits, and the upstream with it
 * - `passing`: the head is out, and the rest follows as it comes
 * - `over`: somebody else has answered
 */
export class StagedReply extends RelayedReply implements Cancellable {
  readonly #exchange: Exchange<RoutePlan>
  readonly #stages: readonly ResponseStage[]
  readonly #context: ProxyContext
  #state: 'waiting' | 'collecting' | 'deciding' | 'passing' | 'over' = 'waiting'
  #answer!: Answer
  #mostBytes = 0
  #held: Uint8Array[] = []
  #heldBytes = 0
  #ended = false
  #trailers: string[] | undefined
  /** The call is over, and its end not yet booked. */
  #finishing = false
  #onDrained: (() => void) | undefined

  constructor(
    reply: Reply,
    parts: { exchange: Exchange<RoutePlan>; stages: readonly ResponseStage[]; context: ProxyContext },
  ) {
    super(reply)
    this.#exchange = parts.exchange
    this.#stages = parts.stages
    this.#context = parts.context
  }

  /** The call's context: what it says of the exchange comes here first. */
  get context(): ProxyContext {
    return {
      ...this.#context,
      refuse: (_exchange, error) => this.#refuse(error),
      broke: (_exchange, error) => this.#broke(error),
      finish: () => this.#finish(),
    }
  }

  override get gone(): boolean {
    return this.#state === 'over' || this.reply.gone
  }

  override head(status: number, fields: string[], length: number | null): void {
    const answer: Answer = { status, fields, length, body: undefined, tooLarge: false }
    this.#answer = answer
    const wanting = this.#stages.filter((stage) => stage.wantsBody(answer, this.#exchange))
    this.#mostBytes = Math.min(...wanting.map(({ bodyBytes }) => bodyBytes))
    answer.tooLarge = wanting.length > 0 && length !== null && length > this.#mostBytes
    if (wanting.length === 0 || answer.tooLarge) this.#decide(0)
    else this.#state = 'collecting'
  }

  override write(chunk: Uint8Array): boolean {
    switch (this.#state) {
      case 'passing':
        return this.reply.write(chunk)
      case 'collecting':
        this.#hold(chunk)
        if (this.#heldBytes <= this.#mostBytes) return true
        this.#answer.tooLarge = true
        this.#decide(0)
        // What has been decided may have been to take no more.
        return this.headSent
      case 'deciding':
        this.#hold(chunk)
        return false
      default:
        return false
    }
  }

  override drained(callback: () => void): void {
    if (this.#state === 'passing') this.reply.drained(callback)
    else this.#onDrained = callback
  }

  override end(chunk?: Uint8Array, trailers?: string[]): void {
    if (chunk !== undefined) this.write(chunk)
    if (this.#state === 'passing') {
      this.reply.end(undefined, trailers)
      return
    }
    this.#ended = true
    this.#trailers = trailers
    if (this.#state !== 'collecting') return
    this.#answer.body = Buffer.concat(this.#held)
    this.#decide(0)
  }

  override abort(): void {
    if (this.#state === 'passing') this.reply.abort()
  }

  /** The client has left while the stages take their time, and the call is over. */
  cancel(): void {
    this.#exchange.code ||= 'CLIENT_ABORT'
    this.#exchange.status = CLIENT_GONE
    this.#leave()
    this.#context.finish(this.#exchange)
  }

  #hold(chunk: Uint8Array): void {
    // undici gives a piece of a larger buffer, which is its own again.
    this.#held.push(Buffer.from(chunk))
    this.#heldBytes += chunk.length
  }

  /** Asks the stages, from one on. */
  #decide(from: number): void {
    this.#state = 'deciding'
    for (let i = from; i < this.#stages.length; i++) {
      const said = (this.#stages[i] as ResponseStage).apply(this.#answer, this.#exchange)
      if (said instanceof Promise) {
        said.then(
          (error) => this.#decided(error, i + 1),
          (error: unknown) => this.#broke(error),
        )
        return
      }
      if (said !== undefined) {
        this.#refuse(said)
        return
      }
    }
    this.#pass()
  }

  #decided(error: GatewayError | undefined, next: number): void {
    if (this.#state !== 'deciding') return
    try {
      if (error === undefined) this.#decide(next)
      else this.#refuse(error)
    } catch (cause) {
      this.#broke(cause)
    }
  }

  #pass(): void {
    const { status, fields, length, body } = this.#answer
    this.#state = 'passing'
    this.reply.head(status, fields, body === undefined ? length : body.length)
    if (body === undefined) for (const chunk of this.#held) this.reply.write(chunk)
    else if (body.length > 0) this.reply.write(body)
    this.#held = []
    if (this.#ended) this.reply.end(undefined, this.#trailers)
    if (this.#finishing) this.#finish()
    else this.#goOn()
  }

  /** The upstream has been waiting. */
  #goOn(): void {
    const callback = this.#onDrained
    this.#onDrained = undefined
    callback?.()
  }

  /** The answer is not for its client, who gets a problem: nothing of it has been sent. */
  #refuse(error: GatewayError): void {
    if (this.#state === 'over') return
    const { work } = this.#exchange
    this.#leave()
    if (work !== undefined && work !== this) work.cancel('superseded')
    // It was the call that came to its end, and not the client.
    if (this.#exchange.outcome === 'superseded') this.#exchange.outcome = 'response'
    this.#exchange.code = ''
    this.#context.refuse(this.#exchange, error)
  }

  #broke(error: unknown): void {
    if (this.#state === 'over') return
    const { work } = this.#exchange
    this.#leave()
    this.#context.broke(this.#exchange, error)
    if (work !== this) work?.cancel('superseded')
  }

  /** Nothing that the call still says matters. */
  #leave(): void {
    this.#state = 'over'
    this.#held = []
    this.#exchange.reply = this.reply
    if (this.#exchange.work === this) this.#exchange.work = undefined
  }

  /** The call is over: its end is booked once its answer is out. */
  #finish(): void {
    if (this.#state === 'over') return
    if (this.#state === 'deciding' && this.#ended) {
      this.#finishing = true
      this.#exchange.work = this
      return
    }
    if (this.#state === 'passing') this.#exchange.status = this.#answer.status
    if (this.#exchange.work === this) this.#exchange.work = undefined
    this.#context.finish(this.#exchange)
  }
}
