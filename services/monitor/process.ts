import { availableParallelism, freemem, loadavg, totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import type { TargetSnapshot } from '../upstream/snapshot.ts'

/** What one process says about itself: plain data. */
export interface ProcessReport {
  pid: number
  version: string
  uptimeMs: number
  draining: boolean
  memory: MemoryReport
  eventLoop: EventLoopReport
  targets: TargetSnapshot[]
  /** What else wants attention, in words. */
  notices: string[]
}

export interface MemoryReport {
  heapUsedBytes: number
  /** Where V8 gives up (`heap_size_limit`), not the heap it has reserved so far. */
  heapLimitBytes: number
  externalBytes: number
  rssBytes: number
  /** The limit that a container sets; null where nothing limits the process. */
  limitBytes: number | null
}

export interface EventLoopReport {
  /** Mean delay of the last sample; null before the second: the first is the start's. */
  delayMs: number | null
  /** Share of the time the loop was busy, 0…1. */
  utilization: number
}

/** The machine, as seen by the process that was asked. */
export interface SystemReport {
  node: string
  platform: string
  cpus: number
  /** One minute's load average; null on Windows, which has none. */
  load: number | null
  totalMemoryBytes: number
  freeMemoryBytes: number
}

export function readMemory(): MemoryReport {
  const { heapUsed, external, rss } = process.memoryUsage()
  return {
    heapUsedBytes: heapUsed,
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    externalBytes: external,
    rssBytes: rss,
    limitBytes: memoryLimit(process.constrainedMemory(), totalmem()),
  }
}

/**
 * @param constrained what `process.constrainedMemory()` says: 0 when unknown, and about 1.8e19 under cgroups without a limit
 * @returns bytes, or null where nothing below the machine's own memory limits the process
 */
export function memoryLimit(constrained: number, total: number): number | null {
  return constrained > 0 && constrained < total ? constrained : null
}

export function readSystem(): SystemReport {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpus: availableParallelism(),
    load: process.platform === 'win32' ? null : loadavg()[0]!,
    totalMemoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
  }
}
