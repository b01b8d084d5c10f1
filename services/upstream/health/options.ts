import type { Static } from 'typebox'
import { Duration, milliseconds, OneOf } from '../../options/schema.ts'
import { Type } from '../../options/type.ts'

/** How services say that they are ready, where they agree on it: from the manual of each. */
const PRESETS = {
  clickhouse: { path: '/ping', status: '200' },
  elasticsearch: { path: '/_cluster/health?local=true', status: '200' },
  headrace: { path: '/ready', status: '200' },
  meilisearch: { path: '/health', status: '200' },
  minio: { path: '/minio/health/ready', status: '200' },
  prometheus: { path: '/-/ready', status: '200' },
  qdrant: { path: '/readyz', status: '200' },
  spring: { path: '/actuator/health', status: '200' },
  vault: { path: '/v1/sys/health?standbyok=true', status: '200' },
  weaviate: { path: '/v1/.well-known/ready', status: '200' },
} as const

const PRESET_NAMES = Object.keys(PRESETS) as (keyof typeof PRESETS)[]

/** `health` of an upstream: requests of the gateway itself that tell whether a target is of use. */
export const healthSchema = Type.Object(
  {
    preset: Type.Optional(
      OneOf(PRESET_NAMES, { description: 'Path and status of a well-known service: qdrant is GET /readyz' }),
    ),
    path: Type.Optional(
      Type.String({ pattern: '^/', expects: "a path such as '/ready'", description: 'What is asked for' }),
    ),
    status: Type.Optional(
      Type.String({
        pattern: '^[1-5]\\d\\d(-[1-5]\\d\\d)?(,[1-5]\\d\\d(-[1-5]\\d\\d)?)*$',
        expects: "statuses such as '200', '200-299' or '200,204'",
        description: "Statuses of a target that is well, such as '200,204'; 200-299 without",
      }),
    ),
    host: Type.Optional(Type.String({ description: "The Host field of the request; the target's own without" })),
    interval: Duration({
      default: '10s',
      description: 'From one answer to the next request, a tenth more or less by chance',
    }),
    timeout: Duration({ default: '2s', description: 'For the whole answer, the connection included' }),
    healthyAfter: Type.Integer({ default: 2, minimum: 1, description: 'Good answers in a row until it is used again' }),
    unhealthyAfter: Type.Integer({
      default: 3,
      minimum: 1,
      description: 'Bad ones in a row until it is not used; of a target that is new the first decides',
    }),
  },
  { additionalProperties: false, description: 'Ask each target whether it is well' },
)

/** `outliers` of an upstream: targets that fail more than others are left alone for a while. */
export const outliersSchema = Type.Object(
  {
    consecutiveFailures: Type.Integer({
      default: 5,
      minimum: 0,
      description: 'Failures in a row that eject a target; 0: never for that',
    }),
    failureRatio: Type.Number({
      default: 0,
      minimum: 0,
      maximum: 1,
      description: 'Share of failures in a window that ejects it; 0: never for that',
    }),
    latency: Duration({
      default: '0s',
      description:
        "Mean time to the response head in a window that ejects it, where it is also twice the others'; '0s': never for that",
    }),
    window: Duration({ default: '10s', description: 'What ratio and latency are measured over' }),
    minRequests: Type.Integer({
      default: 20,
      minimum: 1,
      description: 'Requests to a target without which a window says nothing',
    }),
    ejectFor: Duration({
      default: '10s',
      description: 'How long the first time; twice as long each further time, until a window without one',
    }),
    maxEjectFor: Duration({ default: '5m', description: 'How long at most' }),
    maxEjected: Type.Number({
      default: 0.5,
      minimum: 0,
      maximum: 1,
      description: 'Share of the targets that may be ejected at a time; never the last that is of use',
    }),
  },
  { additionalProperties: false, description: 'When a target is left alone for a while' },
)

export type HealthInput = Static<typeof healthSchema>
export type OutliersInput = Static<typeof outliersSchema>

export interface HealthOptions {
  path: string
  /** From, to: both are in. */
  statuses: [from: number, to: number][]
  host: string | null
  intervalMs: number
  timeoutMs: number
  healthyAfter: number
  unhealthyAfter: number
}

export interface OutlierOptions {
  consecutiveFailures: number
  failureRatio: number
  latencyMs: number
  windowMs: number
  minRequests: number
  ejectForMs: number
  maxEjectForMs: number
  maxEjected: number
}

export function resolveHealth(input: HealthInput): HealthOptions {
  const preset = input.preset === undefined ? undefined : PRESETS[input.preset]
  const status = input.status ?? preset?.status ?? '200-299'
  return {
    path: input.path ?? preset?.path ?? '/',
    statuses: status.split(',').map((range) => {
      const [from, to = from] = range.split('-').map(Number) as [number, number?]
      return [from, to]
    }),
    host: input.host ?? null,
    intervalMs: milliseconds(input.interval),
    timeoutMs: milliseconds(input.timeout),
    healthyAfter: input.healthyAfter,
    unhealthyAfter: input.unhealthyAfter,
  }
}

export function resolveOutliers({ latency, window, ejectFor, maxEjectFor, ...input }: OutliersInput): OutlierOptions {
  return {
    ...input,
    latencyMs: milliseconds(latency),
    windowMs: milliseconds(window),
    ejectForMs: milliseconds(ejectFor),
    maxEjectForMs: milliseconds(maxEjectFor),
  }
}
