import type { Static } from 'typebox'
import { Duration, milliseconds } from '../options/schema.ts'
import { Type } from '../options/type.ts'

/** `maintenance` at the top of the configuration. */
export const maintenanceSchema = Type.Object(
  {
    enabled: Type.Boolean({
      default: false,
      description:
        'All routes are answered 503 from the start; while the gateway runs, `headrace maintenance on` and `off` say it',
    }),
    retryAfter: Duration({ default: '5m', description: 'When clients are told to try again (Retry-After)' }),
    allow: Type.Array(
      Type.String({
        pattern: '^(?:loopback|private|[0-9A-Fa-f.:]+(?:/[0-9]{1,3})?)$',
        expects: "an address, a block such as '10.0.0.0/8', 'loopback' or 'private'",
        description: 'An address or a block of them',
      }),
      {
        default: [],
        maxItems: 1000,
        description:
          "Clients that get through all the same: addresses, CIDR blocks, or 'loopback', 'private'; behind a proxy, what `forwarded.trust` makes of it",
      },
    ),
    ready: Type.Boolean({
      default: true,
      description:
        '/ready goes on to say ready while all routes are in maintenance, so that clients get this answer; false: 503, so that a balancer sends them elsewhere',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'What clients are told while something is worked on, all routes or single ones',
  },
)

export type MaintenanceInput = Static<typeof maintenanceSchema>

export interface MaintenanceOptions {
  enabled: boolean
  retryAfterMs: number
  allow: string[]
  ready: boolean
}

export function resolveMaintenance({ retryAfter, ...input }: MaintenanceInput): MaintenanceOptions {
  return { ...input, retryAfterMs: milliseconds(retryAfter) }
}
