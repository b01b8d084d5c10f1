import { Gradient } from './gradient.ts'
import type { ConcurrencyOptions } from './options.ts'

/** A request that waits for its turn. */
export interface Turn {
  /** Its turn has come: it has a place. */
  enter(): void
}

/** What the limit of an upstream looks like now. */
export interface ConcurrencySnapshot {
  limit: number
  inFlight: number
  waiting: number
  /** Requests that were answered 503: there was no turn for them. */
  refused: number
  /** How long unloaded answers take to begin; `null` before it is known. */
  unloadedMs: number | null
}

/**
 * How many requests an upstream is asked at a time. A place is given back when the head of the answer has come: bodies, event
 * streams and WebSocket connections take none. Requests in excess wait their turn, few of them and not for long.
 */
export class ConcurrencyLimiter {
  readonly options: ConcurrencyOptions
  readonly #gradient: Gradient
  /** In the order in which they came. */
  readonly #waiting = new Set<Turn>()
  #inFlight = 0
  #refused = 0

  constructor(options: ConcurrencyOptions) {
    this.options = options
    this.#gradient = new Gradient(options)
  }

  /** Takes a place, where there is one and nobody waits for it. */
  take(): boolean {
    if (this.#waiting.size > 0 || this.#inFlight >= Math.floor(this.#gradient.limit)) return false
    this.#inFlight++
    return true
  }

  /** Takes a place all the same: for a further attempt, which the budget of retries bounds. */
  force(): void {
    this.#inFlight++
  }

  /** Waits for a place. @returns `false` where too many do */
  wait(turn: Turn): boolean {
    if (this.#waiting.size >= this.options.queue) return false
    this.#waiting.add(turn)
    return true
  }

  /** Waits no longer. @returns `false` where it did not */
  withdraw(turn: Turn): boolean {
    return this.#waiting.delete(turn)
  }

  /** One is answered 503. */
  refuse(): void {
    this.#refused++
  }

  /**
   * Gives a place back, and says how it went.
   *
   * @param sample `null` where it says nothing of the upstream
   */
  leave(now: number, sample: { ms: number; overloaded: boolean } | null): void {
    if (sample?.overloaded === true) this.#gradient.overloaded(now)
    else if (sample !== null) {
      this.#gradient.sampled(sample.ms, { now, sentAt: now - sample.ms, inFlight: this.#inFlight })
    }
    this.#inFlight--
    for (const turn of this.#waiting) {
      if (this.#inFlight >= Math.floor(this.#gradient.limit)) return
      this.#waiting.delete(turn)
      this.#inFlight++
      turn.enter()
    }
  }

  snapshot(): ConcurrencySnapshot {
    const { limit, unloadedMs } = this.#gradient
    return {
      limit: Math.floor(limit),
      inFlight: this.#inFlight,
      waiting: this.#waiting.size,
      refused: this.#refused,
      unloadedMs: unloadedMs === 0 ? null : unloadedMs,
    }
  }
}
