import type { Static } from 'typebox'
import { accessSchema } from '../services/access/options.ts'
import { cacheSchema } from '../services/cache/options.ts'
import { compressionSchema } from '../services/compression/options.ts'
import { reloadSchema } from '../services/configuration/options.ts'
import { adminSchema, endpointsSchema, processesSchema } from '../services/control/options.ts'
import { forwardedSchema } from '../services/downstream/options.ts'
import { limitsSchema, listenerSchema } from '../services/listener/options.ts'
import { limitsSchema as rateLimitsSchema, tiersSchema } from '../services/limit/options.ts'
import { logSchema } from '../services/log/options.ts'
import { maintenanceSchema } from '../services/maintenance/options.ts'
import { Duration } from '../services/options/schema.ts'
import { Type } from '../services/options/type.ts'
import { pressureSchema } from '../services/pressure/options.ts'
import { redisSchema } from '../services/redis/options.ts'
import { routeSchema } from '../services/routing/options.ts'
import { upstreamSchema } from '../services/upstream/options.ts'
import { workersSchema } from '../services/workers/options.ts'

/**
 * The whole configuration, composed from the schemas that live with the services. From this one come validation, types,
 * `headrace print --schema` and docs/configuration.md.
 */
export const configSchema = Type.Object(
  {
    listen: Type.Union([listenerSchema, Type.Array(listenerSchema, { minItems: 1 })], {
      default: {},
      description: 'Where clients connect: one listener, or several',
    }),
    admin: Type.Union([adminSchema, Type.Literal(false)], {
      default: {},
      description: 'The control plane; false switches it off',
    }),
    processes: processesSchema,
    drainTimeout: Duration({
      default: '30s',
      description: 'How long requests in flight may take after SIGTERM before they are cut',
    }),
    reload: reloadSchema,
    log: logSchema,
    metrics: Type.Boolean({ default: true, description: 'Count requests for /metrics and /performance' }),
    serverTiming: Type.Boolean({ default: true, description: 'Add Server-Timing to proxied answers' }),
    limits: limitsSchema,
    forwarded: forwardedSchema,
    access: accessSchema,
    cache: cacheSchema,
    compression: Type.Union([compressionSchema, Type.Boolean()], {
      default: false,
      description: 'Compress answers (docs/compression.md): true, or how. A route may say something else',
    }),
    workers: workersSchema,
    redis: redisSchema,
    maintenance: maintenanceSchema,
    rateLimit: rateLimitsSchema,
    tiers: tiersSchema,
    pressure: Type.Union([pressureSchema, Type.Boolean()], {
      default: false,
      description:
        'Turn away what matters least while the gateway has more to do than it can (docs/load-shedding.md): true, or when',
    }),
    endpoints: endpointsSchema,
    upstreams: Type.Record(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$' }), upstreamSchema, {
      default: {},
      additionalProperties: false,
      examples: [{ orders: { targets: ['http://127.0.0.1:3000'] } }],
      description: 'The services behind the gateway, by name',
    }),
    routes: Type.Record(Type.String(), routeSchema, {
      default: {},
      examples: [{ '/api/*': { to: 'orders' } }],
      description: "Which requests go where, by '[METHODS ][host]/path'",
    }),
    dataDir: Type.String({
      default: '.headrace',
      description: 'Folder of the development certificate, the admin address and a generated token',
    }),
  },
  { additionalProperties: false, description: 'The configuration of Headrace' },
)

/** The configuration as people write it, with every default filled in. */
export type Settings = Static<typeof configSchema>
