import { buildGateway } from '../app.ts'
import type { Config } from '../config/config.ts'
import type { Control } from '../services/control/control.ts'
import type { LocalControl } from '../services/control/local.ts'
import type { ConnectionBudget } from '../services/listener/connections.ts'
import { createDrainState } from '../services/listener/drain.ts'
import { createListener, type Listener, type ListenerAddress } from '../services/listener/listener.ts'
import { accessLog } from '../services/log/access-log.ts'
import type { Log } from '../services/log/logger.ts'
import { listenerMetrics } from '../services/monitor/listener-metrics.ts'
import { processMetrics } from '../services/monitor/process-metrics.ts'
import type { RelatedDocument } from '../services/openapi/describe.ts'
import { VERSION } from './version.ts'

export interface DataPlaneContext {
  log: Log
  token: string
  /** Answers for this process. */
  local: LocalControl
  /** What its own routes ask: `local`, or all processes. */
  control: Control
  related: () => RelatedDocument | null
}

/** The gateway of one process and its listeners. */
export interface DataPlane {
  addresses: ListenerAddress[]
  /** Drains the listeners to the deadline (0: at once), then closes everything. */
  close(deadlineMs: number): Promise<void>
}

/** @throws HR_LISTENER_*, HR_TLS_*; nothing stays open then */
export async function startDataPlane(config: Config, context: DataPlaneContext): Promise<DataPlane> {
  const { local } = context
  const { log } = context.log
  const drain = createDrainState()
  const budget: ConnectionBudget = { limit: config.limits.connections, open: 0 }
  const listeners: Listener[] = []
  const addresses: ListenerAddress[] = []
  const readings = () =>
    listeners.flatMap((listener, index) => {
      const address = addresses[index]
      return address === undefined
        ? []
        : [{ listener: address.url, counters: listener.counters, http2: listener.sessions.counters }]
    })
  const { app, handlers } = await buildGateway(config, {
    log,
    version: VERSION,
    control: context.control,
    local,
    finished: config.log.requests && config.log.level !== 'silent' ? [accessLog(context.log, config.log)] : [],
    token: context.token,
    draining: () => drain.draining,
    sources: [listenerMetrics(readings), processMetrics(VERSION)],
    related: context.related,
  })
  const end = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()))
    await app.close()
  }
  try {
    await app.ready()
    for (const options of config.listen) {
      const listener = createListener(options, {
        limits: config.limits,
        handlers,
        dataDir: config.dataDir,
        drain,
        budget,
        log,
      })
      listeners.push(listener)
      addresses.push(await listener.listen())
    }
  } catch (error) {
    await end()
    throw error
  }
  local.answer({ addresses: () => addresses })
  return {
    addresses,
    async close(deadlineMs) {
      drain.draining = true
      if (deadlineMs > 0) await Promise.all(listeners.map((listener) => listener.drain(deadlineMs)))
      await end()
    },
  }
}
