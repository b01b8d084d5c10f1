/** What a limit says to one request. One object is used again for the next. */
export interface Decision {
  allowed: boolean
  /** Units that are left; of a shared limit, as far as this process knows. */
  left: number
  /** Milliseconds until there is one more than are left, or, where the request was refused, until it would pass. */
  waitMs: number
}

export function emptyDecision(): Decision {
  return { allowed: true, left: 0, waitMs: 0 }
}

/** How a limit decides: in this process, by tokens that it has been lent, or by asking. */
export interface Limiter {
  /**
   * Uses `cost` units of a key, where they are there. A cost of 0 asks whether there is any.
   *
   * @returns where it has to ask elsewhere, a promise of the decision that never rejects; else it is in `into`
   */
  take(key: string, cost: number, into: Decision): Promise<Decision> | undefined
  /** Gives back what was taken: another limit has refused the request. */
  giveBack(key: string, cost: number): void
  /** Charges what has been used, whether or not it is there: the next requests have it to wait for. */
  charge(key: string, cost: number): void
  /** Keys that are known to have used something. */
  keys(): number
  close(): Promise<void>
}
