/** `full`: there is no room to remember it, so that it must not be accepted. */
export type Taken = 'new' | 'known' | 'full'

/**
 * What was accepted, for as long as it could be again. Two generations, of which the older one is forgotten as a whole: each
 * is remembered for one lifetime at least and two at most, and nothing is ever searched.
 */
export class ReplayMemory {
  #lifetimeMs: number
  #most: number
  #current = new Set<string>()
  #previous = new Set<string>()
  #turnsAt = -Infinity

  constructor({ lifetimeMs, most }: { lifetimeMs: number; most: number }) {
    this.#lifetimeMs = lifetimeMs
    this.#most = most
  }

  get size(): number {
    return this.#current.size + this.#previous.size
  }

  /** Other bounds from now on, for what is remembered as well. @param now milliseconds */
  rebind({ lifetimeMs, most }: { lifetimeMs: number; most: number }, now: number): void {
    this.#turn(now)
    // Not where it stays as it was: a reload now and then would put off for ever that anything is forgotten.
    if (lifetimeMs > this.#lifetimeMs) this.#turnsAt = now + lifetimeMs
    this.#lifetimeMs = lifetimeMs
    this.#most = most
  }

  /** @param now milliseconds */
  take(id: string, now: number): Taken {
    this.#turn(now)
    if (this.#current.has(id) || this.#previous.has(id)) return 'known'
    if (this.size >= this.#most) return 'full'
    this.#current.add(id)
    return 'new'
  }

  #turn(now: number): void {
    if (now < this.#turnsAt) return
    // After a long pause nothing of the last generation is of use either.
    this.#previous = now < this.#turnsAt + this.#lifetimeMs ? this.#current : new Set()
    this.#current = new Set()
    this.#turnsAt = now + this.#lifetimeMs
  }
}
