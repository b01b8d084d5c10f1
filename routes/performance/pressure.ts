import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { adminSecurity, controlProblems, missingSchema } from '../schemas.ts'
import { Type } from '../../services/options/type.ts'

const reasonSchema = Type.Unsafe<'event-loop-delay' | 'event-loop-utilization' | 'heap' | 'rss' | 'in-flight'>({
  type: 'string',
  enum: ['event-loop-delay', 'event-loop-utilization', 'heap', 'rss', 'in-flight'],
})

const classSchema = Type.Object({
  priority: Type.String({ description: 'Of the route, or of the caller' }),
  anonymous: Type.Boolean({ description: 'Callers who have not shown who they are: they go first' }),
  chance: Type.Number({ description: 'To be turned away now: 0…1' }),
  admitted: Type.Integer(),
  shed: Type.Record(Type.String(), Type.Integer(), { description: 'Answered 503, by why' }),
})

const reportSchema = Type.Object({
  state: Type.Unsafe<'off' | 'calm' | 'shedding'>({
    type: 'string',
    enum: ['off', 'calm', 'shedding'],
    description: 'off: nothing is ever turned away (`pressure` in the configuration)',
  }),
  level: Type.Number({
    description: 'Share of the requests that is turned away: 0…1; of several processes the highest',
  }),
  reasons: Type.Array(reasonSchema, { description: 'What is over its threshold now, in any process' }),
  inFlight: Type.Object({
    now: Type.Integer({ description: 'Exchanges under way' }),
    limit: Type.Union([Type.Integer(), Type.Null()]),
  }),
  readings: Type.Union(
    [
      Type.Object({
        eventLoopDelayMs: Type.Number({ description: '99th percentile of the last sample' }),
        eventLoopUtilization: Type.Number(),
        heapUsedBytes: Type.Integer(),
        heapLimitBytes: Type.Integer(),
        rssBytes: Type.Integer(),
      }),
      Type.Null(),
    ],
    { description: 'Of the process that is pressed hardest; null before the first sample' },
  ),
  classes: Type.Array(classSchema, { description: 'In the order in which they are turned away' }),
  missing: missingSchema,
})

const OFF = { level: 0, reasons: [], inFlight: { now: 0, limit: null }, readings: null, classes: [] }

/** Load shedding: whether, how much, why, and whom it meets. */
const pressureRoute: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.get(
    '/pressure',
    {
      schema: {
        tags: ['performance'],
        summary: 'What there is room for, and what is turned away',
        security: adminSecurity,
        response: { 200: reportSchema, ...controlProblems },
      },
    },
    async () => {
      const { result, missing } = await fastify.control.ask('pressure')
      return result === null ? { state: 'off' as const, ...OFF, missing } : { ...result, missing }
    },
  )
}

export default pressureRoute
