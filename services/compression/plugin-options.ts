import type { Static } from 'typebox'
import { faultIn, withDefaults } from '../options/settled.ts'
import { CompressionOptionError } from './errors.ts'
import { compressionOf, type CompressionOptions, compressionSchema, resolveCompression } from './options.ts'

type Settled = Static<typeof compressionSchema>

/** `compression` as people write it, for the plugin alone. */
export type CompressionInput = Partial<Omit<Settled, 'levels' | 'stored'>> & { levels?: Partial<Settled['levels']> }

/** @throws HR_COMPRESSION_OPTION */
export function compressionFrom(input: CompressionInput): CompressionOptions {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
  const filled = withDefaults(compressionSchema, given)
  const fault = faultIn(compressionSchema, filled)
  if (fault !== undefined) throw new CompressionOptionError(`compression${fault}`)
  return compressionOf({}, resolveCompression(filled as Settled)) as CompressionOptions
}
