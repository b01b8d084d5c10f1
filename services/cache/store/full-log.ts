export interface FullLogOptions {
  log: Record<'info' | 'warn', (details: object, message: string) => void>
  /** Milliseconds that only grow. */
  clock: () => number
  /** Told with each line. */
  details: object
  /** What is said when nothing can be stored, and when it can be again. */
  messages: { full: string; again: string }
}

const LOG_EVERY_MS = 60_000

/** Of a store that is nearly full one write succeeds and the next does not: the log has that once a minute. */
export class FullLog {
  readonly #options: FullLogOptions
  #isLogged = false
  #from = -Infinity

  constructor(options: FullLogOptions) {
    this.#options = options
  }

  /** @param reason why nothing is stored; `null`: it is again */
  told(reason: string | null): void {
    const { log, clock, details, messages } = this.#options
    if (reason === null) {
      if (this.#isLogged) log.info({ ...details, reason }, messages.again)
      this.#isLogged = false
    } else if (clock() >= this.#from) {
      log.warn({ ...details, reason }, messages.full)
      this.#isLogged = true
      this.#from = clock() + LOG_EVERY_MS
    }
  }
}
