import type { Static } from 'typebox'
import { PRIORITIES, type Priority } from '../downstream/priority.ts'
import { bytes, Duration, milliseconds, OneOf, Size } from '../options/schema.ts'
import { defaultsOf } from '../options/settled.ts'
import { Type } from '../options/type.ts'

/** `pressure` at the top of the configuration. Names that @fastify/under-pressure has mean here what they mean there. */
export const pressureSchema = Type.Object(
  {
    maxEventLoopDelay: Duration({
      default: '200ms',
      description:
        "Delay of the event loop (99th percentile of a sample) above which requests are shed; served ones wait two to three times as long at most, as a rule; '0s': not looked at",
    }),
    maxEventLoopUtilization: Type.Number({
      default: 0.98,
      minimum: 0,
      maximum: 0.999,
      description:
        "Share of the time that the event loop is busy above which requests are shed: what it cannot come to may wait for upstreams' connections, where no delay shows; 0: not looked at",
    }),
    maxHeap: Type.Number({
      default: 0.95,
      minimum: 0,
      maximum: 0.999,
      description: "Share of V8's heap limit in use above which requests are shed; 0: not looked at",
    }),
    maxHeapUsedBytes: Size({ default: '0B', description: "The same in bytes; '0B': not looked at" }),
    maxRssBytes: Size({
      default: '0B',
      description: "Resident memory of the process above which requests are shed; '0B': not looked at",
    }),
    maxInFlight: Type.Integer({
      default: 0,
      minimum: 0,
      description:
        'Exchanges of a process under way at once, streams and WebSocket connections too; the lowest priority has 70 % of it; 0: any number',
    }),
    sampleInterval: Duration({
      default: '100ms',
      description: 'How often all this is looked at; not much longer than maxEventLoopDelay',
    }),
    retryAfter: Duration({
      default: '2s',
      description: 'When clients are told to try again (Retry-After): then, or up to twice as late, by chance',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'When and how much is turned away',
  },
)

export type PressureInput = Static<typeof pressureSchema>

export interface PressureOptions {
  /** 0 where it is not looked at, as of the next five. */
  maxEventLoopDelayMs: number
  /** 0…1 */
  maxEventLoopUtilization: number
  /** 0…1 */
  maxHeap: number
  maxHeapUsedBytes: number
  maxRssBytes: number
  maxInFlight: number
  sampleIntervalMs: number
  retryAfterMs: number
}

/** Looking more often measures the looking. */
const SHORTEST_SAMPLE_MS = 20

export function resolvePressure(input: PressureInput | boolean): PressureOptions | null {
  if (input === false) return null
  const given = input === true ? defaultsOf(pressureSchema) : input
  return {
    maxEventLoopDelayMs: milliseconds(given.maxEventLoopDelay),
    maxEventLoopUtilization: given.maxEventLoopUtilization,
    maxHeap: given.maxHeap,
    maxHeapUsedBytes: bytes(given.maxHeapUsedBytes),
    maxRssBytes: bytes(given.maxRssBytes),
    maxInFlight: given.maxInFlight,
    sampleIntervalMs: Math.max(SHORTEST_SAMPLE_MS, milliseconds(given.sampleInterval)),
    retryAfterMs: milliseconds(given.retryAfter),
  }
}

/** `priority` of a route. */
export const routePrioritySchema = OneOf(PRIORITIES, {
  default: 'normal' satisfies Priority,
  description:
    "What is served first where the gateway is overloaded (`pressure`); who calls may have a priority of their own; critical: never turned away for the gateway's sake",
})
