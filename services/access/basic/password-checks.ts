import { isPassword } from './password.ts'

export interface PasswordChecksOptions {
  /** At a time. */
  concurrency: number
  /** Waiting beyond those. */
  queue: number
}

/**
 * Checks passwords, a few at a time: each takes a thread of libuv's pool, which the system's names and files are looked up by
 * too, and a flood of guesses must not take them all.
 */
export class PasswordChecks {
  /** Begun so far, for whomever. */
  begun = 0
  readonly #options: PasswordChecksOptions
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(options: PasswordChecksOptions) {
    this.#options = options
  }

  /** @returns `undefined` where too many wait already */
  check(password: string, hashed: string): Promise<boolean> | undefined {
    const { concurrency, queue } = this.#options
    if (this.#running >= concurrency && this.#waiting.length >= queue) return undefined
    return this.#run(password, hashed)
  }

  async #run(password: string, hashed: string): Promise<boolean> {
    if (this.#running >= this.#options.concurrency) await new Promise<void>((go) => this.#waiting.push(go))
    else this.#running++
    this.begun++
    try {
      return await isPassword(password, hashed)
    } finally {
      // Its place goes on to the next, if any.
      const next = this.#waiting.shift()
      if (next === undefined) this.#running--
      else next()
    }
  }
}
