import { randomUUID } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { adminSecurity, badRequest, controlProblems } from '../schemas.ts'
import { Type } from '../../services/options/type.ts'

const DAY_S = 86_400

const appliedSchema = Type.Object({
  processes: Type.Integer({ description: 'How many processes have applied it' }),
})

/** Taking tokens and sessions back before they end. */
const tokenRoutes: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.post(
    '/tokens/revoke',
    {
      schema: {
        tags: ['performance'],
        summary: 'Refuse one token, or all tokens and sessions that somebody has had until now',
        description:
          'In all processes when this is answered; with Redis, on all machines within a second. It is kept in the data directory, and outlives restarts.',
        security: adminSecurity,
        body: Type.Object(
          {
            kind: Type.Unsafe<'token' | 'subject'>({
              type: 'string',
              enum: ['token', 'subject'],
              description: 'token: by its claim jti. subject: by sub, or issuer|sub for one issuer alone',
            }),
            name: Type.String({ minLength: 1, maxLength: 512 }),
            seconds: Type.Integer({
              default: DAY_S,
              minimum: 1,
              maximum: 3_660 * DAY_S,
              description: 'For how long: longer than such tokens last',
            }),
          },
          { additionalProperties: false, examples: [{ kind: 'subject', name: 'ada' }] },
        ),
        response: { 200: appliedSchema, ...badRequest, ...controlProblems },
      },
    },
    async (request) => {
      const { kind, name, seconds } = request.body
      const at = Date.now()
      const list = [{ kind, name, at, until: at + seconds * 1_000 }]
      const { applied } = await fastify.control.tell('revoke', { from: null, list })
      return { processes: applied }
    },
  )
  fastify.post(
    '/tokens/refresh',
    {
      schema: {
        tags: ['performance'],
        summary: "Read the issuers' keys now, and forget what was remembered of tokens",
        description:
          'For a key that an issuer has taken back: answered when every process of this machine has the keys that it could get, and judges each token anew; with Redis, those of other machines do the same within a second.',
        security: adminSecurity,
        response: { 200: appliedSchema, ...controlProblems },
      },
    },
    async () => {
      const { applied } = await fastify.control.tell('tokens-refresh', { id: randomUUID() })
      return { processes: applied }
    },
  )
}

export default tokenRoutes
