import { Histogram } from '../../monitor/histogram.ts'

const PERIOD_MS = 30_000
/** A percentile is looked up once in so long, however many ask. */
const REMEMBER_MS = 1_000
/** Fewer tell nothing of a p95. */
const LEAST = 50

/** How long answers have taken lately: in this half minute and the one before. */
export class RecentLatency {
  #current = new Histogram()
  #previous = new Histogram()
  #turnsAt = 0
  readonly #known = new Map<number, { ms: number | undefined; until: number }>()

  /** @param now milliseconds that only grow */
  record(now: number, ms: number): void {
    if (now >= this.#turnsAt) this.#turn(now)
    this.#current.record(ms)
  }

  /** @param quantile 0…1 @returns milliseconds; `undefined` where too few answers are known */
  percentile(now: number, quantile: number): number | undefined {
    const known = this.#known.get(quantile)
    if (known !== undefined && now < known.until) return known.ms
    if (now >= this.#turnsAt) this.#turn(now)
    const merged = Histogram.merge([this.#current.snapshot(), this.#previous.snapshot()])
    const ms = merged.count < LEAST ? undefined : Histogram.percentileOf(merged, quantile)
    this.#known.set(quantile, { ms, until: now + REMEMBER_MS })
    return ms
  }

  #turn(now: number): void {
    const isRecent = now < this.#turnsAt + PERIOD_MS
    this.#previous = isRecent ? this.#current : new Histogram()
    this.#current = new Histogram()
    this.#turnsAt = now + PERIOD_MS
  }
}
