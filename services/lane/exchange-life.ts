import { replyWithProblem } from '../downstream/problem-reply.ts'
import { InternalError } from '../http/errors.ts'
import type { GatewayError } from '../http/problem.ts'
import type { InternalErrors } from '../monitor/internal-errors.ts'
import type { Load } from '../pressure/load.ts'
import type { GatewayExchange } from './exchanges.ts'

export interface ExchangeLifeOptions {
  /** What is under way, in other lanes of the process too. */
  load: Load
  /** Told of every finished exchange. */
  finished: readonly ((exchange: GatewayExchange) => void)[]
  /** Told of what the gateway itself fails on. */
  internalErrors: Pick<InternalErrors, 'record'>
}

/** What is booked of an exchange from its beginning to its end, and how those end that get no answer of their own. */
export class ExchangeLife {
  readonly #options: ExchangeLifeOptions
  #inFlight = 0

  constructor(options: ExchangeLifeOptions) {
    this.#options = options
  }

  /** Exchanges that have begun and are not finished, those that Fastify answers too. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** Counts an exchange whose connection need not know of it: it is over at once, or {@link leave} takes it back. */
  enter(): void {
    this.#inFlight++
    this.#options.load.inFlight++
  }

  /** Takes back what was entered and is not to be finished. */
  leave(): void {
    this.#inFlight--
    this.#options.load.inFlight--
  }

  /** @returns the exchange */
  begin(exchange: GatewayExchange): GatewayExchange {
    this.enter()
    exchange.peer.open(exchange)
    return exchange
  }

  /** Answers with a problem, and finishes. */
  refuse(exchange: GatewayExchange, error: GatewayError): void {
    // RFC 9110 §10.1.1: whether the client still sends the body that it asked about, it alone knows; what follows on the
    // connection would be read as one or the other.
    if (exchange.fields.expect !== undefined && exchange.body !== null) exchange.reply.closing = true
    replyWithProblem(exchange, error)
    this.finish(exchange)
  }

  /** The gateway itself has failed: its client gets a problem, or a broken answer, and nobody else notices. Never throws. */
  break(exchange: GatewayExchange, error: unknown): void {
    this.#options.internalErrors.record(error, exchange.requestId)
    if (exchange.finished) return
    const { reply, work } = exchange
    try {
      exchange.code = new InternalError().code
      if (reply.headSent) reply.abort()
      else {
        reply.closing = true
        replyWithProblem(exchange, new InternalError())
      }
    } catch {
      // The answer was what failed, and is logged; there is no other.
      reply.abort()
    }
    this.finish(exchange)
    work?.cancel()
  }

  /** Books the end; the second time does nothing. Never throws. */
  finish(exchange: GatewayExchange): void {
    if (exchange.finished) return
    exchange.finished = true
    this.leave()
    exchange.peer.done(exchange)
    try {
      exchange.plan?.gates?.finish(exchange)
      exchange.plan?.cache?.counters.record(exchange.cacheResult)
      exchange.plan?.traffic?.record(exchange.method, exchange.status, performance.now() - exchange.arrivedAt)
      for (const told of this.#options.finished) told(exchange)
    } catch (error) {
      this.#options.internalErrors.record(error, exchange.requestId)
    }
  }
}
