import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Upstreams } from '../services/upstream/upstreams.ts'

/** The upstreams and their connection pools. It shares `upstreams`, and closes them with the instance. */
export interface UpstreamsPluginOptions {
  upstreams: Upstreams
}

declare module 'fastify' {
  interface FastifyInstance {
    upstreams: Upstreams
  }
}

async function upstreams(fastify: FastifyInstance, options: UpstreamsPluginOptions): Promise<void> {
  fastify.decorate('upstreams', options.upstreams)
  fastify.addHook('onClose', () => options.upstreams.close())
}

export default fp(upstreams, { name: 'headrace-upstreams', fastify: '5.x' })
