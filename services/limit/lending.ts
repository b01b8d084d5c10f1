import type { Period } from './clock.ts'
import { charge, type Pace, unitsLeft, waitFor } from './gcra.ts'

/** What one process asks of whoever keeps a limit for all. */
export interface LoanRequest {
  /** Of the limit and its settings: another rate is another bucket. */
  limit: string
  key: string
  pace: Pace
  /** Of a quota. It is counted, as everything is, by the keeper's own clock: those of machines differ. */
  period: Period | null
  /** Units that were used without having been lent, less those that are given back. */
  used: number
  /** Fewer are of no use now; 0: it is only told what was used. */
  need: number
  /** As many would be welcome. */
  want: number
}

/**
 * What is lent: so many units, each of which is a slot of the limit's virtual time, from `start` on, `now` being the clock of
 * who lends. A slot can be used until its time has passed, and then is lost, as what a full bucket would have been given is.
 */
export interface Loan {
  granted: number
  start: number
  now: number
  /** Units that are left for others. */
  left: number
  /** Where nothing is granted: milliseconds until what is needed is there; else 0. */
  wait: number
}

/**
 * Lends from a bucket.
 *
 * Every slot is lent once. So of all processes together, in any time `t`, no more pass than of one with this bucket for
 * itself: `burst + t / interval`. To it comes what they use before they ask ({@link overdraft}), and what they use late
 * ({@link graceOf}): less than a twentieth of limits of 100 and more.
 *
 * @param members who shares the bucket: none gets more than half of an equal share of what is left, while there is much
 * @returns the loan, and the bucket's new theoretical arrival time
 */
export function lend(
  { tat, now }: { tat: number; now: number },
  { pace, used, need, want }: Pick<LoanRequest, 'pace' | 'used' | 'need' | 'want'>,
  members: number,
): Loan & { tat: number } {
  const start = charge(pace, tat, now, used)
  const left = unitsLeft(pace, start, now)
  const share = members > 1 ? Math.floor(left / (2 * members)) : left
  const granted = need === 0 || left < need ? 0 : Math.max(need, Math.min(want, share))
  const next = start + granted * pace.interval
  const wait = granted === 0 ? waitFor(pace, next, now, Math.max(need, 1)) : 0
  return { granted, start, now, left: left - granted, wait, tat: next }
}

/** The share of a limit that processes may use together before they have asked. */
const BEFORE_ASKING = 0.025
/** The share of a window for which what is lent may be late. */
const LATE = 0.02
const LATEST_MS = 100

/**
 * What one of so many processes may let pass of a key that it knows nothing of, while it asks. All of them together: a
 * fortieth of the limit at most. Where that is no whole unit for each, all ask first.
 */
export function overdraft({ burst, debt }: Pace, members: number): number {
  return Math.floor((BEFORE_ASKING * Math.min(burst, debt)) / members)
}

/**
 * For how long a unit that is lent may be used after its time: what is lent by a full bucket would else be lost on its way.
 * In that time a fiftieth of the limit comes back at most, or one unit; so much more than the limit may pass.
 */
export function graceOf({ interval, debt }: Pace): number {
  return Math.max(interval, Math.min(LATEST_MS, LATE * interval * debt))
}
