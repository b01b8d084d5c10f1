import type { Static } from 'typebox'
import { Duration, milliseconds } from '../../options/schema.ts'
import { defaultsOf } from '../../options/settled.ts'
import { Type } from '../../options/type.ts'

/** `concurrency` of an upstream: of all its targets together, in each process. */
export const concurrencySchema = Type.Object(
  {
    min: Type.Integer({ default: 4, minimum: 1, description: 'Never less' }),
    max: Type.Integer({ default: 1_000, minimum: 1, description: 'Never more' }),
    initial: Type.Integer({ default: 20, minimum: 1, description: 'Where it begins' }),
    tolerance: Type.Number({
      default: 1.5,
      minimum: 1,
      maximum: 10,
      description: 'How much slower than unloaded answers may be before the limit falls: 1.5 times',
    }),
    queue: Type.Integer({
      default: 50,
      minimum: 0,
      description: 'Requests that may wait for their turn; more are answered 503 at once',
    }),
    wait: Duration({ default: '100ms', description: 'How long they wait before they are answered 503' }),
    probe: Duration({
      default: '30s',
      description: 'How often, while the limit is used, it is halved for a moment to see how fast unloaded answers are',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'How many requests are sent at a time is found out from how long answers take to begin',
  },
)

export type ConcurrencyInput = Static<typeof concurrencySchema>

export interface ConcurrencyOptions {
  min: number
  max: number
  initial: number
  tolerance: number
  queue: number
  waitMs: number
  probeMs: number
}

export function resolveConcurrency(given: ConcurrencyInput | boolean): ConcurrencyOptions | null {
  if (given === false) return null
  const input = given === true ? defaultsOf(concurrencySchema) : given
  const { wait, probe, ...same } = input
  const max = Math.max(input.min, input.max)
  return {
    ...same,
    max,
    initial: Math.min(max, Math.max(input.min, input.initial)),
    waitMs: milliseconds(wait),
    probeMs: milliseconds(probe),
  }
}
