import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { adminSecurity, badRequest, controlProblems, missingSchema } from '../schemas.ts'
import {
  countsSchema,
  memorySchema,
  routeSchema,
  tierSchema,
  topKeySchema,
  URL_DESCRIPTION,
  variantSchema,
} from './cache-schemas.ts'
import { Type } from '../../services/options/type.ts'

/** The shared cache: what it holds and has done, what is stored under a URL, and purging. */
const cacheRoutes: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.get(
    '/cache',
    {
      schema: {
        tags: ['performance'],
        summary: 'What the cache holds, what became of requests, and the policy of each route',
        description: 'All processes added up; each has a memory of its own. Routes without a cache are not listed.',
        security: adminSecurity,
        response: {
          200: Type.Object({
            requests: countsSchema,
            memory: memorySchema,
            tiers: Type.Array(tierSchema, { description: 'Tiers behind the memory; empty where there is none' }),
            flights: Type.Integer({ description: 'Requests to origins under way that others may join' }),
            routes: Type.Array(routeSchema),
            top: Type.Array(topKeySchema, { description: 'Keys with most hits, of those stored now' }),
            missing: missingSchema,
          }),
          ...controlProblems,
        },
      },
    },
    async () => {
      const { result, missing } = await fastify.cacheAdmin.report()
      return { ...result, missing }
    },
  )
  fastify.get(
    '/cache/entry',
    {
      schema: {
        tags: ['performance'],
        summary: 'What is stored under a URL',
        description:
          'Each variant in each process, with its age, freshness, tags and fields; never the body. Fields that hold credentials are named in `hidden`. No variant: nothing is stored, and Cache-Status of an answer says why.',
        security: adminSecurity,
        querystring: Type.Object(
          {
            url: Type.String({
              minLength: 1,
              maxLength: 8192,
              description: URL_DESCRIPTION,
              examples: ['https://api.example.com/vehicles?page=2', '/vehicles?page=2'],
            }),
          },
          { additionalProperties: false },
        ),
        response: {
          200: Type.Object({
            url: Type.String({ description: 'As keys have it' }),
            variants: Type.Array(variantSchema),
            more: Type.Integer({ description: 'Further variants that are not listed' }),
            missing: missingSchema,
          }),
          ...badRequest,
          ...controlProblems,
        },
      },
    },
    async (request) => {
      const { result, missing } = await fastify.cacheAdmin.entry(request.query.url)
      return { ...result, missing }
    },
  )
  const named = (description: string, ...examples: string[]) =>
    Type.Optional(Type.String({ minLength: 1, maxLength: 8192, description, examples }))
  fastify.post(
    '/cache/purge',
    {
      schema: {
        tags: ['performance'],
        summary: 'Purge by URL, prefix, pattern or tag, or everything',
        description:
          'In every process. What was asked of an origin before the purge and arrives after it is not stored. Exactly one of url, prefix, pattern, tag and all.',
        security: adminSecurity,
        body: Type.Object(
          {
            url: named(
              `All variants of one URL. ${URL_DESCRIPTION}`,
              'https://api.example.com/vehicles?page=2',
              '/vehicles/7',
            ),
            prefix: named('Every URL, or path, that begins so', 'https://api.example.com/vehicles', '/vehicles/'),
            pattern: named(
              'Every URL, or path, that fits: * stands for any characters, also none and also /',
              'https://*.example.com/vehicles*',
              '/vehicles/*/photo',
            ),
            tag: named('What carries this tag, of its route or by its origin (Surrogate-Key, Cache-Tag)', 'vehicles'),
            all: Type.Optional(Type.Literal(true, { description: 'Everything' })),
            mode: Type.Optional(
              Type.Unsafe<'hard' | 'soft'>({
                type: 'string',
                enum: ['hard', 'soft'],
                default: 'hard',
                description: 'hard: dropped; soft: validated before its next use, or served stale where rules allow it',
              }),
            ),
          },
          {
            additionalProperties: false,
            examples: [{ url: '/vehicles/7' }, { tag: 'vehicles', mode: 'soft' }, { all: true }],
          },
        ),
        response: {
          200: Type.Object({
            purged: Type.Integer({ description: 'Stored responses covered, variants and processes counting' }),
            processes: Type.Integer({ description: 'How many processes have purged: all' }),
            waiting: Type.Integer({
              description:
                'Of these, whose second tier is away: it gets the purge before it is read again, and other machines hear of it only then',
            }),
          }),
          ...badRequest,
          ...controlProblems,
        },
      },
    },
    async (request) => {
      const { mode = 'hard', ...named } = request.body
      return await fastify.cacheAdmin.purge(named, mode)
    },
  )
}

export default cacheRoutes
