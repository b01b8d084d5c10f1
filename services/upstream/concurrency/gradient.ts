import type { ConcurrencyOptions } from './options.ts'

/** What one window has to hold before it says anything: so many answers, and so long. */
const LEAST_SAMPLES = 10
const SHORTEST_WINDOW_MS = 100
/** A window never takes the limit to less than this part of it; and a new limit counts for so much. */
const LEAST_GRADIENT = 0.5
const SMOOTHING = 0.3
/** Part of the answers of a window that may be failures for want of room before the limit falls by them. */
const MOST_OVERLOADED = 0.1
const BACKOFF = 0.8
/** A look at how fast unloaded answers are is given up after this long: the upstream may just be slow. */
const LONGEST_PROBE_MS = 3_000

type GradientOptions = Omit<ConcurrencyOptions, 'queue' | 'waitMs'>

/**
 * How many requests an upstream takes at a time, from how long its answers take to begin: while they take as long as unloaded
 * ones the limit grows by its square root a window, and as they take longer it falls by that ratio. That is the gradient of
 * Netflix' concurrency-limits ("Performance Under Load", 2018) and of Envoy's adaptive concurrency filter. With a fixed
 * capacity it settles a few requests above it: the upstream is busy, and its queue short.
 *
 * How long unloaded answers take is the least that a window has had. That can only fall, so that it is looked up again every
 * now and then, as BBR does (Cardwell et al., 2016): the limit goes to half of what fits without a queue until one window
 * was seen, as long as it is in use. (A long-term average in its place, as in Gradient2, would follow an overload that lasts.)
 */
export class Gradient {
  /** No integer: what counts is its floor. */
  limit: number
  /** Milliseconds; 0 before the first window. */
  unloadedMs = 0
  readonly #options: GradientOptions
  #openedAt = Number.NaN
  #samples = 0
  #sumMs = 0
  #overloaded = 0
  /** The limit was reached in this window. */
  #used = false
  #probedAt = Number.NaN
  /** The limit to go back to, while it is looked at; 0 while it is not. */
  #probing = 0
  #probingSince = 0

  constructor(options: GradientOptions) {
    this.#options = options
    this.limit = options.initial
  }

  get probing(): boolean {
    return this.#probing > 0
  }

  /**
   * An answer has begun.
   *
   * @param now on a clock that only grows
   * @param sentAt when its request was sent: what was sent before a look began says nothing of it
   */
  sampled(ms: number, { now, sentAt, inFlight }: { now: number; sentAt: number; inFlight: number }): void {
    if (this.#probing > 0 && sentAt < this.#probingSince) return this.#giveUp(now)
    this.#begin(now)
    this.#samples++
    this.#sumMs += ms
    if (inFlight >= Math.floor(this.limit) * 0.9) this.#used = true
    this.#end(now)
  }

  /** An answer says that there was no room: 429, 503, or none in time. */
  overloaded(now: number): void {
    this.#begin(now)
    this.#overloaded++
    this.#end(now)
  }

  #begin(now: number): void {
    if (Number.isNaN(this.#openedAt)) this.#openedAt = now
    if (Number.isNaN(this.#probedAt)) this.#probedAt = now
  }

  #end(now: number): void {
    const seen = this.#samples + this.#overloaded
    if (seen < LEAST_SAMPLES || now - this.#openedAt < SHORTEST_WINDOW_MS) return
    if (this.#overloaded > MOST_OVERLOADED * seen) this.#set(this.limit * BACKOFF)
    else if (this.#samples > 0) this.#adjust(this.#sumMs / this.#samples, now)
    this.#openedAt = now
    this.#samples = this.#sumMs = this.#overloaded = 0
    this.#used = false
  }

  #adjust(meanMs: number, now: number): void {
    if (this.#probing > 0) {
      this.unloadedMs = meanMs
      this.#finish(now)
      return
    }
    if (this.unloadedMs === 0 || meanMs < this.unloadedMs) this.unloadedMs = meanMs
    // What is not used says nothing of what would fit.
    if (!this.#used) return
    const ratio = (this.#options.tolerance * this.unloadedMs) / meanMs
    const gradient = Math.max(LEAST_GRADIENT, Math.min(1, ratio))
    const wanted = this.limit * gradient + Math.sqrt(this.limit)
    this.#set(this.limit * (1 - SMOOTHING) + wanted * SMOOTHING)
    if (now - this.#probedAt >= this.#options.probeMs) this.#probe(meanMs, now)
  }

  #probe(meanMs: number, now: number): void {
    this.#probing = this.limit
    this.#probingSince = now
    // Little's law: so many are at work, and the others wait there.
    const atWork = this.limit * Math.min(1, this.unloadedMs / meanMs)
    this.#set(atWork / 2)
  }

  #giveUp(now: number): void {
    if (now - this.#probingSince >= LONGEST_PROBE_MS) this.#finish(now)
  }

  #finish(now: number): void {
    this.limit = this.#probing
    this.#probing = 0
    this.#probedAt = now
  }

  #set(limit: number): void {
    const { min, max } = this.#options
    this.limit = Math.min(max, Math.max(min, limit))
  }
}
