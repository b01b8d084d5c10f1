import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { adminSecurity, badRequest, controlProblems, missingSchema, problem } from '../schemas.ts'
import { Type } from '../../services/options/type.ts'

const progressSchema = {
  state: Type.Unsafe<'idle' | 'running' | 'done' | 'cancelled'>({
    type: 'string',
    enum: ['idle', 'running', 'done', 'cancelled'],
    description: 'idle: nothing has been asked for since the start',
  }),
  total: Type.Integer({ description: 'URLs to ask for; each process warms its own memory, and counts them' }),
  done: Type.Integer({ description: 'Answered, well or badly' }),
  failed: Type.Integer({ description: 'Answered 4xx or 5xx, or not at all' }),
  startedAt: Type.Union([Type.Integer({ description: 'Unix time in milliseconds' }), Type.Null()]),
  finishedAt: Type.Union([Type.Integer({ description: 'Unix time in milliseconds' }), Type.Null()]),
  failures: Type.Array(Type.Object({ url: Type.String(), reason: Type.String() }), {
    description: 'The first hundred',
  }),
}

const urlSchema = Type.String({
  minLength: 1,
  maxLength: 8192,
  description:
    "As clients ask for it; a path alone is asked at the first listener's port on localhost, and warm for that host alone",
  examples: ['https://api.example.com/vehicles', '/vehicles'],
})

/** Warming the cache: URLs are asked for a few at a time, so that their answers are stored before clients want them. */
const cacheWarmRoutes: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  const progress = Type.Object({ ...progressSchema, missing: missingSchema })
  fastify.get(
    '/cache/warm',
    {
      schema: {
        tags: ['performance'],
        summary: 'How far warming the cache has come',
        security: adminSecurity,
        response: { 200: progress, ...controlProblems },
      },
    },
    async () => {
      const { result, missing } = await fastify.cacheAdmin.warmProgress()
      return { ...result, missing }
    },
  )
  fastify.post(
    '/cache/warm',
    {
      schema: {
        tags: ['performance'],
        summary: 'Warm the cache',
        description:
          'Begins, in every process, and answers at once; ask again with GET. What is stored and fresh is not asked of its origin.',
        security: adminSecurity,
        body: Type.Object(
          {
            urls: Type.Optional(
              Type.Array(
                Type.Union([
                  urlSchema,
                  Type.Object(
                    { url: urlSchema, headers: Type.Optional(Type.Record(Type.String(), Type.String())) },
                    { additionalProperties: false },
                  ),
                ]),
                {
                  minItems: 1,
                  maxItems: 10_000,
                  description: 'Without it, the list of the configuration (cache.warm)',
                },
              ),
            ),
          },
          { additionalProperties: false, examples: [{}, { urls: ['https://api.example.com/vehicles'] }] },
        ),
        response: { 202: progress, 409: problem('The cache is being warmed'), ...badRequest, ...controlProblems },
      },
    },
    async (request, reply) => {
      const { urls } = request.body
      const targets = urls?.map((given) =>
        typeof given === 'string' ? { url: given, headers: {} } : { url: given.url, headers: given.headers ?? {} },
      )
      const { result, missing } = await fastify.cacheAdmin.warm(targets ?? null)
      void reply.code(202)
      return { ...result, missing }
    },
  )
  fastify.delete(
    '/cache/warm',
    {
      schema: {
        tags: ['performance'],
        summary: 'Stop warming the cache',
        security: adminSecurity,
        response: { 200: progress, ...controlProblems },
      },
    },
    async () => {
      const { result, missing } = await fastify.cacheAdmin.cancelWarming()
      return { ...result, missing }
    },
  )
}

export default cacheWarmRoutes
