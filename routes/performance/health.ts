import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { adminSecurity, connectionsSchema, controlProblems, missingSchema, targetStateSchema } from '../schemas.ts'
import { Type } from '../../services/options/type.ts'

const bytes = (description: string) => Type.Integer({ description: `${description}, in bytes` })

const limitSchema = Type.Union([Type.Integer(), Type.Null()], {
  description: "The container's memory limit in bytes; null where there is none",
})

const processSchema = Type.Object({
  pid: Type.Integer(),
  uptimeSeconds: Type.Integer(),
  draining: Type.Boolean(),
  memory: Type.Object({
    heapUsedBytes: bytes('JavaScript heap in use'),
    heapLimitBytes: bytes('Where V8 gives up'),
    externalBytes: bytes('Buffers and other memory outside the heap'),
    rssBytes: bytes('Resident memory'),
    limitBytes: limitSchema,
  }),
  eventLoop: Type.Object({
    delayMs: Type.Union([Type.Number(), Type.Null()], {
      description: 'Mean delay over the last second; null in the first two, which the start takes part in',
    }),
    utilization: Type.Number({ description: 'Share of the last second that the loop was busy, 0…1' }),
  }),
})

const healthSchema = Type.Object({
  status: Type.Union([Type.Literal('healthy'), Type.Literal('degraded'), Type.Literal('unhealthy')]),
  reasons: Type.Array(Type.String(), { description: 'Why the status is not healthy' }),
  version: Type.String(),
  upstreams: Type.Array(
    Type.Object({
      name: Type.String(),
      required: Type.Boolean(),
      state: Type.Union([Type.Literal('up'), Type.Literal('degraded'), Type.Literal('down'), Type.Literal('unknown')]),
      targets: Type.Object({
        total: Type.Integer({ description: 'Those that drain are not counted' }),
        up: Type.Integer(),
        down: Type.Integer({ description: 'Of no use' }),
        states: Type.Array(targetStateSchema, { description: 'Why those are of no use' }),
      }),
    }),
  ),
  pools: connectionsSchema,
  system: Type.Object({
    node: Type.String(),
    platform: Type.String(),
    cpus: Type.Integer(),
    load: Type.Union([Type.Number(), Type.Null()], { description: "One minute's load average" }),
    totalMemoryBytes: bytes('Memory of the machine'),
    freeMemoryBytes: bytes('Free memory of the machine'),
  }),
  memory: Type.Object({
    heapUsedBytes: bytes('JavaScript heaps in use, all processes together'),
    heapUsedRatio: Type.Number({ description: 'Use of the fullest heap, as a share of where V8 gives up' }),
    rssBytes: bytes('Resident memory, all processes together'),
    limitBytes: limitSchema,
  }),
  processes: Type.Array(processSchema),
  missing: missingSchema,
})

/** How the gateway is: always 200, the verdict is in `status`. (`/ready` is the one that answers 503.) */
const healthRoute: FastifyPluginAsyncTypebox = async (fastify) => {
  fastify.addHook('onRequest', fastify.adminGuard)
  fastify.get(
    '/health',
    {
      schema: {
        tags: ['performance'],
        summary: 'How the gateway is, and why',
        description:
          'healthy; degraded: it serves, and something wants attention (a target down, a process missing, a heap or the memory 90 % full, an event loop 100 ms late); unhealthy: a required upstream is down, or it is draining.',
        security: adminSecurity,
        response: { 200: healthSchema, ...controlProblems },
      },
    },
    async () => (await fastify.control.ask('health')).result,
  )
}

export default healthRoute
