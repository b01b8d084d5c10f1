import type { Static } from 'typebox'
import { Duration, milliseconds, OneOf, Rate } from '../options/schema.ts'
import { Type } from '../options/type.ts'
import { parseRate } from '../options/units.ts'
import type { Period } from './clock.ts'

const TOKEN = "[A-Za-z0-9!#$%&'*+.^_`|~-]+"
const MOST_UNITS = 1_000_000_000

const keySchema = (description: string) =>
  Type.String({
    pattern: `^(ip|consumer|route|header:${TOKEN}|claim:[^\\s]+)$`,
    expects: "'ip', 'consumer', 'route', 'header:x-tenant' or 'claim:sub'",
    description,
  })

const limitProperties = (by: 'ip' | 'consumer') => ({
  rate: Type.Optional(Rate({ description: "How much passes in the long run: '100/min'; or `max` and `timeWindow`" })),
  max: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MOST_UNITS, description: 'In place of `rate`: units in a `timeWindow`' }),
  ),
  timeWindow: Duration({ default: '1m', description: 'In place of `rate`: the time that `max` is for' }),
  burst: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MOST_UNITS,
      description: 'Units that may be used at once; without it, as many as come back in the window',
    }),
  ),
  by: Type.Union([keySchema('Who shares the limit'), Type.Array(keySchema('A part of the key'), { minItems: 1 })], {
    default: by,
    description:
      "Who shares the limit: 'ip', 'consumer', 'route', 'header:NAME', 'claim:NAME', or several of them together. What a request does not have, its address stands for",
  }),
  cost: Type.Integer({ default: 1, minimum: 1, maximum: MOST_UNITS, description: 'Units that a request costs' }),
  measured: Type.Optional(
    OneOf(['upstream-ms', 'response-bytes'], {
      description:
        'Charge what a request turns out to have cost, once it is over: milliseconds of the upstream, or bytes of the answer; these are the units of the limit then',
    }),
  ),
  mode: OneOf(['leased', 'exact'], {
    default: 'leased',
    description:
      "How processes and machines share it: by units that each borrows ahead (at most 5 % above limits of 100 and more), or by asking with each request, which then waits for Redis ('exact')",
  }),
  dryRun: Type.Boolean({ default: false, description: 'Only count what would have been refused' }),
  allowList: Type.Array(
    Type.String({
      pattern: '^(?:loopback|private|consumer:.+|[0-9A-Fa-f.:]+(?:/[0-9]{1,3})?)$',
      expects: "an address, a block such as '10.0.0.0/8', 'loopback', 'private', 'consumer:NAME' or 'consumer:*'",
      description: 'Somebody whom the limit does not hold for',
    }),
    {
      default: [],
      maxItems: 1000,
      description: 'Whom it does not hold for: addresses, CIDR blocks, consumers (consumer:* for all)',
    },
  ),
  ipv6Subnet: Type.Integer({
    default: 64,
    minimum: 1,
    maximum: 128,
    description: 'Bits of an IPv6 address that count as one client',
  }),
  headers: OneOf(['draft', 'legacy', 'both', 'none'], {
    default: 'draft',
    description:
      'What clients are told of it: RateLimit and RateLimit-Policy (draft), X-RateLimit-* (legacy), both, or neither; Retry-After comes with each 429',
  }),
  maxKeys: Type.Integer({
    default: 1_000_000,
    minimum: 1,
    maximum: 16_000_000,
    description: 'Keys that are told apart at a time, 34 bytes each at most; then those that have used least make room',
  }),
})

const described = {
  additionalProperties: false,
  examples: [{ rate: '100/min', by: 'consumer' }],
  description: 'How often, and how much (docs/rate-limiting.md)',
}

/** One limit; the names that it shares with @fastify/rate-limit mean the same. */
export const limitSchema = Type.Object(limitProperties('ip'), described)

const reference = Type.String({ description: 'Name of a limit in `rateLimit` of the configuration' })

const usable = (by: 'ip' | 'consumer') => {
  const one = Type.Object(
    {
      limit: Type.Optional(
        Type.String({
          description: 'Name of a limit in `rateLimit` of the configuration, to use at a `cost` of its own',
        }),
      ),
      ...limitProperties(by),
    },
    described,
  )
  return [reference, one, Type.Array(Type.Union([reference, one]), { minItems: 1, maxItems: 16 })] as const
}

