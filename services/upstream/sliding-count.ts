const SLOTS = 10

/** How often something has happened in the last while, to a tenth of it. Ten numbers, whatever the rate. */
export class SlidingCount {
  readonly #slotMs: number
  readonly #slots = new Float64Array(SLOTS)
  /** Of the clock: the one that is being counted in. */
  #slot = 0
  #sum = 0

  constructor(windowMs: number) {
    this.#slotMs = windowMs / SLOTS
  }

  /** @param now on a clock that only grows; a little behind what was said before does no harm */
  add(now: number, count = 1): void {
    this.#advance(now)
    this.#slots[this.#slot % SLOTS]! += count
    this.#sum += count
  }

  /** The window ends now. */
  sum(now: number): number {
    this.#advance(now)
    return this.#sum
  }

  clear(): void {
    this.#slots.fill(0)
    this.#sum = 0
  }

  #advance(now: number): void {
    const slot = Math.floor(now / this.#slotMs)
    if (slot <= this.#slot) return
    if (slot - this.#slot >= SLOTS) {
      this.clear()
    } else {
      for (let passed = this.#slot + 1; passed <= slot; passed++) {
        this.#sum -= this.#slots[passed % SLOTS]!
        this.#slots[passed % SLOTS] = 0
      }
    }
    this.#slot = slot
  }
}
