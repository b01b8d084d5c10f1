/** Waiting without sleeping: counters that resolve promises when they are reached, and quiescence. */

/** A number that only grows, and whom to tell when it reaches a value. */
export class Milestones {
  #reached = 0
  #waiting: { at: number; resolve: () => void }[] = []

  get reached(): number {
    return this.#reached
  }

  advance(): void {
    this.#reached++
    const due = this.#waiting.filter(({ at }) => at <= this.#reached)
    this.#waiting = this.#waiting.filter(({ at }) => at > this.#reached)
    for (const { resolve } of due) resolve()
  }

  wait(at: number): Promise<void> {
    if (at <= this.#reached) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push({ at, resolve })
    return promise
  }
}

/**
 * Resolves with the value of a progress counter once it has stood still for `turns` rounds of the event loop.
 * For back-pressure: everything that can move has moved. Moving without end is for the test's own timeout to catch.
 */
export function standstill(progress: () => number, turns = 40): Promise<number> {
  return new Promise((resolve) => {
    let last = progress()
    let still = 0
    const look = (): void => {
      const now = progress()
      still = now === last ? still + 1 : 0
      last = now
      if (still >= turns) resolve(now)
      else setTimeout(look, 5)
    }
    look()
  })
}
