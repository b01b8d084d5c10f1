import { BLAMELESS, type Outcome } from './snapshot.ts'
import type { Target } from './target.ts'

/** How an attempt at a target has ended. */
export interface AttemptEnd {
  outcome: Outcome
  /** Of its response; 0 without one. */
  status: number
  /** To the response head, or to how else it ended. */
  ms: number
  /** What its target's breaker gave it; 0 where there is none. */
  ticket: number
}

/** Learns from requests how targets do. */
export interface AttemptWatcher {
  /** The head of an answer has come; `attempted` follows at its end. */
  answered(target: Target, head: Pick<AttemptEnd, 'status' | 'ticket'>): void
  attempted(target: Target, end: AttemptEnd): void
}

/** Whether an attempt that has ended speaks for its target or against it; `undefined` where it says nothing. */
export function verdictOf(
  { outcome, status }: Pick<AttemptEnd, 'outcome' | 'status'>,
  failureStatuses: ReadonlySet<number>,
): 'success' | 'failure' | undefined {
  if (outcome === 'queue_full' || BLAMELESS.has(outcome)) return undefined
  return outcome !== 'response' || failureStatuses.has(status) ? 'failure' : 'success'
}
