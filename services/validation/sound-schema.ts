import { isObject, own, without, type Json, type JsonObject } from '../openapi/document.ts'

const TYPES: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'])

/** What a keyword may be, of those that people and their tools get wrong. */
const SOUND: Readonly<Record<string, (value: Json) => boolean>> = {
  type: (value) => (Array.isArray(value) ? value.length > 0 && value.every((one) => TYPES.has(one)) : TYPES.has(value)),
  // `true` beside a property: JSON Schema of 2010.
  required: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string'),
  enum: (value) => Array.isArray(value) && value.length > 0,
  // A list of them: `prefixItems` of today.
  items: (value) => !Array.isArray(value),
  // `(?i)`, `\Z`: of other languages.
  pattern: (value) => typeof value === 'string' && isPattern(value),
  patternProperties: (value) => isObject(value) && Object.keys(value).every(isPattern),
}

/** A schema without the keywords that are none: as they cannot be compiled, all that is said beside them would not count. */
export function soundSchema(schema: JsonObject): JsonObject {
  const unsound = Object.keys(SOUND).filter((keyword) => {
    const value = own(schema, keyword)
    return value !== undefined && SOUND[keyword]?.(value) === false
  })
  return without(schema, ...unsound)
}

function isPattern(source: string): boolean {
  return ['u', ''].some((flags) => {
    try {
      return new RegExp(source, flags) instanceof RegExp
    } catch {
      return false
    }
  })
}
