/** Keys that are counted at a time. */
const COUNTED = 64

/**
 * Which keys were refused most often, in bounded memory (the Space-Saving algorithm, Metwally et al. 2005): a key that is not
 * counted takes the place of the least, and its count. What is often refused is always among them.
 */
export class TopKeys {
  readonly #counts = new Map<string, number>()

  add(key: string): void {
    const count = this.#counts.get(key)
    if (count !== undefined) this.#counts.set(key, count + 1)
    else if (this.#counts.size < COUNTED) this.#counts.set(key, 1)
    else {
      let least: string | undefined
      let fewest = Number.POSITIVE_INFINITY
      for (const [other, times] of this.#counts) {
        if (times >= fewest) continue
        fewest = times
        least = other
      }
      this.#counts.delete(least as string)
      this.#counts.set(key, fewest + 1)
    }
  }

  /** The most frequent first. */
  list(most: number): { key: string; count: number }[] {
    return [...this.#counts]
      .map(([key, count]) => ({ key, count }))
      .sort((a, b) => b.count - a.count)
      .slice(0, most)
  }
}
