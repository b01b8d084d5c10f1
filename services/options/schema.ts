import type { TString, TUnsafe } from 'typebox'
import { Type } from './type.ts'
import { DURATION_PATTERN, parseDuration, parseSize, RATE_PATTERN, SIZE_PATTERN } from './units.ts'

/**
 * Building blocks of option schemas. Conventions that every `services/<area>/options.ts` keeps:
 *
 * - A property with a `default` is declared as a plain (not optional) property: the loader fills defaults before it
 *   validates, so `Static<typeof schema>` is the settled shape. A property without a default is required, or `Type.Optional`.
 * - A nested object carries `default: {}`, so that its own defaults are filled.
 * - Every property has a `description` (it becomes docs/configuration.md and the editor's tooltip).
 * - `resolve…()` turns the settled input into the frozen options that services take: units in the names, no text to parse.
 */
export interface Described<T> {
  description: string
  default?: T
}

/** A duration as people write it: `'500ms'`, `'30s'`, `'5m'`, `'12h'`, `'7d'`. */
export const Duration = (options: Described<string>): TString =>
  Type.String({ ...options, pattern: DURATION_PATTERN, unit: 'duration', examples: ['500ms', '30s', '5m'] })

/** A size as people write it: `'64KiB'`, `'256MiB'`, `'1GB'`. */
export const Size = (options: Described<string>): TString =>
  Type.String({ ...options, pattern: SIZE_PATTERN, unit: 'size', examples: ['64KiB', '256MiB'] })

/** A rate as people write it: `'100/min'`, `'10/s'`. */
export const Rate = (options: Described<string>): TString =>
  Type.String({ ...options, pattern: RATE_PATTERN, unit: 'rate', examples: ['100/min', '10/s'] })

/** Text that `headrace print`, logs and errors never show. */
export const Secret = (options: Described<string> & { pattern?: string; expects?: string }): TString =>
  Type.String({ ...options, secret: true })

/** A TCP port; 0 asks the system for a free one. */
export const Port = (options: Described<number>) => Type.Integer({ ...options, minimum: 0, maximum: 65535 })

/** One of a closed set of words. */
export const OneOf = <const T extends readonly string[]>(
  values: T,
  options: Described<T[number]>,
): TUnsafe<T[number]> => Type.Unsafe<T[number]>({ ...options, type: 'string', enum: [...values] })

/** Milliseconds of text that the schema's pattern has accepted already. */
export function milliseconds(text: string): number {
  return parseDuration(text) ?? Number.NaN
}

/** Bytes of text that the schema's pattern has accepted already. */
export function bytes(text: string): number {
  return parseSize(text) ?? Number.NaN
}
