import { Eldest } from '../lifetime/eldest.ts'

/** How long a key is remembered as not shareable. */
const REMEMBERED_MS = 120_000
/** Of a longer key each request waits for the last: nobody fills the memory with URLs of any length. */
const LONGEST = 2048

/**
 * Keys whose answers proved not to be shareable (hit-for-miss): their requests do not wait for each other. Bounded: the
 * oldest is forgotten first, which costs one request more that waits.
 */
export class PassMemory {
  readonly #until = new Map<string, number>()
  readonly #eldest = new Eldest(this.#until)
  readonly #capacity: number

  constructor(capacity = 4096) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#until.size
  }

  /** @param now milliseconds since 1970 */
  has(key: string, now: number): boolean {
    const until = this.#until.get(key)
    if (until === undefined) return false
    if (now < until) return true
    this.#until.delete(key)
    return false
  }

  remember(key: string, now: number): void {
    if (key.length > LONGEST) return
    this.#until.delete(key)
    if (this.#until.size >= this.#capacity) this.#until.delete(this.#eldest.next() as string)
    this.#until.set(key, now + REMEMBERED_MS)
  }

  /** What was stored since proves it shareable. */
  forget(key: string): void {
    if (this.#until.size > 0) this.#until.delete(key)
  }
}
