import type { ConcurrencyLimiter, Turn } from '../upstream/concurrency/limiter.ts'
import type { Outcome } from '../upstream/snapshot.ts'
import type { Target } from '../upstream/target.ts'

/**
 * The place of one call at an upstream that is asked so many requests at a time: held until the head of an answer has come,
 * or an attempt has ended without one.
 */
export class ConcurrencySlot implements Turn {
  readonly #limiter: ConcurrencyLimiter
  readonly #call: { enter(target: Target): void }
  #held = false
  /** Where the call goes when its turn has come; `undefined` while it does not wait. */
  #chosen: Target | undefined

  /** @param call is told when its turn has come */
  constructor(limiter: ConcurrencyLimiter, call: { enter(target: Target): void }) {
    this.#limiter = limiter
    this.#call = call
  }

  /** @returns `false` where there is none now */
  take(): boolean {
    this.#held = this.#limiter.take()
    return this.#held
  }

  /** Waits for one, to go to the target then. @returns `false` where too many do */
  wait(chosen: Target): boolean {
    if (!this.#limiter.wait(this)) return false
    this.#chosen = chosen
    return true
  }

  get waiting(): boolean {
    return this.#chosen !== undefined
  }

  /** Its turn has come. */
  enter(): void {
    const chosen = this.#chosen as Target
    this.#chosen = undefined
    this.#held = true
    this.#call.enter(chosen)
  }

  /** For a further attempt of a call that has been in: it waits no more. */
  hold(): void {
    if (this.#held) return
    this.#limiter.force()
    this.#held = true
  }

  /** The head of an answer has come. @param ms since the request was sent */
  answered(status: number, now: number, ms: number): void {
    this.#leave(now, { ms, overloaded: status === 503 || status === 429 })
  }

  /** An attempt has ended; nothing more of it comes. */
  ended(outcome: Outcome): void {
    this.#leave(performance.now(), outcome.endsWith('_timeout') ? { ms: 0, overloaded: true } : null)
  }

  /** The call is over, or waits no longer. */
  giveUp(): void {
    if (this.#chosen !== undefined) {
      this.#chosen = undefined
      this.#limiter.withdraw(this)
    }
    this.#leave(performance.now(), null)
  }

  #leave(now: number, sample: { ms: number; overloaded: boolean } | null): void {
    if (!this.#held) return
    this.#held = false
    this.#limiter.leave(now, sample)
  }
}