const quotaSchema = Type.Object(
  {
    day: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MOST_UNITS,
        description: 'Requests in a calendar day, which begins at midnight UTC',
      }),
    ),
    month: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MOST_UNITS,
        description: 'Requests in a calendar month, which begins at midnight UTC',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ day: 10_000 }], description: 'Requests in a calendar day, a month' },
)

const NAME = '^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$'

/** `rateLimit` at the top of the configuration. */
export const limitsSchema = Type.Record(Type.String({ pattern: NAME }), limitSchema, {
  default: {},
  additionalProperties: false,
  examples: [{ clients: { rate: '100/min', by: 'ip' } }],
  description: 'Limits by name: all routes that name one share it',
})

/** `rateLimit` of a route. */
export const routeLimitSchema = Type.Union([...usable('ip'), Type.Literal(false)], {
  description:
    'How often: a limit by name, one of its own, or several, all of which a request has to pass; false: none, not even that of a tier',
})

/** `tiers` at the top of the configuration. */
export const tiersSchema = Type.Record(
  Type.String({ pattern: NAME }),
  Type.Object(
    {
      rateLimit: Type.Optional(
        Type.Union([...usable('consumer')], {
          description: 'How often each of its consumers may call, over all routes',
        }),
      ),
      quota: Type.Optional(quotaSchema),
    },
    { additionalProperties: false, examples: [{ quota: { day: 10_000 } }], description: 'What its consumers may do' },
  ),
  {
    default: {},
    additionalProperties: false,
    examples: [{ gold: { rateLimit: { rate: '1000/min', by: 'consumer' }, quota: { month: 1_000_000 } } }],
    description: 'Classes of consumers, by name: each consumer names its own',
  },
)

export type LimitInput = Static<typeof limitSchema>
export type LimitsInput = Static<typeof limitsSchema>
export type RouteLimitInput = Static<typeof routeLimitSchema>
export type TiersInput = Static<typeof tiersSchema>

export type Measure = 'upstream-ms' | 'response-bytes'
export type LimitHeaders = 'draft' | 'legacy' | 'both' | 'none'

export interface LimitOptions {
  rate: { count: number; windowMs: number }
  burst: number
  /** `ip`, `consumer`, `route`, `header:x-tenant` (in lower case), `claim:sub`. */
  by: string[]
  cost: number
  measured: Measure | null
  mode: 'leased' | 'exact'
  dryRun: boolean
  allowList: string[]
  ipv6Subnet: number
  headers: LimitHeaders
  maxKeys: number
}

/** A limit by its name, or one of its own. */
export interface LimitUse {
  limit: string | LimitOptions
  /** Units that a request costs here. */
  cost: number | null
}

export interface TierOptions {
  name: string
  limits: LimitUse[]
  quota: Partial<Record<Period, number>>
}

/** `max` without a rate counts in a `timeWindow`; config/checks/limits.ts sees to it that there is one of the two. */
export function resolveLimit(input: LimitInput): LimitOptions {
  const { rate, max = 1, timeWindow, burst, by, measured = null, ...rest } = input
  const pace = rate === undefined ? undefined : parseRate(rate)
  const resolved = pace ?? { count: max, windowMs: milliseconds(timeWindow) }
  return {
    ...rest,
    rate: resolved,
    burst: burst ?? resolved.count,
    by: [by].flat().map((part) => (part.startsWith('header:') ? part.toLowerCase() : part)),
    measured,
  }
}

export function resolveLimits(input: LimitsInput): Record<string, LimitOptions> {
  return Object.fromEntries(Object.entries(input).map(([name, limit]) => [name, resolveLimit(limit)]))
}

/** @returns `null` where none holds, not even that of a tier */
export function resolveRouteLimit(input: RouteLimitInput | undefined): LimitUse[] | null {
  if (input === false) return null
  return references(input)
}

export function resolveTiers(input: TiersInput): TierOptions[] {
  return Object.entries(input).map(([name, { rateLimit, quota = {} }]) => ({
    name,
    limits: references(rateLimit),
    quota,
  }))
}

function references(input: Exclude<RouteLimitInput, false> | undefined): LimitUse[] {
  if (input === undefined) return []
  return [input].flat().map((one): LimitUse => {
    if (typeof one === 'string') return { limit: one, cost: null }
    const { limit, ...own } = one
    return limit === undefined ? { limit: resolveLimit(own), cost: null } : { limit, cost: own.cost }
  })
}
