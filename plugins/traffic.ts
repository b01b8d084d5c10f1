import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Traffic } from '../services/monitor/traffic.ts'

/** What the routes to upstreams have answered, and how long that took. It shares `traffic`. */
export interface TrafficPluginOptions {
  /** `null` where nothing is counted. */
  traffic: Traffic | null
}

declare module 'fastify' {
  interface FastifyInstance {
    /** Requests by route, method and status; `null` where nothing is counted. */
    traffic: Traffic | null
  }
}

async function traffic(fastify: FastifyInstance, options: TrafficPluginOptions): Promise<void> {
  fastify.decorate('traffic', options.traffic)
}

export default fp(traffic, { name: 'headrace-traffic', fastify: '5.x' })
