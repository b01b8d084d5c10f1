/** Between two looks that tokens of unknown keys cause, at one set of keys; and two refreshes of a session by its cookie. */
export const UNKNOWN_KEY_PAUSE_MS = 30_000

/**
 * Whose turn it is to look at a set of keys because of an unknown one, or to refresh a session: nobody's for 30 s after the
 * last. Kept by whoever looks after the processes of a machine.
 */
export class Turns {
  readonly #now: () => number
  /** By source: when the next turn is. */
  readonly #next = new Map<string, number>()

  /** @param now milliseconds that only grow */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** @returns 0: it is the caller's; else milliseconds until the next one */
  take(source: string): number {
    const now = this.#now()
    const next = this.#next.get(source) ?? now
    if (next > now) return next - now
    // In the order in which they were taken.
    for (const [other, at] of this.#next) {
      if (at > now) break
      this.#next.delete(other)
    }
    this.#next.set(source, now + UNKNOWN_KEY_PAUSE_MS)
    return 0
  }
}
