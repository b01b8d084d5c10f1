import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { adminSecurity, badRequest, controlProblems, missingSchema } from '../schemas.ts'
import { Type } from '../../services/options/type.ts'

const reportSchema = Type.Object({
  gateway: Type.Boolean({ description: 'All routes are in maintenance' }),
  routes: Type.Array(Type.String(), { description: 'Keys of single routes that are' }),
  missing: missingSchema,
})

/** Maintenance, readable and switchable while the gateway runs. */
const maintenanceRoutes: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.get(
    '/maintenance',
    {
      schema: {
        tags: ['performance'],
        summary: 'What is in maintenance',
        security: adminSecurity,
        response: { 200: reportSchema, ...controlProblems },
      },
    },
    async () => {
      const { result, missing } = await fastify.maintenanceAdmin.report()
      return { gateway: result.gateway, routes: result.routes, missing }
    },
  )
  fastify.put(
    '/maintenance',
    {
      schema: {
        tags: ['performance'],
        summary: 'Answer a route, or all, with 503 and Retry-After, or no longer',
        description:
          'In all processes, and in those that replace them, until the next start; a reload keeps it where the configuration says the same of it as before.',
        security: adminSecurity,
        body: Type.Object(
          {
            enabled: Type.Boolean(),
            route: Type.Optional(
              Type.String({ maxLength: 2048, description: 'Its key in the configuration; without it, all routes' }),
            ),
          },
          { additionalProperties: false, examples: [{ enabled: true, route: '/orders/*' }] },
        ),
        response: { 200: reportSchema, ...badRequest, ...controlProblems },
      },
    },
    async (request) => {
      const { enabled, route = null } = request.body
      const { result, missing } = await fastify.maintenanceAdmin.set(route, enabled)
      return { gateway: result.gateway, routes: result.routes, missing }
    },
  )
}

export default maintenanceRoutes
