import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { CacheAdmin } from '../services/control/cache-admin.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The shared cache of every data-plane process. */
    cacheAdmin: CacheAdmin
  }
}

/** The shared cache, for the routes that read and purge it through the control port. It shares `cacheAdmin`. */
async function cacheAdmin(fastify: FastifyInstance): Promise<void> {
  fastify.decorate('cacheAdmin', new CacheAdmin(fastify.control))
}

export default fp(cacheAdmin, {
  name: 'headrace-cache-admin',
  fastify: '5.x',
  dependencies: ['headrace-control'],
})
