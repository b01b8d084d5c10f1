import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { UpstreamAdmin } from '../services/control/upstream-admin.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The targets of every data-plane process. */
    upstreamAdmin: UpstreamAdmin
  }
}

/** The targets of upstreams, for the routes that show and change them through the control port. It shares `upstreamAdmin`. */
async function upstreamAdmin(fastify: FastifyInstance): Promise<void> {
  fastify.decorate('upstreamAdmin', new UpstreamAdmin(fastify.control))
}

export default fp(upstreamAdmin, {
  name: 'headrace-upstream-admin',
  fastify: '5.x',
  dependencies: ['headrace-control'],
})
