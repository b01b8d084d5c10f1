import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import fp from 'fastify-plugin'
import { Type } from '../services/options/type.ts'

export interface HealthRouteOptions {
  /** Where liveness is answered, or false. */
  health: string | false
  /** Where readiness is answered, or false. */
  ready: string | false
  version: string
  /** Name the upstreams that are missing: for listeners that strangers do not reach. */
  details: boolean
}

const readinessSchema = Type.Object({
  status: Type.Union([Type.Literal('ready'), Type.Literal('not ready')]),
  draining: Type.Boolean({ description: 'The gateway is shutting down' }),
  maintenance: Type.Optional(
    Type.Boolean({ description: 'All routes are answered 503, whatever their upstreams; only there while it is so' }),
  ),
  unavailable: Type.Optional(
    Type.Array(Type.String(), {
      description: 'Required upstreams without a usable target; on the admin listener only',
    }),
  ),
})

/** Liveness and readiness for orchestrators and load balancers, without a token. */
const healthRoutes: FastifyPluginAsyncTypebox<HealthRouteOptions> = async (fastify, options) => {
  const { health, ready, version, details } = options
  if (health !== false) {
    fastify.get(
      health,
      {
        schema: {
          tags: ['health'],
          summary: 'Liveness',
          description: 'Answers as long as the process can answer; says nothing about upstreams.',
          response: {
            200: Type.Object({
              status: Type.Literal('ok'),
              version: Type.String(),
              uptimeSeconds: Type.Integer({ description: 'Since the process that answers was started' }),
            }),
          },
        },
      },
      async (_request, reply) => {
        void reply.header('cache-control', 'no-store')
        return { status: 'ok', version, uptimeSeconds: Math.floor(process.uptime()) } as const
      },
    )
  }
  if (ready !== false) {
    fastify.get(
      ready,
      {
        schema: {
          tags: ['health'],
          summary: 'Readiness',
          description:
            '503 while draining, or while a required upstream has no usable target. Targets not known to be up are probed.',
          response: { 200: readinessSchema, 503: readinessSchema },
        },
      },
      async (_request, reply) => {
        const { result } = await fastify.control.ask('readiness')
        const { draining, unavailable, maintenance } = result
        void reply.code(result.ready ? 200 : 503).header('cache-control', 'no-store')
        return {
          status: result.ready ? 'ready' : 'not ready',
          draining,
          ...(maintenance ? { maintenance } : {}),
          ...(details ? { unavailable } : {}),
        } as const
      },
    )
  }
}

export default fp(healthRoutes, {
  name: 'headrace-health',
  fastify: '5.x',
  encapsulate: true,
  decorators: { fastify: ['control'] },
})
