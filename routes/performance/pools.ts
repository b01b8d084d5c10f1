import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  adminSecurity,
  badRequest,
  connectionsSchema,
  controlProblems,
  missingSchema,
  targetStateSchema,
} from '../schemas.ts'
import { Type } from '../../services/options/type.ts'

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
  weight: Type.Number({ description: "Its share of the requests, in relation to the others'" }),
  connections: connectionsSchema,
  attempts: Type.Integer({ description: 'Requests sent to the target so far' }),
  errors: Type.Integer({ description: 'Attempts without a complete response, except those that clients gave up' }),
  outcomes: Type.Record(Type.String(), Type.Integer(), { description: 'Attempts by how they ended' }),
  retries: Type.Record(Type.String(), Type.Integer(), {
    description:
      'Requests sent again after a failure here, or to another target as well (hedge), by why; stale: over an idle connection that had been closed',
  }),
  retriesDenied: Type.Integer({ description: 'Those that the retry budget did not allow' }),
  lastError: Type.Union([
    Type.Object({
      outcome: Type.String(),
      code: Type.String(),
      at: Type.Integer({ description: 'Unix time in milliseconds' }),
    }),
    Type.Null(),
  ]),
  check: Type.Union(
    [
      Type.Object({
        passed: Type.Integer(),
        failed: Type.Integer(),
        last: Type.Union([
          Type.Object({
            passed: Type.Boolean(),
            reason: Type.String({ description: 'Why not; empty where it has passed' }),
            ms: Type.Number(),
            at: Type.Integer({ description: 'Unix time in milliseconds' }),
          }),
          Type.Null(),
        ]),
      }),
      Type.Null(),
    ],
    { description: 'Health checks; null where the target is not asked' },
  ),
  breaker: Type.Union(
    [
      Type.Object({
        state: Type.Unsafe<'closed' | 'open' | 'half-open'>({ type: 'string', enum: ['closed', 'open', 'half-open'] }),
        opened: Type.Integer({ description: 'How often it has opened' }),
      }),
      Type.Null(),
    ],
    { description: 'Its circuit breaker; null without one' },
  ),
  concurrency: Type.Union(
    [
      Type.Object({
        limit: Type.Integer({ description: 'Requests it is asked at a time, as found out so far' }),
        inFlight: Type.Integer({ description: 'Requests whose answers have not begun' }),
        waiting: Type.Integer({ description: 'Requests that wait for their turn' }),
        refused: Type.Integer({ description: 'Requests that were answered 503 because they did not come to it' }),
        unloadedMs: Type.Union([Type.Number(), Type.Null()], {
          description: 'How long answers take to begin while nothing waits; null before it is known',
        }),
      }),
      Type.Null(),
    ],
    { description: 'The concurrency limit of its upstream, all targets together; null without one' },
  ),
  ejections: Type.Object(
    {
      count: Type.Integer(),
      now: Type.Union([
        Type.Object({ reason: Type.String(), until: Type.Integer({ description: 'Unix time in milliseconds' }) }),
        Type.Null(),
      ]),
    },
    { description: 'How often it was left alone because it failed, and until when it is' },
  ),
  latency: Type.Record(Type.String(), latencySchema, {
    description:
      'By outcome: from sending to the response head, or to how else attempts ended; percentiles within 3.2 %',
  }),
})

const AS = { active: 'present', draining: 'draining', removed: 'absent' } as const

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
    async (request) => {
      const { result, missing } = await fastify.upstreamAdmin.pools(request.query.upstream)
      return { pools: result, missing }
    },
  )
  fastify.post(
    '/pools/targets',
    {
      schema: {
        tags: ['performance'],
        summary: 'Add, remove or drain a target of an upstream, or change its weight',
        description:
          'In every process, until the gateway ends; the configuration is not changed. What leaves answers the requests it has. What is left out is as the configuration has it.',
        security: adminSecurity,
        body: Type.Object(
          {
            upstream: Type.String({ maxLength: 200, examples: ['fleet'] }),
            target: Type.String({
              maxLength: 2048,
              description: 'An origin',
              examples: ['http://10.0.0.7:4001', 'h2c://10.0.0.7:50051'],
            }),
            state: Type.Unsafe<'active' | 'draining' | 'removed'>({
              type: 'string',
              enum: ['active', 'draining', 'removed'],
              default: 'active',
              description:
                'active: it gets requests, and is added where there is none; draining: no new ones; removed: none, and it is forgotten',
            }),
            weight: Type.Optional(
              Type.Number({ minimum: 0.01, maximum: 1000, description: "Its share, in relation to the others'" }),
            ),
          },
          {
            additionalProperties: false,
            examples: [
              { upstream: 'fleet', target: 'http://10.0.0.7:4001', weight: 2 },
              { upstream: 'fleet', target: 'http://10.0.0.5:4001', state: 'draining' },
            ],
          },
        ),
        response: {
          200: Type.Object({ pools: Type.Array(poolSchema), missing: missingSchema }),
          ...badRequest,
          ...controlProblems,
        },
      },
    },
    async (request) => {
      const { upstream, target, state, weight = null } = request.body
      const { result, missing } = await fastify.upstreamAdmin.change({ upstream, target, as: AS[state], weight })
      return { pools: result, missing }
    },
  )
}

export default poolsRoute
