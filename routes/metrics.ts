import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import fp from 'fastify-plugin'
import { EXPOSITION_TYPE, toExposition } from './exposition.ts'
import { adminSecurity, controlProblems } from './schemas.ts'
import { Type } from '../services/options/type.ts'

export interface MetricsRouteOptions {
  /** Where it is mounted. */
  path: string
}

/** All processes' metrics for Prometheus, behind the admin token. */
const metricsRoute: FastifyPluginAsyncTypebox<MetricsRouteOptions> = async (fastify, { path }) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.get(
    path,
    {
      config: { scope: 'metrics' },
      schema: {
        tags: ['performance'],
        summary: 'Metrics for Prometheus',
        description: 'The text format 0.0.4; docs/metrics.md lists every metric. Several processes are added up.',
        security: adminSecurity,
        response: {
          200: { description: 'Every metric', content: { 'text/plain': { schema: Type.String() } } },
          ...controlProblems,
        },
      },
    },
    async (_request, reply) => {
      const { result } = await fastify.control.ask('metrics')
      return reply.type(EXPOSITION_TYPE).send(toExposition(result))
    },
  )
}

export default fp(metricsRoute, {
  name: 'headrace-metrics-route',
  fastify: '5.x',
  encapsulate: true,
  decorators: { fastify: ['control', 'adminGuard'] },
})
