import { buildGateway } from '../app.ts'
import type { Config } from '../config/config.ts'
import type { Control } from '../services/control/control.ts'
import type { LocalControl } from '../services/control/local.ts'
import type { ConnectionBudget } from '../services/listener/connections.ts'
import { createDrainState } from '../services/listener/drain.ts'
import { createListener, type Listener, type ListenerAddress } from '../services/listener/listener.ts'
import { redirectToHttps } from '../services/listener/redirect.ts'
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

/** What chooses the first listener's port. */
const FIRST_LISTENER = '--port, PORT in the environment, or listen.port in the configuration'

/** @throws HR_LISTENER_*, HR_TLS_*; nothing stays open then */
export async function startDataPlane(config: Config, context: DataPlaneContext): Promise<DataPlane> {
  const { local } = context
  const { log } = context.log
  const drain = createDrainState()
  const budget: ConnectionBudget = { limit: config.limits.connections, open: 0 }
  const listeners: Listener[] = []
  const bound = new Map<Listener, ListenerAddress>()
  const readings = () =>
    [...bound].map(([listener, { url }]) => ({
      listener: url,
      counters: listener.counters,
      http2: listener.sessions.counters,
    }))
  const { app, handlers } = await buildGateway(config, {
    log,
    version: VERSION,
    control: context.control,
    local,
    // Also where nothing is logged now: the level may change while it runs.
    finished: config.log.requests ? [accessLog(context.log, config.log)] : [],
    token: context.token,
    draining: () => drain.draining,
    sources: [listenerMetrics(readings), processMetrics(VERSION)],
    http2: () => listeners.map(({ sessions }) => sessions.counters),
    related: context.related,
  })
  const toHttps = redirectToHttps(() => portOfHttps(bound))
  const end = async (): Promise<void> => {
    await Promise.all(listeners.map((listener) => listener.close()))
    await app.close()
  }
  try {
    await app.ready()
    config.listen.forEach((options, index) => {
      const listener = createListener(options, {
        limits: config.limits,
        handlers: options.redirect === null ? handlers : toHttps,
        dataDir: config.dataDir,
        drain,
        budget,
        log,
        setting: index === 0 ? FIRST_LISTENER : `listen[${index}].port in the configuration`,
      })
      listeners.push(listener)
    })
    // Those that redirect come last: by their first request the others have their ports.
    for (const listener of listeners.toSorted((a, b) => redirects(a) - redirects(b))) {
      bound.set(listener, await listener.listen())
    }
  } catch (error) {
    await end()
    throw error
  }
  const addresses = listeners.map((listener) => bound.get(listener) as ListenerAddress)
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

function redirects({ options }: Listener): number {
  return options.redirect === null ? 0 : 1
}

/** Of the first listener with TLS; the configuration is invalid where one redirects and there is none. */
function portOfHttps(bound: ReadonlyMap<Listener, ListenerAddress>): number {
  for (const [listener, { port }] of bound) if (listener.options.tls !== null) return port
  return 443
}
