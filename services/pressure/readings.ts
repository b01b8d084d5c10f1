/** What a process looks like at one moment. */
export interface Readings {
  /** Milliseconds that the event loop was late, 99th percentile since the reading before. */
  eventLoopDelayMs: number
  /** Share of the time since then that it was busy, 0…1. */
  eventLoopUtilization: number
  heapUsedBytes: number
  /** Where V8 gives up. */
  heapLimitBytes: number
  rssBytes: number
}

/** Looks at the process. Whoever makes it closes it. */
export interface Sensors {
  read(): Readings
  close(): void
}

/** Why requests are turned away: a closed set, and a metric's label. */
export const REASONS = ['event-loop-delay', 'event-loop-utilization', 'heap', 'rss', 'in-flight'] as const
export type Reason = (typeof REASONS)[number]
