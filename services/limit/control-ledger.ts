import type { Ledger } from './ledger.ts'
import type { Loan, LoanRequest } from './lending.ts'

/** What the process that looks after the others says. */
export interface Loans {
  loans: Loan[]
  /** Processes that share. */
  members: number
}

/** Longer than any request waits; whoever answers later is as good as away. */
const PATIENCE_MS = 2_000
/** How long it is left alone then. */
const RESPITE_MS = 1_000

/** Limits of the processes of one machine, kept by the one that looks after them. */
export class ControlLedger implements Ledger {
  readonly name = 'supervisor'
  /**
   * More than for Redis: where another process of this machine is late, this one has no time either. While processes start, their first
   * answers take some hundred milliseconds, in which each would else let pass the whole limit by itself.
   */
  readonly waitMs = 500
  readonly #ask: (requests: readonly LoanRequest[]) => Promise<Loans>
  readonly #now: () => number
  #members = Number.POSITIVE_INFINITY
  #awayUntil = 0

  constructor(ask: (requests: readonly LoanRequest[]) => Promise<Loans>, now: () => number = () => performance.now()) {
    this.#ask = ask
    this.#now = now
  }

  get ready(): boolean {
    return this.#now() >= this.#awayUntil
  }

  get members(): number {
    return this.#members
  }

  async settle(requests: readonly LoanRequest[]): Promise<readonly (Loan | null)[]> {
    const late = Promise.withResolvers<null>()
    const timer = setTimeout(late.resolve, PATIENCE_MS, null)
    try {
      const answer = await Promise.race([this.#ask(requests), late.promise])
      if (answer === null) return this.#isAway(requests)
      this.#members = answer.members
      return answer.loans
    } catch {
      // Why is told by the control port.
      return this.#isAway(requests)
    } finally {
      clearTimeout(timer)
    }
  }

  async close(): Promise<void> {}

  #isAway(requests: readonly LoanRequest[]): null[] {
    this.#awayUntil = this.#now() + RESPITE_MS
    return requests.map(() => null)
  }
}
