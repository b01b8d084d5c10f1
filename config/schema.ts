import { Type, type Static } from 'typebox'
import { adminSchema, endpointsSchema } from '../services/control/options.ts'
import { forwardedSchema } from '../services/downstream/options.ts'
import { limitsSchema, listenerSchema } from '../services/listener/options.ts'
import { logSchema } from '../services/log/options.ts'
import { Duration } from '../services/options/schema.ts'
import { routeSchema } from '../services/routing/options.ts'
import { upstreamSchema } from '../services/upstream/options.ts'

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
    processes: Type.Integer({ default: 1, minimum: 1, maximum: 256, description: 'Data-plane processes' }),
    drainTimeout: Duration({
      default: '30s',
      description: 'How long requests in flight may take after SIGTERM before they are cut',
    }),
    log: logSchema,
    metrics: Type.Boolean({ default: true, description: 'Count requests for /metrics and /performance' }),
    serverTiming: Type.Boolean({ default: true, description: 'Add Server-Timing to proxied answers' }),
    limits: limitsSchema,
    forwarded: forwardedSchema,
    endpoints: endpointsSchema,
    upstreams: Type.Record(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$' }), upstreamSchema, {
      default: {},
      additionalProperties: false,
      description: 'The services behind the gateway, by name',
    }),
    routes: Type.Record(Type.String(), routeSchema, {
      default: {},
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
