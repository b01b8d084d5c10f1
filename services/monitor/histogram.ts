/** A histogram's content as plain data: what crosses processes and is merged. */
export interface HistogramSnapshot {
  count: number
  sumMs: number
  maxMs: number
  /** Counts by bucket; `services/monitor/histogram.ts` knows the bounds. */
  buckets: number[]
}
