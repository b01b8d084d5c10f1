import type { Clock } from '../clock.ts'
import { SlidingCount } from '../sliding-count.ts'
import type { BreakerOptions } from './options.ts'

/**
 * - `closed`: requests pass, and are counted
 * - `open`: none does, until its time is over
 * - `half-open`: a few do, to try; their successes close it, a failure opens it again
 */
export type BreakerState = 'closed' | 'open' | 'half-open'

export interface BreakerParts {
  clock: Clock
  /** Whether it lets requests pass has changed, or its state. @param reason why it has opened; empty else */
  changed: (from: BreakerState, to: BreakerState, reason: string) => void
}

/**
 * A circuit breaker (Nygard, "Release It!"). Each request that passes takes a ticket and gives it back with how it ended:
 * what began before the state changed says nothing of the state that is.
 */
export class Breaker {
  state: BreakerState = 'closed'
  /** How often it has opened. */
  opened = 0
  /** When it will be tried, on the clock; 0 while it is not open. */
  triedAt = 0
  readonly #options: BreakerOptions
  readonly #parts: BreakerParts
  readonly #requests: SlidingCount
  readonly #failures: SlidingCount
  /** Of the present state: tickets of an earlier one are void. */
  #era = 0
  #inRow = 0
  /** While half-open: how many are trying, and how many have succeeded. */
  #trying = 0
  #succeeded = 0
  #callOff: (() => void) | undefined

  constructor(options: BreakerOptions, parts: BreakerParts) {
    this.#options = options
    this.#parts = parts
    this.#requests = new SlidingCount(options.windowMs)
    this.#failures = new SlidingCount(options.windowMs)
  }

  /** Whether a request may pass now. */
  get admits(): boolean {
    if (this.state === 'closed') return true
    return this.state === 'half-open' && this.#trying < this.#options.probes
  }

  /** A request passes, which {@link admits} allows. @returns its ticket */
  enter(): number {
    if (this.state === 'half-open') {
      this.#trying++
      if (!this.admits) this.#tell(this.state, '')
    }
    return this.#era
  }

  /**
   * The head of an answer that is no failure has come. What tries the target has succeeded by that: the rest may take hours,
   * and nothing else could try it meanwhile.
   */
  answered(ticket: number): void {
    if (ticket === this.#era && this.state === 'half-open') this.#tried('success')
  }

  /**
   * A request is over.
   *
   * @param result `undefined` where it says nothing of the target
   * @param wasAnswered {@link answered} was called for it
   */
  leave(ticket: number, result: 'success' | 'failure' | undefined, wasAnswered = false): void {
    if (ticket !== this.#era) return
    if (this.state === 'closed') this.#count(result)
    else if (!wasAnswered || result === 'failure') this.#tried(result)
  }

  /** Its target is gone: what is still under way there changes nothing. */
  close(): void {
    this.#era++
    this.#callOff?.()
  }

  #count(result: 'success' | 'failure' | undefined): void {
    if (result === undefined) return
    const { failures, ratio, minRequests } = this.#options
    const now = this.#parts.clock.now()
    this.#requests.add(now)
    if (result === 'success') {
      this.#inRow = 0
      return
    }
    this.#failures.add(now)
    this.#inRow++
    if (failures > 0 && this.#inRow >= failures) {
      this.#open(`${this.#inRow} failures in a row`)
      return
    }
    const requests = this.#requests.sum(now)
    const failed = this.#failures.sum(now)
    if (ratio > 0 && requests >= minRequests && failed >= ratio * requests) {
      this.#open(`${failed} of ${requests} requests failed`)
    }
  }

  #tried(result: 'success' | 'failure' | undefined): void {
    if (result === 'failure') {
      this.#open('it failed again when it was tried')
      return
    }
    if (result === 'success' && ++this.#succeeded >= this.#options.probes) {
      this.#become('closed', '')
      return
    }
    const wasFull = !this.admits
    this.#trying--
    if (wasFull) this.#tell(this.state, '')
  }

  #open(reason: string): void {
    const { clock } = this.#parts
    const { openForMs } = this.#options
    this.opened++
    this.triedAt = clock.now() + openForMs
    this.#callOff = clock.after(openForMs, () => this.#become('half-open', ''))
    this.#become('open', reason)
  }

  #become(state: BreakerState, reason: string): void {
    const from = this.state
    this.state = state
    this.#era++
    this.#inRow = this.#trying = this.#succeeded = 0
    if (state !== 'open') this.triedAt = 0
    this.#requests.clear()
    this.#failures.clear()
    this.#tell(from, reason)
  }

  #tell(from: BreakerState, reason: string): void {
    this.#parts.changed(from, this.state, reason)
  }
}
