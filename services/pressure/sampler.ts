import type { Pressure } from './pressure.ts'
import type { Sensors } from './readings.ts'

/**
 * Looks at the process at an interval, and tells a `Pressure` what it sees. Whoever makes it closes it; it keeps no process
 * alive.
 */
export class Sampler {
  readonly #sensors: Sensors
  readonly #timer: NodeJS.Timeout

  /** @param sensors are closed with it */
  constructor(pressure: Pressure, sensors: Sensors) {
    this.#sensors = sensors
    this.#timer = setInterval(() => pressure.sampled(sensors.read()), pressure.options.sampleIntervalMs).unref()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#sensors.close()
  }
}
