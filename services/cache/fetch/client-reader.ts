import type { Exchange } from '../../downstream/exchange.ts'
import type { Deadline, Deadlines } from '../../upstream/deadlines.ts'
import type { BodyReader, SharedBody } from './shared-body.ts'

export interface ClientReaderOptions {
  exchange: Exchange
  body: SharedBody
  deadlines: Deadlines
  /** How long the client may take nothing of its answer; 0 for ever. */
  sendTimeoutMs: number
  /** It has had all, or never will. Called once. */
  done(): void
  /** The gateway itself has failed on it. */
  broke(error: unknown): void
}

/** One client reading a body that others may read as well: at its own pace, leaving when it likes, stalling nobody. */
export class ClientReader implements BodyReader, Deadline {
  position = 0
  deadlineAt = Number.POSITIVE_INFINITY
  previous: Deadline | null = null
  next: Deadline | null = null
  readonly #options: ClientReaderOptions
  #behind = false
  #over = false

  constructor(options: ClientReaderOptions) {
    this.#options = options
  }

  /** The head has been sent. */
  start(): void {
    const { exchange, body } = this.#options
    exchange.work = this
    body.join(this)
    this.advance()
  }

  advance(): void {
    try {
      this.#advance()
    } catch (error) {
      // Others read the same body, and get it.
      this.#options.broke(error)
    }
  }

  #advance(): void {
    if (this.#behind || this.#over) return
    const { body, exchange } = this.#options
    const { reply } = exchange
    while (this.position < body.end) {
      const chunk = body.chunk(this.position++)
      if (reply.write(chunk)) continue
      if (reply.gone) return this.cancel()
      return this.#wait()
    }
    if (body.state === 'open') return
    if (body.state === 'complete') reply.end(undefined, body.trailers)
    else reply.abort()
    this.#finish()
  }

  /** The client has left. */
  cancel(): void {
    if (this.#over) return
    this.#options.exchange.code ||= 'CLIENT_ABORT'
    this.#finish()
  }

  /** The client has taken nothing for too long: it holds up memory, and others where the body is not kept. */
  expire(): void {
    this.#options.exchange.code = 'CLIENT_STALLED'
    this.#options.exchange.reply.abort()
    this.cancel()
  }

  #wait(): void {
    const { exchange, deadlines, body, sendTimeoutMs } = this.#options
    this.#behind = true
    this.deadlineAt = performance.now() + (sendTimeoutMs || Number.POSITIVE_INFINITY)
    deadlines.add(this)
    exchange.reply.drained(() => {
      if (this.#over) return
      this.#behind = false
      deadlines.remove(this)
      this.advance()
      body.moved()
    })
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    const { exchange, body, deadlines } = this.#options
    if (this.#behind) deadlines.remove(this)
    if (exchange.work === this) exchange.work = undefined
    body.leave(this)
    this.#options.done()
  }
}
