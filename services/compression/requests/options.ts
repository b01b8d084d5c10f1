import type { Static } from 'typebox'
import { bytes, Size } from '../../options/schema.ts'
import { Type } from '../../options/type.ts'

const MOST_RATIO = 100

/** `decompress` of a route; `true` is `{}`. */
export const decompressSchema = Type.Object(
  {
    maxRatio: Type.Number({
      default: MOST_RATIO,
      minimum: 1,
      maximum: 10_000,
      description: 'How many times larger a body may become, beyond its first 64 KiB; more is answered 413',
    }),
    maxBytes: Type.Optional(
      Size({ description: 'How large a body may become; without it, and at most, as `limits.bodySize` has it' }),
    ),
  },
  { additionalProperties: false, description: 'How request bodies are decompressed' },
)

export interface DecompressOptions {
  maxRatio: number
  /** `null`: as any body. */
  maxBytes: number | null
}

export function resolveDecompress(given: Static<typeof decompressSchema> | boolean): DecompressOptions | null {
  if (given === false) return null
  if (given === true) return { maxRatio: MOST_RATIO, maxBytes: null }
  return { maxRatio: given.maxRatio, maxBytes: given.maxBytes === undefined ? null : bytes(given.maxBytes) }
}
