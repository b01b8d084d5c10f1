import type { Exchange } from '../downstream/exchange.ts'
import type { Prepared } from '../downstream/prepared.ts'
import type { Reply } from '../downstream/reply.ts'
import type { GatewayError } from '../http/problem.ts'
import type { RequestFields } from '../http/request-fields.ts'
import type { GuardedCall } from './guarded-call.ts'
import { HeldAnswer } from './held-answer.ts'
import type { RoutePlan } from './plan.ts'
import type { ProxyContext } from './proxy-context.ts'

export interface HedgeOwner {
  /** @returns whether an answer of this status waits for what becomes of the other attempts */
  mayWait: (attempt: HedgeAttempt, status: number) => boolean
  /** @returns whether the attempt's answer goes to the client */
  mayAnswer: (attempt: HedgeAttempt) => boolean
  failed: (attempt: HedgeAttempt, error: GatewayError) => void
  finished: (attempt: HedgeAttempt) => void
  broke: (attempt: HedgeAttempt, error: unknown) => void
}

/** One of several attempts at a request: what the call takes for its client. */
export class HedgeAttempt implements Reply {
  /** The request once more; its answer comes here. */
  readonly exchange: Exchange<RoutePlan>
  call!: GuardedCall
  failed = false
  /** Its call is over, and was answered or called off. */
  finished = false
  readonly #client: Exchange<RoutePlan>
  readonly #owner: HedgeOwner
  #answers = false
  /** What it would answer, while another may do better. */
  #held: HeldAnswer | undefined
  #aborted = false

  constructor(client: Exchange<RoutePlan>, owner: HedgeOwner) {
    this.#client = client
    this.#owner = owner
    // The call adds its own fields to the list.
    const fields: RequestFields = Object.assign(Object.create(Object.getPrototypeOf(client.fields)), client.fields, {
      kept: [...client.fields.kept],
    })
    this.exchange = Object.assign(Object.create(Object.getPrototypeOf(client)), client, {
      fields,
      reply: this,
      work: undefined,
    })
  }

  /** The call's context, with what it says of the exchange led here. */
  contextOf(context: ProxyContext): ProxyContext {
    const isHeld = (): boolean => this.held
    return {
      ...context,
      get sendTimeoutMs() {
        // Not the client is waited for, but another attempt, which has its own time.
        return isHeld() ? 0 : context.sendTimeoutMs
      },
      refuse: (_exchange, error) => this.#failed(error),
      broke: (_exchange, error) => this.#owner.broke(this, error),
      finish: () => {
        this.finished = true
        this.#owner.finished(this)
      },
    }
  }

  /** It has an answer, and waits. */
  get held(): boolean {
    return this.#held !== undefined
  }

  /** Its answer goes to the client after all. */
  answer(): void {
    const held = this.#held as HeldAnswer
    this.#held = undefined
    this.#answers = true
    this.#tellClient(held.head.status)
    held.giveTo(this.#client.reply)
  }

  /** Its answer, as far as there was any, is none. */
  #failed(error: GatewayError): void {
    this.failed = true
    this.#held = undefined
    this.#owner.failed(this, error)
  }

  #tellClient(status: number): void {
    this.#client.status = status
    this.#client.upstreamMs = this.exchange.upstreamMs
    this.#client.unframed = this.exchange.unframed
  }

  get gone(): boolean {
    return this.#aborted || this.#client.reply.gone
  }

  get headSent(): boolean {
    return this.#answers && this.#client.reply.headSent
  }

  get closing(): boolean {
    return this.#client.reply.closing
  }

  set closing(closing: boolean) {
    this.#client.reply.closing = closing
  }

  continue(): void {
    // There is no body to go on with.
  }

  informational(status: number, fields: string[]): void {
    this.#client.reply.informational(status, fields)
  }

  head(status: number, fields: string[], length: number | null): void {
    if (this.#owner.mayWait(this, status)) {
      this.#held = new HeldAnswer({ status, fields, length })
      return
    }
    this.#answers = this.#owner.mayAnswer(this)
    if (!this.#answers) return
    this.#tellClient(status)
    this.#client.reply.head(status, fields, length)
  }

  write(chunk: Uint8Array): boolean {
    if (this.#held !== undefined) return this.#held.write(chunk)
    return !this.#answers || this.#client.reply.write(chunk)
  }

  drained(callback: () => void): void {
    if (this.#held !== undefined) this.#held.drained(callback)
    else this.#client.reply.drained(callback)
  }

  end(chunk?: Uint8Array, trailers?: string[]): void {
    if (this.#held !== undefined) this.#held.end(chunk, trailers)
    else if (this.#answers) this.#client.reply.end(chunk, trailers)
  }

  whole(prepared: Prepared, own: readonly string[]): void {
    if (this.#owner.mayAnswer(this)) this.#client.reply.whole(prepared, own)
  }

  closed(callback: () => void): void {
    this.#client.reply.closed(callback)
  }

  abort(): void {
    this.#aborted = true
    if (this.#answers) this.#client.reply.abort()
  }
}
