import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { LocalControl } from '../services/control/local.ts'
import type { Upstreams } from '../services/upstream/upstreams.ts'

/**
 * What one process finds out of a target by its requests, all others go by: without, each would send it as many requests
 * until it leaves it alone by itself. It obeys the control port's `target-ejected`. It shares nothing.
 */
export interface EjectionsOptions {
  upstreams: Pick<Upstreams, 'follow' | 'watch'>
  local: Pick<LocalControl, 'obey'>
  /** By what the others know this process; `null` where there are none. */
  process: number | null
}

async function ejections(fastify: FastifyInstance, { upstreams, local, process }: EjectionsOptions): Promise<void> {
  if (process === null) return
  local.obey({
    'target-ejected': ({ from, ...ejection }) => {
      if (from !== process) upstreams.follow(ejection)
    },
  })
  // A process that starts, or is late, finds it out by itself: nothing is wrong then.
  const unheard = (error: unknown): void =>
    fastify.log.debug({ reason: (error as Error).message }, 'not every process heard of an ejection')
  const unwatch = upstreams.watch((event) => {
    if (event.type !== 'ejected' || event.followed) return
    const { upstream, target, reason, forMs } = event
    const told = { from: process, upstream, target, reason, until: Date.now() + forMs }
    void fastify.control.tell('target-ejected', told).catch(unheard)
  })
  fastify.addHook('onClose', async () => unwatch())
}

export default fp(ejections, { name: 'headrace-ejections', fastify: '5.x', dependencies: ['headrace-control'] })
