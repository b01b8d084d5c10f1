/**
 * Memory that all bodies on their way into the store may hold together. Without it, as many large answers as clients can
 * ask for at once would be kept, each within its own limit. What finds it exhausted goes on to its clients, not stored.
 */
export class FillBudget {
  /** Bytes held now. */
  held = 0
  readonly #limit: number

  /** @param limit in bytes */
  constructor(limit: number) {
    this.#limit = limit
  }

  get exhausted(): boolean {
    return this.held > this.#limit
  }
}
