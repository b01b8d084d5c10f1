import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/config.ts'
import cacheMonitor from '../plugins/cache-monitor.ts'
import cacheWarm from '../plugins/cache-warm.ts'
import ejections from '../plugins/ejections.ts'
import monitor from '../plugins/monitor.ts'
import tokens from '../plugins/tokens.ts'
import validationMonitor from '../plugins/validation-monitor.ts'
import { Announcements } from '../services/cache/announcements.ts'
import type { GatewayState } from '../services/lane/gateway-state.ts'
import type { Lane } from '../services/lane/lane.ts'
import type { DataPlaneParts } from './parts.ts'

export interface AnsweringParts {
  state: GatewayState
  lane: Lane
  parts: Pick<DataPlaneParts, 'local' | 'control' | 'version' | 'draining' | 'log'>
}

/** This process's part of the control port, besides what the plugins of a capability answer and obey by themselves. */
export async function answerControlPort(
  app: FastifyInstance,
  config: Config,
  { state, lane, parts }: AnsweringParts,
): Promise<void> {
  const { upstreams, maintenance, limits, second } = state
  const { local, version, draining } = parts
  const isOneOfMany = config.processes > 1
  await app.register(monitor, {
    local,
    version,
    upstreams,
    draining,
    maintenance,
    limits,
    notices: () => [...(second?.notices() ?? []), ...limits.notices()],
    loggers: [parts.log as never],
  })
  await app.register(cacheMonitor, {
    local,
    cache: lane.cache,
    second: () => second?.report() ?? null,
    routes: lane.plans,
  })
  await app.register(cacheWarm, { local, lane, targets: config.cache.warm, base: ownAddress(config) })
  await app.register(validationMonitor, { local, record: state.validations })
  const ownId = isOneOfMany ? process.pid : null
  await app.register(tokens, { access: state.access, local, process: ownId })
  await app.register(ejections, { upstreams, local, process: ownId })
  if (!isOneOfMany) return
  announceInvalidations(app, lane, parts)
  state.specifications.announce = (known) =>
    void parts.control.tell('openapi-document', known).catch((error: unknown) => {
      parts.log.debug(
        { reason: (error as Error).message },
        'processes that start will not know the document of an upstream',
      )
    })
}

/** Tells the other processes what mutations have made invalid. */
function announceInvalidations(
  app: FastifyInstance,
  lane: Lane,
  { control, log }: Pick<DataPlaneParts, 'control' | 'log'>,
): void {
  const announcements = new Announcements({
    send: (selectors) => control.tell('cache-invalidate', { from: process.pid, selectors }),
    // What does not hear of it keeps what it has until that is stale.
    failed: (error) => log.warn({ err: error }, 'not every process heard of an invalidation'),
  })
  lane.cache.announce = (selectors) => announcements.add(selectors)
  app.addHook('onClose', () => announcements.close())
}

/** What a path alone is asked at, by the gateway itself. */
function ownAddress({ listen: [first] }: Config): string {
  const { port = 80, tls = null } = first ?? {}
  return `${tls === null ? 'http' : 'https'}://localhost:${port}`
}
