import { PERIOD_UNITS } from './clock.ts'
import { KeyTable } from './key-table.ts'
import { lend, type Loan, type LoanRequest } from './lending.ts'

/** Limits that may have been asked for: a configuration has some, and each reload that changes some adds to them. */
const MOST_LIMITS = 4096

/** Limits of all processes of one machine, in the memory of the one that looks after them. */
export class MemoryLedger {
  readonly #now: () => number
  readonly #maxKeys: number
  readonly #tables = new Map<string, KeyTable>()

  constructor({ now = () => performance.now(), maxKeys = 1_000_000 }: { now?: () => number; maxKeys?: number } = {}) {
    this.#now = now
    this.#maxKeys = maxKeys
  }

  /** @param members processes that share */
  settle(requests: readonly LoanRequest[], members: number): Loan[] {
    return requests.map((request) => this.#lend(request, members))
  }

  #lend(request: LoanRequest, members: number): Loan {
    const table = this.#table(request.limit)
    const asked = request.period === null ? this.#now() : request.period.now
    const known = table.seek(request.key, asked)
    // A process whose clock is behind, or that asks late, goes on in the period that others have begun.
    const now = request.period === null ? asked : Math.max(asked, Math.floor(known / PERIOD_UNITS) * PERIOD_UNITS)
    const { tat, ...loan } = lend({ tat: known, now }, request, members)
    table.put(tat)
    return loan
  }

  #table(limit: string): KeyTable {
    let table = this.#tables.get(limit)
    if (table === undefined) {
      const [oldest] = this.#tables.keys()
      if (this.#tables.size >= MOST_LIMITS && oldest !== undefined) this.#tables.delete(oldest)
      this.#tables.set(limit, (table = new KeyTable({ maxKeys: this.#maxKeys })))
    }
    return table
  }
}
