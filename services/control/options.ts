import { availableParallelism } from 'node:os'
import type { Static } from 'typebox'
import { OneOf, Port, Rate, Secret } from '../options/schema.ts'
import { Type } from '../options/type.ts'
import { ADMIN_SCOPES } from './scopes.ts'

const MOST_PROCESSES = 256

/** The control plane: where it listens, and its token. */
export const adminSchema = Type.Object(
  {
    host: Type.String({ default: '127.0.0.1', description: 'Address to bind' }),
    port: Port({ default: 9090, description: 'TCP port; 0 asks the system for a free one' }),
    token: Secret({
      default: '',
      pattern: '^[\\x21-\\x7e]*$',
      expects: 'text without blanks',
      description: 'Bearer token (HEADRACE_ADMIN_TOKEN); empty: generated into dataDir',
    }),
    tokens: Type.Record(
      Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$', expects: 'a name of letters, digits, dots and hyphens' }),
      Type.Object(
        {
          bearer: Type.String({
            pattern: '^[\\x21-\\x7e]{16,512}$',
            expects: 'at least 16 characters without blanks',
            secret: true,
            description: 'Bearer token',
          }),
          grants: Type.Array(OneOf(ADMIN_SCOPES, { description: 'A scope' }), {
            minItems: 1,
            description:
              'read: look at the performance API; metrics: the page for Prometheus; operate: purge, warm, maintenance, log level, targets; configure: reload and restart',
          }),
        },
        {
          additionalProperties: false,
          examples: [{ bearer: 'a-long-random-token', grants: ['metrics'] }],
          description: 'A token for some of the control plane',
        },
      ),
      {
        default: {},
        examples: [{ prometheus: { bearer: 'a-long-random-token', grants: ['metrics'] } }],
        description: 'Further tokens by name, each for some of the control plane',
      },
    ),
    shared: Type.Boolean({
      default: false,
      description: 'Serve the control plane on the public listeners, at the same paths, behind its token',
    }),
    rateLimit: Type.Union(
      [Rate({ description: 'How often an address may call, right token or not' }), Type.Literal(false)],
      {
        default: '1000/min',
        description: 'How often an address may call the control plane, right token or not; false: as often as it likes',
      },
    ),
  },
  { additionalProperties: false, default: {}, examples: [{ port: 9090 }], description: 'The control plane' },
)

/** Where the performance API is found wherever else it is moved: the command line looks there. */
export const PERFORMANCE_ALIAS = '/api/v1/performance'

const endpoint = (path: string, description: string) =>
  Type.Union(
    [
      Type.String({ pattern: '^/[^*:]*$', expects: "a path such as '/health', without parameters" }),
      Type.Literal(false),
    ],
    {
      default: path,
      description,
    },
  )

/** The gateway's own public endpoints: each can be moved, or set to false. */
export const endpointsSchema = Type.Object(
  {
    health: endpoint('/health', 'Liveness'),
    ready: endpoint('/ready', 'Readiness'),
    docs: endpoint('/docs', 'Swagger UI'),
    openapi: endpoint('/openapi.json', 'The OpenAPI document'),
    performance: endpoint('/performance', 'The performance API (control plane)'),
    metrics: endpoint('/metrics', 'Prometheus metrics (control plane)'),
  },
  { additionalProperties: false, default: {}, description: "Paths of the gateway's own endpoints" },
)

/** Data-plane processes. */
export const processesSchema = Type.Union(
  [Type.Integer({ minimum: 1, maximum: MOST_PROCESSES }), Type.Literal('auto')],
  {
    default: 1,
    description: "Data-plane processes; 'auto': one for each CPU that this machine, or its container, may use",
  },
)

export type ProcessesInput = Static<typeof processesSchema>

/** @param cpus that may be used; by default as the system says, which knows the quota of a container (libuv 1.49) */
export function resolveProcesses(input: ProcessesInput, cpus: number = availableParallelism()): number {
  return input === 'auto' ? Math.min(Math.max(1, cpus), MOST_PROCESSES) : input
}

export type AdminInput = Static<typeof adminSchema>
export type AdminOptions = AdminInput
export type EndpointsInput = Static<typeof endpointsSchema>
export type EndpointsOptions = EndpointsInput
