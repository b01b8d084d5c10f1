/** The arithmetic of a report. */

/** The middle of several values, and how far they lie apart. */
export interface Spread {
  median: number
  least: number
  greatest: number
  /** Between these lies the median of what was measured, with a confidence of 95 %. Null with less than six values. */
  interval: readonly [number, number] | null
}

/** What of a round a ratio is made of. */
export interface Costed {
  cpuMicrosPerRequest: number
  /** Why the round does not count; null when it does. */
  invalid: string | null
}

/** The middle value; NaN of nothing. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length % 2 === 1) return sorted[middle]!
  return sorted.length === 0 ? Number.NaN : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** How far a median may be off by chance: 2.5 % on either side. */
const TAIL = 0.025

/**
 * The confidence interval of a median by the sign test: how many values lie on either side of it is binomial, whatever
 * their distribution (Conover, Practical Nonparametric Statistics, §3.2).
 *
 * @returns null when the values are too few for any
 */
export function medianInterval(values: readonly number[]): [number, number] | null {
  const sorted = values.toSorted((a, b) => a - b)
  const { length } = sorted
  let term = 0.5 ** length
  let below = term
  let rank = 0
  while (below <= TAIL) {
    term *= (length - rank) / (rank + 1)
    below += term
    rank++
  }
  return rank === 0 ? null : [sorted[rank - 1]!, sorted[length - rank]!]
}

/**
 * Requests per CPU-second over another's, round by round: what drifts on the machine meets both alike. A round counts
 * when it is valid on both sides.
 *
 * @returns null when no round counts
 */
export function ratio(rounds: readonly Costed[], over: readonly Costed[]): Spread | null {
  const ratios = rounds.flatMap((round, i) => {
    const other = over[i]
    const counts = other !== undefined && round.invalid === null && other.invalid === null
    return counts ? [other.cpuMicrosPerRequest / round.cpuMicrosPerRequest] : []
  })
  if (ratios.length === 0) return null
  return {
    median: median(ratios),
    least: Math.min(...ratios),
    greatest: Math.max(...ratios),
    interval: medianInterval(ratios),
  }
}
