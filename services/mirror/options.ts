import type { Static } from 'typebox'
import { bytes, Size } from '../options/schema.ts'
import { Type } from '../options/type.ts'

/** `mirror` of a route. */
export const mirrorSchema = Type.Object(
  {
    to: Type.String({ description: 'Name of the upstream that gets the copies: the shadow' }),
    share: Type.Number({
      default: 1,
      minimum: 0,
      maximum: 1,
      description: 'Share of the requests that are copied, 0 to 1',
    }),
    methods: Type.Array(Type.String({ pattern: '^[A-Z]{1,32}$', expects: "a method such as 'GET'" }), {
      default: ['GET', 'HEAD', 'OPTIONS', 'QUERY'],
      minItems: 1,
      maxItems: 32,
      description:
        'Methods that are copied; by default those that change nothing (RFC 9110 §9.2.1): with others, the shadow acts on them too',
    }),
    bodySize: Size({ default: '64KiB', description: 'Requests with a larger body are not copied' }),
    inFlight: Type.Integer({
      default: 100,
      minimum: 1,
      maximum: 10_000,
      description:
        'Copies that may be under way at a time, a process; beyond it requests are not copied. With bodySize it bounds the memory',
    }),
  },
  {
    additionalProperties: false,
    examples: [{ to: 'orders-next', share: 0.1 }],
    description: 'Copies requests to a second upstream, whose answers are thrown away',
  },
)

export type MirrorInput = Static<typeof mirrorSchema>

export interface MirrorOptions {
  to: string
  /** 0…1 */
  share: number
  methods: string[]
  bodyBytes: number
  inFlight: number
}

export function resolveMirror({ bodySize, ...input }: MirrorInput): MirrorOptions {
  return { ...input, bodyBytes: bytes(bodySize) }
}
