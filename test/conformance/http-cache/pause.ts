/**
 * One pause for many: time passes once all who are here have come to their pause, or have left. So hundreds of cases that
 * each wait three seconds twice take six seconds.
 */
export class SharedPause {
  readonly #pass: () => Promise<void>
  #present: number
  #waiting: (() => void)[] = []

  /** @param pass makes time pass */
  constructor(present: number, pass: () => Promise<void>) {
    this.#present = present
    this.#pass = pass
  }

  /** Resolves when time has passed. Counts for the one on whose behalf it is called. */
  wait(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    this.#check()
    return promise
  }

  /** One is done, and is waited for no longer. */
  leave(): void {
    this.#present--
    this.#check()
  }

  #check(): void {
    if (this.#waiting.length === 0 || this.#waiting.length < this.#present) return
    const woken = this.#waiting
    this.#waiting = []
    void this.#pass().then(() => {
      for (const wake of woken) wake()
    })
  }
}
