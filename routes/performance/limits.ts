import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { adminSecurity, controlProblems, missingSchema } from '../schemas.ts'
import { Type } from '../../services/options/type.ts'

const countSchema = (description: string) => Type.Integer({ description })

const limitSchema = Type.Object({
  name: Type.String({ description: "The limit's name, the route's key for one of its own, or its tier" }),
  description: Type.String({ description: 'How much, in which time, and who shares it' }),
  mode: Type.String({ description: 'leased: units are borrowed ahead; exact: each request asks' }),
  dryRun: Type.Boolean({ description: 'It only counts' }),
  allowed: countSchema('Requests that it has let pass'),
  limited: countSchema('Requests that it has refused'),
  wouldLimit: countSchema('Requests that it would have refused, were it in force'),
  exempt: countSchema('Requests that it does not hold for'),
  keys: countSchema('Clients, or whatever it goes by, that have used some of it'),
  refused: Type.Array(
    Type.Object({
      key: Type.String({ description: 'Address, consumer or route; what fields and claims say is told by a digest' }),
      count: countSchema('Requests refused'),
    }),
    { description: 'Those that were refused most often' },
  ),
})

const sharingSchema = Type.Object({
  ledger: Type.String({ description: 'Who keeps the limits that are shared: redis, supervisor' }),
  ready: Type.Boolean({ description: 'It can be asked; else each process decides by itself' }),
  done: countSchema('Questions that it has answered'),
  failed: countSchema('Questions that it has not answered'),
  alone: countSchema('Decisions that a process made by itself meanwhile'),
})

/** What the rate limits have done. */
const limitRoutes: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.get(
    '/limits',
    {
      schema: {
        tags: ['performance'],
        summary: 'Rate limits: what they have let pass and refused, and whom',
        security: adminSecurity,
        response: {
          200: Type.Object({
            limits: Type.Array(limitSchema),
            shared: Type.Union([sharingSchema, Type.Null()], { description: 'null: nothing is shared' }),
            missing: missingSchema,
          }),
          ...controlProblems,
        },
      },
    },
    async () => {
      const { result, missing } = await fastify.control.ask('limits')
      return { ...result, missing }
    },
  )
}

export default limitRoutes
