import type { Static } from 'typebox'
import { Duration, milliseconds, OneOf } from '../../options/schema.ts'
import { Type } from '../../options/type.ts'
import { parseDuration } from '../../options/units.ts'

const FAILURES = ['connect', 'reset', 'timeout'] as const

/** `retry` of an upstream or a route. */
export const retrySchema = Type.Object(
  {
    attempts: Type.Integer({
      default: 3,
      minimum: 1,
      maximum: 10,
      description: 'How often in all, the first included',
    }),
    on: Type.Array(
      Type.Union([
        OneOf(FAILURES, { description: 'A failure' }),
        Type.Integer({ minimum: 400, maximum: 599, description: 'A status' }),
      ]),
      {
        default: ['connect', 'reset', 'timeout', 502, 503, 504],
        description:
          "What is tried again: no connection ('connect'), one that breaks before an answer ('reset'), no answer in time ('timeout'), statuses",
      },
    ),
    backoff: Duration({
      default: '25ms',
      description: 'Wait before the second attempt, half of it by chance; twice as long before each further one',
    }),
  },
  { additionalProperties: false, description: 'Sending a request again that failed' },
)

/** `retryBudget` of an upstream. */
export const budgetSchema = Type.Object(
  {
    ratio: Type.Number({
      default: 0.2,
      minimum: 0,
      maximum: 1,
      description: 'Share of the requests of the last ten seconds that may be sent again',
    }),
    perSecond: Type.Number({
      default: 3,
      minimum: 0,
      maximum: 1_000,
      description: 'How many a second may be in any case',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'How much retries and hedges may add to the requests of an upstream, so that they multiply no outage',
  },
)

/** `hedge` of an upstream or a route. */
export const hedgeSchema = Type.Object(
  {
    after: Type.String({
      pattern: '^(p50|p75|p90|p95|p99|\\d+(\\.\\d+)?(ms|s))$',
      expects: "a duration such as '100ms', or the time that so many answers take: 'p95'",
      default: 'p95',
      description:
        "When there is no answer yet: a duration, or the time that so many of this upstream's answers take ('p95')",
    }),
    max: Type.Integer({ default: 1, minimum: 1, maximum: 3, description: 'Further attempts' }),
  },
  {
    additionalProperties: false,
    description: 'Ask another target as well where one is slow, and take the answer that comes first',
  },
)

/** `timeout` of a route: what it says goes over its upstream's. */
export const routeTimeoutSchema = Type.Object(
  {
    firstByte: Type.Optional(Duration({ description: 'From the sent request to the response head' })),
    idle: Type.Optional(Duration({ description: 'Between two chunks of a response body' })),
    total: Type.Optional(
      Duration({ description: "From the request's arrival to the response head, retries included" }),
    ),
    streamIdle: Type.Optional(Duration({ description: 'Instead of idle for event streams and upgrades' })),
  },
  { additionalProperties: false, description: "Timeouts of this route; what is left out is as the upstream's" },
)

export type RetryInput = Static<typeof retrySchema>
export type BudgetOptions = Static<typeof budgetSchema>
export type HedgeInput = Static<typeof hedgeSchema>
export type RouteTimeoutInput = Static<typeof routeTimeoutSchema>

/** Failures of an attempt that retries tell apart. */
export type RetryCause = (typeof FAILURES)[number] | 'status'

export interface RetryOptions {
  attempts: number
  connect: boolean
  reset: boolean
  timeout: boolean
  statuses: number[]
  backoffMs: number
  /** Where there is no other target, the same is asked again. */
  sameTarget: boolean
}

export interface HedgeOptions {
  /** A time, or the share of answers that have come by then: 0…1. */
  after: { ms: number } | { quantile: number }
  max: number
}

/** What a route says of its timeouts. */
export interface RouteTimeoutOptions {
  firstByteMs?: number
  idleMs?: number
  totalMs?: number
  streamIdleMs?: number
}

/** Where nothing is said: a connection that cannot be had does no harm, and another target is at hand. */
export const RETRY_CONNECTS: RetryOptions = {
  attempts: 3,
  connect: true,
  reset: false,
  timeout: false,
  statuses: [],
  backoffMs: 0,
  sameTarget: false,
}

export function resolveRetry({ attempts, on, backoff }: RetryInput): RetryOptions {
  return {
    attempts,
    connect: on.includes('connect'),
    reset: on.includes('reset'),
    timeout: on.includes('timeout'),
    statuses: on.filter((one) => typeof one === 'number'),
    backoffMs: milliseconds(backoff),
    sameTarget: true,
  }
}

export function resolveHedge({ after, max }: HedgeInput): HedgeOptions {
  const ms = parseDuration(after)
  return { after: ms === undefined ? { quantile: Number(after.slice(1)) / 100 } : { ms }, max }
}

export function resolveRouteTimeout(input: RouteTimeoutInput): RouteTimeoutOptions {
  const given = Object.entries(input).filter(([, text]) => text !== undefined)
  return Object.fromEntries(given.map(([name, text]) => [`${name}Ms`, milliseconds(text)]))
}
