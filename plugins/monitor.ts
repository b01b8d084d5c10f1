import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { LogLevel } from '../services/control/commands.ts'
import type { LocalControl } from '../services/control/local.ts'
import { readMemory } from '../services/monitor/process.ts'
import { readinessOf } from '../services/monitor/readiness.ts'
import type { TargetSnapshot } from '../services/upstream/snapshot.ts'

/**
 * This process's part of the control port: it answers `readiness`, `health`, `pools` and `log-level`, and obeys
 * `log-level`. It adds no hook: a request pays nothing for it.
 *
 * It shares `memoryUsage` and `isUnderPressure` of @fastify/under-pressure, which samples the event loop once a second.
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
  /** Every logger of the process that has a level of its own; pino's children follow their parent's. */
  loggers: readonly { level: string }[]
}

async function monitor(fastify: FastifyInstance, options: MonitorOptions): Promise<void> {
  const { local, version, upstreams, draining, loggers } = options
  // No thresholds: with one, under-pressure would add a hook to every request.
  await fastify.register(underPressure, { sampleInterval: 1000, eventLoopUtilizationMode: 'interval' })

  local.answer({
    readiness: async () => {
      if (draining()) return readinessOf([], true)
      await upstreams.probe()
      return readinessOf(upstreams.snapshot(), draining())
    },
    health: async () => {
      await upstreams.probe()
      const { eventLoopDelay, eventLoopUtilized } = fastify.memoryUsage()
      return {
        pid: process.pid,
        version,
        uptimeMs: process.uptime() * 1000,
        draining: draining(),
        memory: readMemory(),
        // Infinity stands for a sample without a value.
        eventLoop: {
          delayMs: Number.isFinite(eventLoopDelay) ? eventLoopDelay : null,
          utilization: eventLoopUtilized,
        },
        targets: upstreams.snapshot(),
      }
    },
    pools: () => upstreams.snapshot(),
    'log-level': () => (loggers[0]?.level ?? 'silent') as LogLevel,
  })
  local.obey({
    'log-level': ({ level }) => {
      for (const logger of loggers) logger.level = level
    },
  })
}

export default fp(monitor, { name: 'headrace-monitor', fastify: '5.x' })
