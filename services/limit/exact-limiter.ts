import type { LimitClock, Period } from './clock.ts'
import { type Decision, emptyDecision, type Limiter } from './decision.ts'
import { atMost, type Errands } from './errands.ts'
import type { Pace } from './gcra.ts'
import type { Loan, LoanRequest } from './lending.ts'
import { LocalLimiter } from './local-limiter.ts'

export interface SharedLimit {
  /** Of the limit and its settings. */
  id: string
  pace: Pace
  clock: LimitClock
  /** Of a quota. */
  period: Period | null
  maxKeys: number
}

/** What is asked about a key of a limit. */
export function requestOf(
  { id, pace, period }: SharedLimit,
  key: string,
  { used, need, want }: Pick<LoanRequest, 'used' | 'need' | 'want'>,
): LoanRequest {
  return { limit: id, key, pace, period, used, need, want }
}

/**
 * A limit that is asked for with each request: as exact as the ledger is. It waits 50 ms at most for Redis, and decides by itself then,
 * or where the ledger is away: by what all had used when the ledger said so last, and what has passed here.
 */
export class ExactLimiter implements Limiter {
  readonly #limit: SharedLimit
  readonly #errands: Errands
  readonly #local: LocalLimiter
  readonly #alone: () => void

  /** @param alone told of each decision that was made without the ledger */
  constructor(limit: SharedLimit, { errands, alone }: { errands: Errands; alone: () => void }) {
    this.#limit = limit
    this.#errands = errands
    this.#alone = alone
    this.#local = new LocalLimiter(limit)
  }

  take(key: string, cost: number, into: Decision): Promise<Decision> | undefined {
    if (this.#errands.usable) return this.#ask(key, cost)
    this.#decideAlone(key, cost, into)
    return undefined
  }

  giveBack(key: string, cost: number): void {
    this.charge(key, -cost)
  }

  charge(key: string, cost: number): void {
    this.#local.charge(key, cost)
    this.#tell(key, cost)
  }

  keys(): number {
    return this.#local.keys()
  }

  async close(): Promise<void> {}

  #decideAlone(key: string, cost: number, into: Decision): void {
    this.#alone()
    this.#local.take(key, cost, into)
    if (into.allowed && cost > 0) this.#tell(key, cost)
  }

  #tell(key: string, used: number): void {
    this.#errands.add({
      request: () => requestOf(this.#limit, key, { used, need: 0, want: 0 }),
      // What could not be told is lost: nobody asks any more.
      done: () => undefined,
    })
  }

  async #ask(key: string, cost: number): Promise<Decision> {
    let answer: Loan | null = null
    let late = false
    const wait = atMost(this.#errands.deadlineMs)
    const done = (loan: Loan | null): void => {
      answer = loan
      // It has been decided without it.
      if (late && loan !== null && loan.granted > 0) this.#tell(key, -loan.granted)
      wait.call()
    }
    const request = (): LoanRequest => requestOf(this.#limit, key, { used: 0, need: cost, want: cost })
    if (this.#errands.add({ request, done })) await wait.promise
    else wait.call()
    late = true
    if (answer !== null) return this.#follow(answer, key, cost)
    const decision = emptyDecision()
    this.#decideAlone(key, cost, decision)
    return decision
  }

  #follow({ granted, left, wait }: Loan, key: string, cost: number): Decision {
    const { pace, clock, period } = this.#limit
    const units = granted === 0 ? Math.max(cost, 1) : 0
    const isExact = wait > 0 && period === null
    // In the clock's units: how far the bucket is from being full.
    const ahead = isExact ? wait + (pace.burst - units) * pace.interval : (pace.burst - left) * pace.interval
    this.#local.heard(key, ahead)
    if (cost === 0 ? left > 0 : granted > 0) {
      return { allowed: true, left, waitMs: left < pace.burst ? clock.inMs(pace.interval) : 0 }
    }
    return { allowed: false, left, waitMs: wait }
  }
}
