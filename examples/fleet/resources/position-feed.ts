/** Called once a tick with the second (since 1970) that it stands for. */
export type FeedListener = (second: number) => void

export interface FeedOptions {
  /** ms since 1970 */
  now: () => number
  /** Time between two ticks; each stands for one second of the vehicles' day. */
  tickMs: number
}

/**
 * One clock for all streams. It runs while somebody listens and stops with the last one. Seconds only ever grow, so they
 * serve as event ids.
 */
export class PositionFeed {
  readonly #options: FeedOptions
  readonly #listeners = new Set<FeedListener>()
  #timer: NodeJS.Timeout | undefined
  #second = 0

  constructor(options: FeedOptions) {
    this.#options = options
  }

  /** The last second told, or the present one while nobody listens. */
  get second(): number {
    return this.#timer ? this.#second : Math.max(this.#second, Math.floor(this.#options.now() / 1000))
  }

  get listeners(): number {
    return this.#listeners.size
  }

  /** @returns what ends the subscription; calling it again does nothing */
  subscribe(listener: FeedListener): () => void {
    this.#second = this.second
    this.#listeners.add(listener)
    this.#timer ??= setInterval(() => this.#tick(), this.#options.tickMs)
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  #tick(): void {
    this.#second++
    for (const listener of this.#listeners) listener(this.#second)
  }
}
