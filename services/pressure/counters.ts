import { CLASSES, type ClassIndex } from './classes.ts'
import { type Reason, REASONS } from './readings.ts'

/** What has passed and what was turned away, in plain numbers: classes by reasons, 42 of them, whoever calls. */
export class PressureCounters {
  readonly admitted = new Float64Array(CLASSES.length)
  readonly #shed = new Float64Array(CLASSES.length * REASONS.length)

  shed(index: ClassIndex, reason: number): void {
    this.#shed[index * REASONS.length + reason]!++
  }

  shedOf(index: ClassIndex, reason: Reason): number {
    return this.#shed[index * REASONS.length + REASONS.indexOf(reason)]!
  }
}
