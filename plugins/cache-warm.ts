import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Warmer } from '../services/cache/warm.ts'
import type { WarmTarget } from '../services/cache/warm-target.ts'
import type { LocalControl } from '../services/control/local.ts'
import type { Lane } from '../services/lane/lane.ts'
import { requestOfLane } from '../services/lane/lane-request.ts'

/**
 * Asks for what clients will want before they do: the configured list once the process is ready, and what the control
 * plane sends. It answers `cache-warm` for this process. It shares `cacheWarmed`.
 */
export interface CacheWarmOptions {
  local: LocalControl
  lane: Lane
  /** Of the configuration. */
  targets: readonly WarmTarget[]
  /** What a path alone is asked at. */
  base: string
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Resolves when the configured list has been asked for, whatever came of it. */
    cacheWarmed(): Promise<void>
  }
}

async function cacheWarm(fastify: FastifyInstance, { local, lane, targets, base }: CacheWarmOptions): Promise<void> {
  const warmer = new Warmer({ request: (target, signal) => requestOfLane(lane, target, { base, signal }) })
  // What came of it is in the progress; a round never rejects.
  const begin = async (list: readonly WarmTarget[]): Promise<void> => {
    const { state, total, failed } = await warmer.start(list)
    if (list.length > 0) fastify.log.info({ state, total, failed }, 'Cache warmed')
  }
  let first = Promise.resolve()
  fastify.decorate('cacheWarmed', () => first)
  local.answer({ 'cache-warm': () => warmer.progress })
  local.obey({
    'cache-warm': ({ targets: given }) => void begin(given ?? targets),
    'cache-warm-cancel': () => void warmer.cancel(),
  })
  fastify.addHook('onReady', async () => {
    if (targets.length > 0) first = begin(targets)
  })
  fastify.addHook('preClose', async () => void warmer.cancel())
}

export default fp(cacheWarm, { name: 'headrace-cache-warm', fastify: '5.x' })
