import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import {
  adminSecurity,
  badRequest,
  connectionsSchema,
  controlProblems,
  missingSchema,
  targetStateSchema,
} from '../schemas.ts'

const latencySchema = Type.Object({
  count: Type.Integer(),
  meanMs: Type.Number(),
  p50Ms: Type.Number(),
  p90Ms: Type.Number(),
  p99Ms: Type.Number(),
  maxMs: Type.Number(),
})

const poolSchema = Type.Object({
  upstream: Type.String(),
  target: Type.String(),
  required: Type.Boolean(),
  state: targetStateSchema,
  connections: connectionsSchema,
  attempts: Type.Integer({ description: 'Requests sent to the target so far' }),
  errors: Type.Integer({ description: 'Attempts without a complete response, except those that clients gave up' }),
  outcomes: Type.Record(Type.String(), Type.Integer(), { description: 'Attempts by how they ended' }),
  retries: Type.Integer(),
  lastError: Type.Union([
    Type.Object({
      outcome: Type.String(),
      code: Type.String(),
      at: Type.Integer({ description: 'Unix time in milliseconds' }),
    }),
    Type.Null(),
  ]),
  latency: Type.Record(Type.String(), latencySchema, {
    description:
      'By outcome: from sending to the response head, or to how else attempts ended; percentiles within 3.2 %',
  }),
})

/** Every upstream target: its connections, what became of its requests, and how fast it answers. */
const poolsRoute: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.get(
    '/pools',
    {
      schema: {
        tags: ['performance'],
        summary: 'Connections, outcomes and latency of every upstream target',
        security: adminSecurity,
        querystring: Type.Object({
          upstream: Type.Optional(Type.String({ maxLength: 200, description: 'Only the targets of this upstream' })),
        }),
        response: {
          200: Type.Object({ pools: Type.Array(poolSchema), missing: missingSchema }),
          ...badRequest,
          ...controlProblems,
        },
      },
    },
    async (request, reply) => {
      const { upstream } = request.query
      const { result, missing } = await fastify.control.ask('pools')
      void reply.header('cache-control', 'no-store')
      return { pools: result.filter((pool) => upstream === undefined || pool.upstream === upstream), missing }
    },
  )
}

export default poolsRoute
