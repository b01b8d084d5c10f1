/** The arithmetic of a report. */

/** The middle of several values, and how far they lie apart. */
export interface Spread {
  median: number
  least: number
  greatest: number
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
  return { median: median(ratios), least: Math.min(...ratios), greatest: Math.max(...ratios) }
}
