import type { Clock } from '../../upstream/clock.ts'
import { UNKNOWN_KEY_PAUSE_MS } from './turns.ts'

export interface UnknownKeysOptions {
  clock: Clock
  /** How long somebody who looks may take. */
  timeoutMs: number
  /** Whose turn it is, of all processes: 0, or milliseconds until the next turn. Where nobody knows it is ours. */
  takeTurn: () => Promise<number>
  /** Looks, and tells the others. */
  look: () => Promise<void>
}

/**
 * A token names a key that is not there: the keys may have been rotated. Of all processes that share their turns one looks,
 * once in 30 s, and the others wait for what it says; whatever tokens name, they cause no more requests than that.
 */
export class UnknownKeys {
  readonly #options: UnknownKeysOptions
  #asking: Promise<void> | undefined
  /** Not before: on the clock. */
  #nextAt = Number.NEGATIVE_INFINITY
  #toldAt = Number.NEGATIVE_INFINITY
  #wake: () => void = () => {}

  constructor(options: UnknownKeysOptions) {
    this.#options = options
  }

  /** Resolves once somebody has looked, or nobody may now. All who ask at a time wait for the same. */
  ask(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  /** Another process has looked. */
  told(): void {
    this.#toldAt = this.#options.clock.now()
    this.#wake()
  }

  async #ask(): Promise<void> {
    const { clock, takeTurn, look, timeoutMs } = this.#options
    const now = clock.now()
    if (now < this.#nextAt) return
    this.#nextAt = now + UNKNOWN_KEY_PAUSE_MS
    const pauseMs = await takeTurn()
    if (pauseMs === 0) return await look()
    this.#nextAt = now + pauseMs
    const takenAt = this.#nextAt - UNKNOWN_KEY_PAUSE_MS
    if (this.#toldAt < takenAt) await this.#word(takenAt + timeoutMs - clock.now())
  }

  /** Of whoever looks: it may have come already, and is not waited for any longer than looking takes. */
  async #word(ms: number): Promise<void> {
    if (ms <= 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const cancel = this.#options.clock.after(ms, resolve)
    await promise
    cancel()
  }
}
