import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { adminSecurity, badRequest, controlProblems, missingSchema } from '../schemas.ts'
import { Type } from '../../services/options/type.ts'

/** A key has no end of its own, and a file with it may be restored at any time. */
const FOR_GOOD = Number.MAX_SAFE_INTEGER

const Text = (description: string) => Type.String({ description })
const Perhaps = (description: string) => Type.Union([Type.String(), Type.Null()], { description })

const consumerSchema = Type.Object({
  name: Text('The name of the consumer'),
  enabled: Type.Boolean(),
  tier: Perhaps('Which limits hold'),
  groups: Type.Array(Type.String()),
  scopes: Type.Array(Type.String()),
  ways: Type.Array(Type.String(), { description: 'How it may show who it is' }),
  keys: Type.Array(
    Type.Object({
      id: Text('The part of the key that is no secret'),
      created: Perhaps('When it was made'),
      expires: Perhaps('From then on it is not accepted'),
      lastUsed: Perhaps('When it was last accepted, since the processes have started'),
      note: Perhaps('What it is for'),
      revoked: Type.Boolean({ description: 'It is not accepted, whatever the file says' }),
    }),
  ),
})

const callerSchema = Type.Object({
  id: Text('The consumer, or the subject of a token'),
  scheme: Text('How it was shown'),
  allowed: Type.Integer({ description: 'Requests let through' }),
  denied: Type.Integer({ description: 'Requests turned away by a gate after it was known' }),
  lastSeenAt: Type.Integer({ description: 'Milliseconds since 1970' }),
})

/** Who may call, and what revokes a key. */
const consumerRoutes: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.get(
    '/consumers',
    {
      schema: {
        tags: ['performance'],
        summary: 'Consumers, when their keys were last used, and who calls most',
        security: adminSecurity,
        response: {
          200: Type.Object({
            file: Perhaps('Where the consumers are read from beside the configuration'),
            consumers: Type.Array(consumerSchema),
            callers: Type.Array(callerSchema, { description: 'The most active of the last 1,000, at most 100' }),
            missing: missingSchema,
          }),
          ...controlProblems,
        },
      },
    },
    async () => {
      const { result, missing } = await fastify.control.ask('consumers')
      return { ...result, missing }
    },
  )
  fastify.post(
    '/consumers/revoke',
    {
      schema: {
        tags: ['performance'],
        summary: 'Accept a key no more, from now on and in every process',
        description:
          'In all processes when this is answered; with Redis, on all machines within a second. It is kept in the data directory, and outlives restarts; take the key out of the file or the configuration all the same.',
        security: adminSecurity,
        body: Type.Object(
          { key: Type.String({ pattern: '^[0-9a-z]{8,16}$', description: 'Its id, between the underscores' }) },
          { additionalProperties: false, examples: [{ key: 'k3v9x2ab' }] },
        ),
        response: {
          200: Type.Object({ key: Type.String(), applied: Type.Integer({ description: 'Processes that have heard' }) }),
          ...badRequest,
          ...controlProblems,
        },
      },
    },
    async ({ body: { key } }) => {
      const list = [{ kind: 'key' as const, name: key, at: Date.now(), until: FOR_GOOD }]
      const { applied } = await fastify.control.tell('revoke', { from: null, list })
      return { key, applied }
    },
  )
  fastify.post(
    '/consumers/reload',
    {
      schema: {
        tags: ['performance'],
        summary: "Read the consumers' file again, now",
        description: 'It is followed by itself; this is for those who want to know that it is in force.',
        security: adminSecurity,
        response: {
          200: Type.Object({ applied: Type.Integer({ description: 'Processes that have read it' }) }),
          ...controlProblems,
        },
      },
    },
    async () => {
      const { applied } = await fastify.control.tell('consumers-reload')
      return { applied }
    },
  )
}

export default consumerRoutes
