import { setTimeout as delay } from 'node:timers/promises'
import { buildGateway } from '../app.ts'
import type { DataPlaneParts, Gateway } from '../app/parts.ts'
import type { Config } from '../config/config.ts'
import { LocalControl } from '../services/control/local.ts'

/** How long what is new may warm up before it serves; the rest of its list is asked for while it does. */
const WARM_LIMIT_MS = 15_000
/** How often a generation that was replaced is looked at, whether anything is still under way in it. */
const LOOK_EVERY_MS = 100

/** What one configuration makes of a data plane, behind listeners that outlive it. */
export interface Generation {
  readonly config: Config
  readonly gateway: Gateway
  /** What it answers the control port with. */
  readonly local: LocalControl
  /** Resolves when its cache is warm and the state of its upstreams known, or when that takes too long. */
  warm(): Promise<void>
  /** Closes it once nothing is under way in it, or when `signal` says so. */
  retire(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** @throws HR_ROUTE_*, HR_UPSTREAM_*, HR_FORWARDED_TRUST, HR_REDIS_*; nothing is left open then */
export async function buildGeneration(
  config: Config,
  parts: Omit<DataPlaneParts, 'local' | 'previous'>,
  previous: Generation | null,
): Promise<Generation> {
  const local = new LocalControl()
  const gateway = await buildGateway(config, { ...parts, local, previous: previous?.gateway ?? null })
  const { app, state } = gateway
  try {
    await app.ready()
  } catch (error) {
    await app.close()
    throw error
  }
  const close = async (): Promise<void> => app.close()
  return {
    config,
    gateway,
    local,
    close,
    async warm() {
      const limit = new AbortController()
      const done = Promise.all([app.cacheWarmed(), state.upstreams.probe()])
      await Promise.race([done, delay(WARM_LIMIT_MS, null, { signal: limit.signal }).catch(() => {})])
      limit.abort()
    },
    async retire(signal) {
      // What it was still to ask for, its successor asks for.
      await local.apply('cache-warm-cancel', [])
      while (!gateway.idle && !signal.aborted) await delay(LOOK_EVERY_MS, null, { signal }).catch(() => {})
      await close()
    },
  }
}
