import type { Clock } from '../../../services/upstream/clock.ts'

/** A clock that stands still until the test moves it; what is due is done on the way, in its order. */
export class HandClock implements Clock {
  #now = 0
  #tasks: { at: number; task: () => void }[] = []

  now(): number {
    return this.#now
  }

  after(ms: number, task: () => void): () => void {
    const planned = { at: this.#now + ms, task }
    this.#tasks.push(planned)
    return () => {
      this.#tasks = this.#tasks.filter((one) => one !== planned)
    }
  }

  /** How long until each thing that is planned. */
  get planned(): number[] {
    return this.#tasks.map(({ at }) => at - this.#now).toSorted((a, b) => a - b)
  }

  pass(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const [next] = this.#tasks.toSorted((a, b) => a.at - b.at)
      if (next === undefined || next.at > end) break
      this.#tasks = this.#tasks.filter((one) => one !== next)
      this.#now = next.at
      next.task()
    }
    this.#now = end
  }
}
