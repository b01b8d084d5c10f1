import { Eldest } from '../lifetime/eldest.ts'

interface Verdict<T> {
  value: T
  /** Epoch, ms. */
  until: number
}

/**
 * What was found out about credentials, by their digest, so that the next request with the same ones is decided at once.
 * Bounded: of too many, the one that was found out first goes. Nothing outlives its time, or {@link forget}.
 */
export class Verdicts<T> {
  readonly #most: number
  #known = new Map<string, Verdict<T>>()
  #eldest = new Eldest(this.#known)
  /** Grows with each {@link forget}: what was begun before is not kept. */
  #generation = 0
  hits = 0
  misses = 0

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#known.size
  }

  get generation(): number {
    return this.#generation
  }

  /** @param now epoch, ms */
  get(digest: string, now: number): T | undefined {
    const verdict = this.#known.get(digest)
    if (verdict !== undefined) {
      if (now < verdict.until) {
        this.hits++
        return verdict.value
      }
      this.#known.delete(digest)
    }
    this.misses++
    return undefined
  }

  /** @param generation as it was when finding out began; that of another time is not kept */
  keep(digest: string, verdict: Verdict<T>, generation: number): void {
    if (generation !== this.#generation || this.#most === 0) return
    // A new place in the order for what was found out anew.
    this.#known.delete(digest)
    if (this.#known.size >= this.#most) this.#known.delete(this.#eldest.next() as string)
    this.#known.set(digest, verdict)
  }

  /** What was judged by may be another now: a key, a consumer, a revocation. */
  forget(): void {
    this.#generation++
    this.#known = new Map()
    this.#eldest = new Eldest(this.#known)
  }
}
