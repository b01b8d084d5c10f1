import { SlidingCount } from '../sliding-count.ts'
import type { BudgetOptions } from './options.ts'

const WINDOW_MS = 10_000

/**
 * How much may be sent again: a share of what was asked in the last ten seconds, and a few a second in any case. A bucket
 * that is as deep as its window: a quiet upstream saves up nothing for its outage.
 */
export class RetryBudget {
  /** How often there was nothing left. */
  denied = 0
  readonly #options: BudgetOptions
  readonly #requests = new SlidingCount(WINDOW_MS)
  readonly #spent = new SlidingCount(WINDOW_MS)

  constructor(options: BudgetOptions) {
    this.#options = options
  }

  /** A client asks for something. @param now milliseconds that only grow */
  earn(now: number): void {
    this.#requests.add(now)
  }

  /** @returns whether one more may be sent; it is then spent */
  spend(now: number): boolean {
    const { ratio, perSecond } = this.#options
    const allowed = ratio * this.#requests.sum(now) + (perSecond * WINDOW_MS) / 1000
    if (this.#spent.sum(now) + 1 > allowed) {
      this.denied++
      return false
    }
    this.#spent.add(now)
    return true
  }
}
