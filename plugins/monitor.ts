import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { LogLevel } from '../services/control/commands.ts'
import type { LocalControl } from '../services/control/local.ts'
import type { Limits } from '../services/limit/limits.ts'
import type { Maintenance } from '../services/maintenance/maintenance.ts'
import { maintenanceInWords } from '../services/maintenance/report.ts'
import { readMemory } from '../services/monitor/process.ts'
import { readinessOf } from '../services/monitor/readiness.ts'
import type { TargetSnapshot } from '../services/upstream/snapshot.ts'

/**
 * This process's part of the control port: it answers `readiness`, `health`, `pools`, `limits` and `log-level`, and obeys
 * `log-level`. It adds no hook of requests: they pay nothing for it.
 *
 * It shares `memoryUsage` and `isUnderPressure` of @fastify/under-pressure, which samples the event loop once a second;
 * the first sample, of the start itself, is not told.
 */
export interface MonitorOptions {
  local: LocalControl
  version: string
  upstreams: {
    snapshot(): TargetSnapshot[]
    /** Finds the state of every target that is not known to be up, within a bound of its own. */
    probe(): Promise<void>
  }
  draining: () => boolean
  /** What is in maintenance; default: nothing ever. It answers and obeys `maintenance` of the control port. */
  maintenance?: Maintenance
  /** Rate limits; default: there are none, and `limits` is not answered. */
  limits?: Pick<Limits, 'report'>
  /** What else wants attention, in words; default: nothing. */
  notices?: () => string[]
  /** Every logger of the process that has a level of its own; pino's children follow their parent's. */
  loggers: readonly { level: string }[]
}

const SAMPLE_MS = 1_000

async function monitor(fastify: FastifyInstance, options: MonitorOptions): Promise<void> {
  const { local, version, upstreams, draining, maintenance, limits, notices = () => [], loggers } = options
  // No thresholds: with one, under-pressure would add a hook to every request.
  await fastify.register(underPressure, { sampleInterval: SAMPLE_MS, eventLoopUtilizationMode: 'interval' })
  // The first sample covers the start, when modules are loaded. A timer of the same length, begun later, fires after
  // under-pressure's own each time.
  let samples = 0
  const sampled = setTimeout(() => {
    if (++samples === 1) sampled.refresh()
  }, SAMPLE_MS).unref()
  fastify.addHook('onClose', async () => clearTimeout(sampled))

  local.answer({
    readiness: async () => {
      if (draining()) return readinessOf([], true)
      await upstreams.probe()
      const isClosed = maintenance?.report().gateway === true
      return readinessOf(upstreams.snapshot(), draining(), isClosed ? maintenance.options : null)
    },
    health: async () => {
      await upstreams.probe()
      const { eventLoopDelay, eventLoopUtilized } = fastify.memoryUsage()
      // Infinity stands for a sample without a value.
      const isSampled = samples > 1 && Number.isFinite(eventLoopDelay)
      return {
        pid: process.pid,
        version,
        uptimeMs: process.uptime() * 1000,
        draining: draining(),
        memory: readMemory(),
        eventLoop: { delayMs: isSampled ? eventLoopDelay : null, utilization: eventLoopUtilized },
        targets: upstreams.snapshot(),
        notices: [...(maintenance === undefined ? [] : maintenanceInWords(maintenance.report())), ...notices()],
      }
    },
    pools: () => upstreams.snapshot(),
    'log-level': () => (loggers[0]?.level ?? 'silent') as LogLevel,
  })
  if (maintenance !== undefined) {
    local.answer({ maintenance: () => maintenance.report() })
    local.obey({ maintenance: ({ route, enabled }) => maintenance.set(route, enabled) })
  }
  if (limits !== undefined) local.answer({ limits: () => limits.report() })
  local.obey({
    'log-level': ({ level }) => {
      for (const logger of loggers) logger.level = level
    },
  })
}

export default fp(monitor, { name: 'headrace-monitor', fastify: '5.x' })
