import type { TargetSnapshot, TargetState } from '../upstream/snapshot.ts'
import { mergeTargets } from './pools.ts'
import type { EventLoopReport, MemoryReport, ProcessReport, SystemReport } from './process.ts'

/**
 * - `healthy`: nothing to report
 * - `degraded`: it serves, and something wants attention
 * - `unhealthy`: requests fail, or the gateway is leaving
 */
export type HealthStatus = 'healthy' | 'degraded' | 'unhealthy'

export interface UpstreamHealth {
  name: string
  required: boolean
  /** `degraded`: some targets are down; `unknown`: none was tried yet. */
  state: 'up' | 'degraded' | 'down' | 'unknown'
  targets: {
    total: number
    up: number
    /** Of no use, and why. */
    down: number
    states: TargetState[]
  }
}

/** The answer of `GET /performance/health`. */
export interface HealthReport {
  status: HealthStatus
  /** Why the status is not healthy, in words. */
  reasons: string[]
  version: string
  upstreams: UpstreamHealth[]
  /** All targets together. */
  pools: TargetSnapshot['connections']
  system: SystemReport
  /** All processes together; `heapUsedRatio` is that of the fullest heap. */
  memory: { heapUsedBytes: number; heapUsedRatio: number; rssBytes: number; limitBytes: number | null }
  processes: {
    pid: number
    uptimeSeconds: number
    draining: boolean
    memory: MemoryReport
    eventLoop: EventLoopReport
  }[]
  missing: { process: number; pid: number | null; reason: string }[]
}

/** From these on a process wants attention. Heap and resident memory are shares of what they may become. */
const THRESHOLDS = { heapRatio: 0.9, memoryRatio: 0.9, eventLoopDelayMs: 100 } as const

/** One report of what the processes say. `missing` are those that did not answer. */
export function assessHealth(
  processes: readonly ProcessReport[],
  missing: HealthReport['missing'],
  system: SystemReport,
): HealthReport {
  const targets = mergeTargets(processes.map((process) => process.targets))
  const upstreams = upstreamHealth(targets)
  const fatal = [
    ...upstreams.filter(({ state, required }) => state === 'down' && required).map(({ name }) => unreachable(name)),
    ...(processes.some(({ draining }) => draining) ? ['The gateway is draining'] : []),
  ]
  const notable = [
    ...upstreams.filter(({ state, required }) => state === 'down' && !required).map(({ name }) => unreachable(name)),
    ...upstreams
      .filter(({ state }) => state === 'degraded')
      .map(({ name, targets: { down, total, states } }) => {
        return `${down} of ${total} targets of upstream ${name} are ${states.join(' or ')}`
      }),
    ...missing.map(({ process, reason }) => `Process ${process} did not answer: ${reason}`),
    ...new Set(processes.flatMap(({ notices }) => notices)),
    ...processes.flatMap(strain),
  ]
  return {
    status: fatal.length > 0 ? 'unhealthy' : notable.length > 0 ? 'degraded' : 'healthy',
    reasons: [...fatal, ...notable],
    version: processes[0]?.version ?? '',
    upstreams,
    pools: sumConnections(targets),
    system,
    memory: sumMemory(processes.map(({ memory }) => memory)),
    processes: processes.map(({ pid, uptimeMs, draining, memory, eventLoop }) => ({
      pid,
      uptimeSeconds: Math.round(uptimeMs / 1000),
      draining,
      memory,
      eventLoop,
    })),
    missing,
  }
}

/** One entry an upstream, in the order of the targets. */
export function upstreamHealth(targets: readonly TargetSnapshot[]): UpstreamHealth[] {
  return [...Map.groupBy(targets, ({ upstream }) => upstream)].map(([name, all]) => {
    // What was told to drain is missed by nobody.
    const staying = all.filter(({ state }) => state !== 'draining')
    const own = staying.length > 0 ? staying : all
    const up = own.filter(({ state }) => state === 'up').length
    const useless = own.map(({ state }) => state).filter((state) => state !== 'up' && state !== 'unknown')
    const down = useless.length
    const state = down === own.length ? 'down' : down > 0 ? 'degraded' : up > 0 ? 'up' : 'unknown'
    return {
      name,
      required: own[0]!.required,
      state,
      targets: { total: own.length, up, down, states: [...new Set(useless)] },
    }
  })
}

const unreachable = (name: string): string => `No target of upstream ${name} accepts connections`

function strain({ pid, memory, eventLoop }: ProcessReport): string[] {
  const { heapUsedBytes, heapLimitBytes, rssBytes, limitBytes } = memory
  const reasons: string[] = []
  if (heapUsedBytes >= THRESHOLDS.heapRatio * heapLimitBytes) {
    reasons.push(`Process ${pid} uses ${percent(heapUsedBytes / heapLimitBytes)} of its heap limit`)
  }
  if (limitBytes !== null && rssBytes >= THRESHOLDS.memoryRatio * limitBytes) {
    reasons.push(`Process ${pid} uses ${percent(rssBytes / limitBytes)} of the memory it may have`)
  }
  if (eventLoop.delayMs !== null && eventLoop.delayMs >= THRESHOLDS.eventLoopDelayMs) {
    reasons.push(`The event loop of process ${pid} is ${Math.round(eventLoop.delayMs)} ms late`)
  }
  return reasons
}

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`

function sumConnections(targets: readonly TargetSnapshot[]): TargetSnapshot['connections'] {
  const sum = { limit: 0, connected: 0, free: 0, running: 0, pending: 0, queued: 0 }
  for (const { connections } of targets) {
    for (const key of Object.keys(sum) as (keyof typeof sum)[]) sum[key] += connections[key]
  }
  return sum
}

function sumMemory(reports: readonly MemoryReport[]): HealthReport['memory'] {
  return {
    heapUsedBytes: reports.reduce((total, { heapUsedBytes }) => total + heapUsedBytes, 0),
    heapUsedRatio: Math.max(0, ...reports.map(({ heapUsedBytes, heapLimitBytes }) => heapUsedBytes / heapLimitBytes)),
    rssBytes: reports.reduce((total, { rssBytes }) => total + rssBytes, 0),
    limitBytes: reports[0]?.limitBytes ?? null,
  }
}
