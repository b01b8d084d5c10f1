import type { Clock } from '../clock.ts'

/** What takes its share little by little. */
export interface Ramped {
  /** How much of its share it has now: 0…1. */
  ramp: number
}

const STEPS = 10

/** Gives a target that has come, or come back, its share in ten steps: caches are cold there, and code is not compiled. */
export class SlowStart {
  readonly #stepMs: number
  readonly #clock: Clock
  readonly #changed: () => void
  readonly #running = new Map<Ramped, () => void>()

  /** @param options.durationMs 0: all at once */
  constructor({ durationMs, clock, changed }: { durationMs: number; clock: Clock; changed: () => void }) {
    this.#stepMs = durationMs / STEPS
    this.#clock = clock
    this.#changed = changed
  }

  begin(target: Ramped): void {
    if (this.#stepMs === 0) return
    this.end(target)
    this.#step(target, 1)
  }

  /** Its share is whole, or it is gone. */
  end(target: Ramped): void {
    this.#running.get(target)?.()
    this.#running.delete(target)
    target.ramp = 1
  }

  #step(target: Ramped, step: number): void {
    target.ramp = step / STEPS
    this.#changed()
    if (step === STEPS) this.#running.delete(target)
    else
      this.#running.set(
        target,
        this.#clock.after(this.#stepMs, () => this.#step(target, step + 1)),
      )
  }
}
