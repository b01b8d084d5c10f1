/** A histogram's content as plain data: what crosses processes and is merged. */
export interface HistogramSnapshot {
  count: number
  sumMs: number
  maxMs: number
  /** Counts by bucket, without the empty ones at the end; `services/monitor/histogram.ts` knows the bounds. */
  buckets: number[]
}

/** Steps of an octave: a bucket is 1/16 of its lower bound wide, so its middle is at most 3.2 % off. */
const STEPS = 16
const STEP_BITS = 4
/** 0.01 ms is 16 units: from there on the relative error holds. 10 min is 9.6e8 units, which fits 31 bits. */
const UNITS_PER_MS = 1600
const LONGEST_MS = 600_000
const BUCKETS = indexOf(LONGEST_MS) + 1

/**
 * Durations counted in log-linear buckets from 0.01 ms to 10 min, as HdrHistogram does: percentiles are within 3.2 %.
 *
 * `record` touches one array slot and three numbers: no allocation and no call out of JavaScript, so that it may run for
 * every request. Shorter durations than 0.01 ms keep an absolute error below 0.001 ms; longer ones than 10 min share the
 * last bucket, while `maxMs` and `sumMs` stay exact. The size is fixed: 3.4 KiB.
 */
export class Histogram {
  count = 0
  sumMs = 0
  maxMs = 0
  // Doubles: 32 bits would overflow in days at 20,000 requests/s.
  readonly #buckets = new Float64Array(BUCKETS)

  /** Counts one duration in milliseconds; what is not a positive, finite number counts as 0. */
  record(ms: number): void {
    const duration = ms > 0 && ms < Number.POSITIVE_INFINITY ? ms : 0
    this.count++
    this.sumMs += duration
    if (duration > this.maxMs) this.maxMs = duration
    this.#buckets[indexOf(duration)]!++
  }

  /** @param q 0…1 @returns milliseconds; 0 while nothing is recorded */
  percentile(q: number): number {
    return quantile(this.#buckets, this, q)
  }

  /** The content as plain data. */
  snapshot(): HistogramSnapshot {
    let used = BUCKETS
    while (used > 0 && this.#buckets[used - 1] === 0) used--
    return { count: this.count, sumMs: this.sumMs, maxMs: this.maxMs, buckets: [...this.#buckets.subarray(0, used)] }
  }

  /** One snapshot with the content of all: exactly what one histogram would hold that had recorded everything. */
  static merge(snapshots: Iterable<HistogramSnapshot>): HistogramSnapshot {
    const merged: HistogramSnapshot = { count: 0, sumMs: 0, maxMs: 0, buckets: [] }
    for (const { count, sumMs, maxMs, buckets } of snapshots) {
      merged.count += count
      merged.sumMs += sumMs
      merged.maxMs = Math.max(merged.maxMs, maxMs)
      for (let i = 0; i < buckets.length; i++) merged.buckets[i] = (merged.buckets[i] ?? 0) + buckets[i]!
    }
    return merged
  }

  /** @param q 0…1 @returns milliseconds; 0 for an empty snapshot */
  static percentileOf(snapshot: HistogramSnapshot, q: number): number {
    return quantile(snapshot.buckets, snapshot, q)
  }

  /**
   * How many durations were at most each bound: Prometheus' `le` buckets. A bound within a bucket counts the whole bucket
   * when it lies above its middle, so a count may be off by what was recorded within 3.2 % of the bound.
   *
   * @param boundsMs ascending
   */
  static cumulative(snapshot: HistogramSnapshot, boundsMs: readonly number[]): number[] {
    let index = 0
    let total = 0
    return boundsMs.map((bound) => {
      while (index < snapshot.buckets.length && middleOf(index) <= bound) total += snapshot.buckets[index++]!
      return total
    })
  }
}

function indexOf(ms: number): number {
  const units = ((ms < LONGEST_MS ? ms : LONGEST_MS) * UNITS_PER_MS) | 0
  if (units < STEPS) return units
  const octave = 31 - STEP_BITS - Math.clz32(units)
  return octave * STEPS + (units >> octave)
}

function middleOf(index: number): number {
  if (index < STEPS) return (index + 0.5) / UNITS_PER_MS
  const octave = Math.floor(index / STEPS) - 1
  return ((index - octave * STEPS + 0.5) * 2 ** octave) / UNITS_PER_MS
}

function quantile(buckets: ArrayLike<number>, totals: { count: number; maxMs: number }, q: number): number {
  const rank = Math.max(1, Math.ceil(q * totals.count))
  let seen = 0
  for (let i = 0; i < buckets.length; i++) {
    seen += buckets[i]!
    if (seen >= rank) return rank === totals.count ? totals.maxMs : Math.min(middleOf(i), totals.maxMs)
  }
  return totals.maxMs
}
