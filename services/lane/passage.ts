import { noteClientGone } from '../downstream/client-gone.ts'
import { discardBody } from '../downstream/unread-body.ts'
import { ANSWERED, type Verdict } from '../gate/gate.ts'
import type { Gates } from '../gate/gates.ts'
import type { GatewayError } from '../http/problem.ts'
import type { GatewayExchange } from './exchanges.ts'

/** Where an exchange goes from the gates of its route. */
export interface Onward {
  pass(exchange: GatewayExchange): void
  refuse(exchange: GatewayExchange, error: GatewayError): void
}

export interface PassageOptions {
  /** Nothing more becomes of it. */
  finish: (exchange: GatewayExchange) => void
  /** A gate has failed, or what comes behind it. Never throws. */
  broke: (exchange: GatewayExchange, error: unknown) => void
}

/** Leads exchanges through the gates of their routes, at once or when they have decided. */
export class Passage {
  readonly #options: PassageOptions

  constructor(options: PassageOptions) {
    this.#options = options
  }

  /** Never throws. */
  lead(exchange: GatewayExchange, gates: Gates, onward: Onward): void {
    try {
      const verdict = gates.check(exchange)
      if (verdict instanceof Promise) this.#wait(exchange, verdict, onward)
      else this.#settle(exchange, verdict, onward)
    } catch (error) {
      this.#options.broke(exchange, error)
    }
  }

  #wait(exchange: GatewayExchange, pending: Promise<Verdict>, onward: Onward): void {
    exchange.work = {
      cancel: () => {
        noteClientGone(exchange)
        this.#options.finish(exchange)
      },
    }
    pending
      .then((verdict) => {
        // Its client has left: nobody is there for an answer.
        if (exchange.finished) return
        exchange.work = undefined
        this.#settle(exchange, verdict, onward)
      })
      .catch((error: unknown) => this.#options.broke(exchange, error))
  }

  #settle(exchange: GatewayExchange, verdict: Verdict, onward: Onward): void {
    if (verdict === undefined) {
      onward.pass(exchange)
      return
    }
    discardBody(exchange)
    if (verdict === ANSWERED) this.#options.finish(exchange)
    else onward.refuse(exchange, verdict)
  }
}
