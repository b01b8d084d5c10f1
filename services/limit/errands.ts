import type { Ledger } from './ledger.ts'
import type { Loan, LoanRequest } from './lending.ts'

/** Something to ask of the ledger. */
export interface Errand {
  /** What, at the time it is sent. */
  request(): LoanRequest
  /**
   * @param loan `null` where the ledger could not be asked
   * @param sentAt when it was sent, on the clock of this process: the ledger's own was no earlier
   */
  done(loan: Loan | null, sentAt: number): void
}

/** No request waits longer for what is shared over a network. */
const DEADLINE_MS = 50
/** Errands that may wait for the one batch that is under way. */
const MOST_WAITING = 100_000
const MOST_IN_A_BATCH = 1_000

/** How this process does with the ledger. */
export interface ErrandCounters {
  /** Errands that were answered. */
  done: number
  /** Errands that were not. */
  failed: number
}

/**
 * Takes errands to the ledger, those of one turn together, and one batch at a time: what comes meanwhile goes with the next.
 */
export class Errands {
  readonly ledger: Ledger
  /** No request waits longer, in ms. */
  readonly deadlineMs: number
  readonly counters: ErrandCounters = { done: 0, failed: 0 }
  /** Milliseconds of a clock that nobody sets. */
  readonly now: () => number
  #waiting: Errand[] = []
  /** When the batch that is under way was sent; 0: none is. */
  #sentAt = 0
  #idle: PromiseWithResolvers<void> | null = null

  constructor(ledger: Ledger, now: () => number = () => performance.now()) {
    this.ledger = ledger
    this.deadlineMs = ledger.waitMs ?? DEADLINE_MS
    this.now = now
  }

  /** Whether a request may wait for an answer. */
  get usable(): boolean {
    return this.ledger.ready && (this.#sentAt === 0 || this.now() - this.#sentAt < this.deadlineMs)
  }

  /** @returns whether it will be taken there; else it is not kept */
  add(errand: Errand): boolean {
    if (!this.ledger.ready || this.#waiting.length >= MOST_WAITING) return false
    if (this.#waiting.push(errand) === 1 && this.#sentAt === 0) queueMicrotask(() => void this.#run())
    return true
  }

  /** Resolves when nothing is under way. */
  async settled(): Promise<void> {
    if (this.#waiting.length === 0 && this.#sentAt === 0) return
    this.#idle ??= Promise.withResolvers()
    await this.#idle.promise
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) await this.#send(this.#waiting.splice(0, MOST_IN_A_BATCH))
    this.#idle?.resolve()
    this.#idle = null
  }

  async #send(batch: readonly Errand[]): Promise<void> {
    const sentAt = this.now()
    this.#sentAt = sentAt
    let loans: readonly (Loan | null)[] = []
    try {
      loans = await this.ledger.settle(batch.map((errand) => errand.request()))
    } catch {
      // Counted below; the ledger says by itself why it is away.
    }
    this.#sentAt = 0
    for (const [index, errand] of batch.entries()) {
      const loan = loans[index] ?? null
      if (loan === null) this.counters.failed++
      else this.counters.done++
      errand.done(loan, sentAt)
    }
  }
}

/** Until somebody calls, or the time is over; never rejects. @returns what to call */
export function atMost(ms: number): { promise: Promise<void>; call: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  return {
    promise,
    call: () => {
      clearTimeout(timer)
      resolve()
    },
  }
}
