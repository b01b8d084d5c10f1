import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { adminSecurity, badRequest, controlProblems, logLevelSchema, missingSchema } from '../schemas.ts'
import { Type } from '../../services/options/type.ts'

/** The level of the log, readable and settable while the gateway runs. The next start takes the configured one again. */
const logRoutes: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.get(
    '/log',
    {
      schema: {
        tags: ['performance'],
        summary: 'The level of the log',
        security: adminSecurity,
        response: { 200: Type.Object({ level: logLevelSchema, missing: missingSchema }), ...controlProblems },
      },
    },
    async () => {
      const { result, missing } = await fastify.control.ask('log-level')
      return { level: result, missing }
    },
  )
  fastify.put(
    '/log',
    {
      schema: {
        tags: ['performance'],
        summary: 'Set the level of the log',
        description: 'In all processes, and in those that replace them, until the next start.',
        security: adminSecurity,
        body: Type.Object({ level: logLevelSchema }, { additionalProperties: false }),
        response: {
          200: Type.Object({
            level: logLevelSchema,
            applied: Type.Integer({ description: 'How many processes have applied it: all' }),
          }),
          ...badRequest,
          ...controlProblems,
        },
      },
    },
    async (request) => {
      const { level } = request.body
      const { applied } = await fastify.control.tell('log-level', { level })
      return { level, applied }
    },
  )
}

export default logRoutes
