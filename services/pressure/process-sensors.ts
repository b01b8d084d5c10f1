import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { Sensors } from './readings.ts'

const RESOLUTION_MS = 10
const NANOSECONDS = 1e6

/** The sensors of this process. Reading them costs some microseconds; requests never do. */
export function processSensors(): Sensors {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  histogram.enable()
  let before = performance.eventLoopUtilization()
  return {
    read() {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, before)
      before = now
      // It measures how far apart its own timer fires. Without a sample there was no time to be late in.
      const late = histogram.count === 0 ? 0 : histogram.percentile(99) / NANOSECONDS - RESOLUTION_MS
      histogram.reset()
      const heap = getHeapStatistics()
      return {
        eventLoopDelayMs: Math.max(0, late),
        eventLoopUtilization: utilization,
        heapUsedBytes: heap.used_heap_size,
        heapLimitBytes: heap.heap_size_limit,
        rssBytes: process.memoryUsage.rss(),
      }
    },
    close: () => void histogram.disable(),
  }
}
