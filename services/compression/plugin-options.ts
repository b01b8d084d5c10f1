import type { Static } from 'typebox'
import { Value } from 'typebox/value'
import { CompressionOptionError } from './errors.ts'
import { compressionOf, type CompressionOptions, compressionSchema, resolveCompression } from './options.ts'

type Settled = Static<typeof compressionSchema>

/** `compression` as people write it, for the plugin alone. */
export type CompressionInput = Partial<Omit<Settled, 'levels' | 'stored'>> & { levels?: Partial<Settled['levels']> }

/** @throws HR_COMPRESSION_OPTION */
export function compressionFrom(input: CompressionInput): CompressionOptions {
  const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
  // Defaults are filled in where they are missing: not in what the application goes on using.
  const filled = Value.Default(compressionSchema, structuredClone(given))
  const [error] = Value.Errors(compressionSchema, filled)
  if (error !== undefined) {
    throw new CompressionOptionError(`compression${error.instancePath.replaceAll('/', '.')} ${error.message}`)
  }
  return compressionOf({}, resolveCompression(filled as Settled)) as CompressionOptions
}
