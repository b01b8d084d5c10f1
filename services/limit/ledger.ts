import type { Loan, LoanRequest } from './lending.ts'

/** Who keeps the limits that several processes share. */
export interface Ledger {
  /** Says who it is in metrics: `redis`, `supervisor`. */
  readonly name: string
  /** Whether there is a point in asking. */
  readonly ready: boolean
  /** Why nothing is shared; `null` where it is, as far as is known. */
  readonly reason?: string | null
  /** Processes that share the limits; Infinity while that is not known. */
  readonly members: number
  /** No request waits longer for its answer (ms), and is decided where it is then. Default: 50. */
  readonly waitMs?: number
  /** @returns a loan for each, in order; `null` for one that could not be dealt with. @throws where none was */
  settle(requests: readonly LoanRequest[]): Promise<readonly (Loan | null)[]>
  close(): Promise<void>
}
