import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Access } from '../services/access/access.ts'
import type { LocalControl } from '../services/control/local.ts'

export interface AccessOptions {
  access: Access
  local: Pick<LocalControl, 'answer' | 'obey'>
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Who may call: consumers, and what was decided of them. */
    access: Access
  }
}

/**
 * Who may call. The gates themselves stand ahead of Fastify, in the lane: what is answered from the cache never comes here.
 * It answers the control port's `consumers`, and obeys `consumers-reload`. It shares `access`.
 */
async function access(fastify: FastifyInstance, { access, local }: AccessOptions): Promise<void> {
  fastify.decorate('access', access)
  local.answer({ consumers: () => access.report() })
  local.obey({
    'consumers-reload': () => {
      const failure = access.consumers.reload()
      if (failure !== null) throw failure
    },
  })
}

export default fp(access, { name: 'headrace-access', fastify: '5.x' })
