/** Learned at a time, on this process's clock. */
interface Learned {
  at: number
  position: number
}

/**
 * What this process knew of purges when: a request that was sent at a time was sent after every purge that was known
 * before that time. That says which purges a response is later than without comparing clocks of machines.
 *
 * Bounded: before the oldest that is remembered nothing counts as known, which only makes more count as purged.
 */
export class Positions {
  readonly #capacity: number
  readonly #learned: Learned[] = []
  /** The latest time seen. A clock that was set back says nothing of requests before this. */
  #latest = -Infinity
  #unclear = -Infinity

  constructor(options: { capacity?: number } = {}) {
    this.#capacity = options.capacity ?? 1024
  }

  /** The last position known; 0 for none. */
  get last(): number {
    return this.#learned.at(-1)?.position ?? 0
  }

  learn(position: number, now: number): void {
    this.#see(now)
    if (position <= this.last) return
    this.#learned.push({ at: now, position })
    if (this.#learned.length > this.#capacity) this.#learned.shift()
  }

  /** The position that a request sent at this time is known to be later than. */
  before(requestedAt: number, now: number): number {
    this.#see(now)
    if (requestedAt <= this.#unclear || requestedAt > now) return 0
    for (let i = this.#learned.length - 1; i >= 0; i--) {
      const { at, position } = this.#learned[i] as Learned
      // In the same millisecond either may have come first.
      if (at < requestedAt) return position
    }
    return 0
  }

  #see(now: number): void {
    if (now < this.#latest) {
      this.#unclear = this.#latest
      // Times of before would stand for later ones now.
      const position = this.last
      this.#learned.length = 0
      if (position > 0) this.#learned.push({ at: now, position })
    }
    this.#latest = now
  }
}
