import type { Static } from 'typebox'
import { Duration, milliseconds } from '../../options/schema.ts'
import { Type } from '../../options/type.ts'

/** `breaker` of an upstream: each target has one. */
export const breakerSchema = Type.Object(
  {
    failures: Type.Integer({
      default: 5,
      minimum: 0,
      description: 'Failures in a row that open it; 0: never for that',
    }),
    ratio: Type.Number({
      default: 0.5,
      minimum: 0,
      maximum: 1,
      description: 'Share of failures in the window that opens it; 0: never for that',
    }),
    window: Duration({ default: '10s', description: 'What the ratio is measured over' }),
    minRequests: Type.Integer({
      default: 20,
      minimum: 1,
      description: 'Requests in the window without which the ratio says nothing',
    }),
    openFor: Duration({
      default: '10s',
      description: 'How long nothing is sent to the target; then it is tried (half-open)',
    }),
    probes: Type.Integer({
      default: 3,
      minimum: 1,
      description: 'Requests that try it at a time, and successes among them that close it; one failure opens it again',
    }),
  },
  {
    additionalProperties: false,
    description: 'A circuit breaker for each target: what fails is left alone, whether or not there is another',
  },
)

export type BreakerInput = Static<typeof breakerSchema>

export interface BreakerOptions {
  failures: number
  ratio: number
  windowMs: number
  minRequests: number
  openForMs: number
  probes: number
}

export function resolveBreaker({ window, openFor, ...input }: BreakerInput): BreakerOptions {
  return { ...input, windowMs: milliseconds(window), openForMs: milliseconds(openFor) }
}
