import { CalendarClock, type Period } from './clock.ts'
import { KeyTable } from './key-table.ts'
import { SYSTEM_TIMES, type Times } from './limit.ts'
import { lend, type Loan, type LoanRequest } from './lending.ts'

/** Limits that may have been asked for: a configuration has some, and each reload that changes some adds to them. */
const MOST_LIMITS = 4096

/** Limits of all processes of one machine, in the memory of the one that looks after them. */
export class MemoryLedger {
  readonly #now: () => number
  readonly #calendars: Record<Period, CalendarClock>
  readonly #maxKeys: number
  readonly #tables = new Map<string, KeyTable>()

  constructor({ steady, wall, maxKeys = 1_000_000 }: Partial<Times> & { maxKeys?: number } = {}) {
    this.#now = steady ?? SYSTEM_TIMES.steady
    this.#calendars = { day: new CalendarClock('day', wall), month: new CalendarClock('month', wall) }
    this.#maxKeys = maxKeys
  }

  /** @param members processes that share */
  settle(requests: readonly LoanRequest[], members: number): Loan[] {
    return requests.map((request) => this.#lend(request, members))
  }

  #lend(request: LoanRequest, members: number): Loan {
    const table = this.#table(request.limit)
    const calendar = request.period === null ? null : this.#calendars[request.period]
    const now = calendar?.now() ?? this.#now()
    const { tat, ...loan } = lend({ tat: table.seek(request.key, now), now }, request, members)
    table.put(tat)
    return calendar === null || loan.wait === 0 ? loan : { ...loan, wait: calendar.inMs() }
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
