import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { LocalControl } from '../services/control/local.ts'
import { eventLog } from '../services/upstream/event-log.ts'
import type { Upstreams } from '../services/upstream/upstreams.ts'

/**
 * The upstreams and their connection pools. It shares `upstreams`, starts them (names are looked up before the instance is
 * ready, for two seconds at most), tells its log what happens to them, and closes them with the instance.
 */
export interface UpstreamsPluginOptions {
  upstreams: Upstreams
  /** Answers `upstreams` and obeys `upstream-target` of the control port. */
  local?: LocalControl
}

declare module 'fastify' {
  interface FastifyInstance {
    upstreams: Upstreams
  }
}

async function upstreams(fastify: FastifyInstance, { upstreams, local }: UpstreamsPluginOptions): Promise<void> {
  fastify.decorate('upstreams', upstreams)
  // Upstreams that the next gateway takes over go on telling: not this one's log.
  const unwatch = upstreams.watch(eventLog(fastify.log))
  local?.answer({ upstreams: () => upstreams.list() })
  local?.obey({ 'upstream-target': ({ upstream, change }) => upstreams.change(upstream, change) })
  fastify.addHook('onReady', () => upstreams.start())
  fastify.addHook('onClose', async () => {
    unwatch()
    await upstreams.close()
  })
}

export default fp(upstreams, { name: 'headrace-upstreams', fastify: '5.x' })
