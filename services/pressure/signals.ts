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
/** A loop that is busy for less of the time is late for the sake of others on its core; for more, of its own. */
const IDLE_ENOUGH = 0.5
const BUSY_ENOUGH = 0.75

/** Every signal that the options want looked at. What is no number presses not at all. */
export function signalsOf(readings: Readings, options: PressureOptions): Signal[] {
  const { eventLoopDelayMs, eventLoopUtilization, heapUsedBytes, heapLimitBytes, rssBytes } = readings
  const { maxEventLoopDelayMs, maxEventLoopUtilization, maxHeap, maxHeapUsedBytes, maxRssBytes } = options
  return [
    ownDelay(
      signal('event-loop-delay', eventLoopDelayMs, { threshold: maxEventLoopDelayMs, band: maxEventLoopDelayMs }),
      eventLoopUtilization,
    ),
    signal('event-loop-utilization', eventLoopUtilization, {
      threshold: maxEventLoopUtilization,
      band: SHARE_BAND,
    }),
    signal('heap', heapUsedBytes / heapLimitBytes, { threshold: maxHeap, band: SHARE_BAND }),
    signal('heap', heapUsedBytes, { threshold: maxHeapUsedBytes, band: maxHeapUsedBytes * BYTES_BAND }),
    signal('rss', rssBytes, { threshold: maxRssBytes, band: maxRssBytes * BYTES_BAND }),
  ].filter((one) => one !== null)
}

/**
 * Where the loop has time to spare and is late all the same, other processes have its core: serving less would not make it
 * earlier, and so would go on until nothing is served.
 */
function ownDelay(delay: Signal | null, utilization: number): Signal | null {
  if (delay === null) return null
  const own = (utilization - IDLE_ENOUGH) / (BUSY_ENOUGH - IDLE_ENOUGH)
  return own >= 1 || Number.isNaN(own) ? delay : { ...delay, pressure: delay.pressure * Math.max(0, own) }
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
