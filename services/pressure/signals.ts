import type { PressureOptions } from './options.ts'
import type { Readings, Reason } from './readings.ts'

/** How hard one thing presses: 0 not at all, 1 at its threshold, more above. */
export interface Signal {
  reason: Reason
  pressure: number
}

/** More says nothing more. */
const MOST = 4
/** Of a share: narrower, and what only flickers would be taken for a change. */
const SHARE_BAND = 0.1
/** Of a threshold in bytes: what lies within is one unit of pressure. */
const BYTES_BAND = 0.1

/** Every signal that the options want looked at. What is no number presses not at all. */
export function signalsOf(readings: Readings, options: PressureOptions): Signal[] {
  const { eventLoopDelayMs, eventLoopUtilization, heapUsedBytes, heapLimitBytes, rssBytes } = readings
  const { maxEventLoopDelayMs, maxEventLoopUtilization, maxHeap, maxHeapUsedBytes, maxRssBytes } = options
  return [
    signal('event-loop-delay', eventLoopDelayMs, { threshold: maxEventLoopDelayMs, band: maxEventLoopDelayMs }),
    signal('event-loop-utilization', eventLoopUtilization, {
      threshold: maxEventLoopUtilization,
      band: SHARE_BAND,
    }),
    signal('heap', heapUsedBytes / heapLimitBytes, { threshold: maxHeap, band: SHARE_BAND }),
    signal('heap', heapUsedBytes, { threshold: maxHeapUsedBytes, band: maxHeapUsedBytes * BYTES_BAND }),
    signal('rss', rssBytes, { threshold: maxRssBytes, band: maxRssBytes * BYTES_BAND }),
  ].filter((one) => one !== null)
}

function signal(
  reason: Reason,
  value: number,
  { threshold, band }: { threshold: number; band: number },
): Signal | null {
  if (threshold === 0) return null
  const pressure = 1 + (value - threshold) / band
  return { reason, pressure: Number.isNaN(pressure) ? 0 : Math.min(MOST, Math.max(0, pressure)) }
}
