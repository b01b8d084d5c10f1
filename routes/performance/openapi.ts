import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { adminSecurity, badRequest, controlProblems, missingSchema } from '../schemas.ts'
import { Type } from '../../services/options/type.ts'

const disagreementSchema = Type.Object({
  side: Type.String({ description: 'response: an answer of the upstream; request: what a client sent' }),
  upstream: Type.String(),
  operation: Type.String({ examples: ['GET /vehicles/{id}'] }),
  status: Type.Integer({ description: 'Of the answer; 0 of requests' }),
  in: Type.String({ description: 'body, header, status, content-type; of requests path, query and cookie as well' }),
  pointer: Type.String({ description: 'JSON Pointer; * stands for each place of a list' }),
  message: Type.String({ description: 'What is wrong there' }),
  count: Type.Integer(),
  firstSeen: Type.Number({ description: 'Milliseconds since 1970' }),
  lastSeen: Type.Number({ description: 'Milliseconds since 1970' }),
})

/** What disagrees with its specification. */
const openapiRoutes: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.get(
    '/openapi/drift',
    {
      schema: {
        tags: ['performance'],
        summary: 'Which answers of upstreams, and which requests, disagree with their specification',
        description:
          'On routes with `validate`, in all processes, the most frequent first. At most 1,000 kinds a process, 50 an operation, since its start.',
        security: adminSecurity,
        querystring: Type.Object(
          {
            side: Type.Optional(Type.Union([Type.Literal('request'), Type.Literal('response')])),
            upstream: Type.Optional(Type.String({ maxLength: 64 })),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            disagreements: Type.Array(disagreementSchema),
            dropped: Type.Integer({ description: 'What there was no room for' }),
            missing: missingSchema,
          }),
          ...badRequest,
          ...controlProblems,
        },
      },
    },
    async (request) => {
      const { side, upstream } = request.query
      const { result, missing } = await fastify.control.ask('openapi-drift')
      const disagreements = result.disagreements.filter(
        (one) => (side === undefined || one.side === side) && (upstream === undefined || one.upstream === upstream),
      )
      return { disagreements, dropped: result.dropped, missing }
    },
  )
}

export default openapiRoutes
