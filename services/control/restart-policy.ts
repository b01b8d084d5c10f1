export interface RestartOptions {
  /** Wait before the first restart of a process that crashed early. */
  firstMs: number
  /** The longest wait. */
  longestMs: number
  /** A process that ran this long is restarted at once, and its earlier crashes are forgotten. */
  stableMs: number
}

export const DEFAULT_RESTARTS: RestartOptions = { firstMs: 200, longestMs: 30_000, stableMs: 10_000 }

/**
 * How long to wait before one process is started again: at once after a long life, else twice as long each time, up to a
 * bound. It never gives up: a process that cannot start stays visible as missing.
 */
export class RestartPolicy {
  readonly #options: RestartOptions
  #early = 0

  constructor(options: RestartOptions = DEFAULT_RESTARTS) {
    this.#options = options
  }

  /** @param ranMs how long the process that ended had been serving; 0 if it never was @returns milliseconds to wait */
  delayAfter(ranMs: number): number {
    const { firstMs, longestMs, stableMs } = this.#options
    if (ranMs >= stableMs) {
      this.#early = 0
      return 0
    }
    return Math.min(longestMs, firstMs * 2 ** Math.min(this.#early++, 30))
  }
}
