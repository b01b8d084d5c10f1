import type { Exchange } from '../downstream/exchange.ts'
import type { GatewayError } from '../http/problem.ts'
import { SteadyClock } from '../limit/clock.ts'
import { emptyDecision } from '../limit/decision.ts'
import { paceOf } from '../limit/gcra.ts'
import { LocalLimiter } from '../limit/local-limiter.ts'
import { subnetOf } from '../limit/subnet.ts'
import { CredentialsInvalidError, TooManyFailuresError } from './errors.ts'

/** How many pass in which time. */
export interface FailureRate {
  count: number
  windowMs: number
}

/** Addresses that are told apart; of more, those that have failed least make room. */
const MOST_ADDRESSES = 100_000
/** Bits of an IPv6 address that are one client. */
const IPV6_SUBNET = 64

/**
 * Bounds guessing: how often credentials from one address may fail. Who has failed too often is told so, and of passwords none
 * is looked at any more; what holds is never counted. In this process alone: what passes of all of them together is still a
 * few guesses a second.
 */
export class FailedCredentials {
  /** Whether any address has failed lately: who succeeds pays for no more than asking this. */
  any = false
  readonly #rate: FailureRate | null
  readonly #clock: SteadyClock
  readonly #limiter: LocalLimiter | null
  readonly #decision = emptyDecision()
  /** From then on all is forgiven. */
  #until = 0

  /**
   * @param rate `null`: failing is not limited
   * @param previous of the gateway whose place is taken: a reload forgives nobody
   * @param now milliseconds of a clock that nobody sets
   */
  constructor(rate: FailureRate | null, previous: FailedCredentials | null = null, now?: () => number) {
    this.#rate = rate
    if (previous !== null && JSON.stringify(previous.#rate) === JSON.stringify(rate)) {
      this.#clock = previous.#clock
      this.#limiter = previous.#limiter
      this.#until = previous.#until
      this.any = previous.any
      return
    }
    this.#clock = new SteadyClock(now)
    this.#limiter =
      rate === null
        ? null
        : new LocalLimiter({ pace: paceOf(rate, rate.count), clock: this.#clock, maxKeys: MOST_ADDRESSES })
  }

  /** @returns that too much from there has failed */
  refusal({ clientAddress }: Exchange): GatewayError | undefined {
    if (this.#limiter === null) return undefined
    if (this.#clock.now() >= this.#until) {
      this.any = false
      return undefined
    }
    this.#limiter.take(subnetOf(clientAddress, IPV6_SUBNET), 0, this.#decision)
    if (this.#decision.allowed) return undefined
    const after = String(Math.max(1, Math.ceil(this.#decision.waitMs / 1000)))
    const error: GatewayError = new TooManyFailuresError(after)
    error.fields = ['retry-after', after]
    return error
  }

  /** Those that are wrong or unknown. @returns that too much had failed before */
  add(exchange: Exchange, error: GatewayError): GatewayError | undefined {
    if (this.#limiter === null || this.#rate === null) return undefined
    if (!(error instanceof CredentialsInvalidError)) return undefined
    const refusal = this.any ? this.refusal(exchange) : undefined
    this.#limiter.charge(subnetOf(exchange.clientAddress, IPV6_SUBNET), 1)
    this.any = true
    // A full bucket, and the most that may be owed.
    this.#until = this.#clock.now() + 2 * this.#rate.windowMs
    return refusal
  }
}
