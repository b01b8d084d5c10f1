import { own, without, type Json, type JsonObject } from './document.ts'

/** Keywords that say something about a schema without constraining values. */
const ANNOTATIONS = new Set([
  'title',
  'description',
  'default',
  'example',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'externalDocs',
  'xml',
])

/**
 * One Schema Object of OpenAPI 3.0 in the words of 3.1 (JSON Schema 2020-12); its children are left as they are.
 * After https://www.openapis.org/blog/2021/02/16/migrating-from-openapi-3-0-to-3-1-0. `format: binary` and `byte` are
 * kept: they are annotations in 3.1, and tools go by them.
 */
export function upgradeSchema(schema: JsonObject): JsonObject {
  // 3.0: everything beside a $ref is ignored; 3.1 would apply it
  if (typeof own(schema, '$ref') === 'string') return { $ref: schema['$ref'] as string }
  return withNull(withExamples(withBound(withBound(schema, 'Minimum'), 'Maximum')))
}

/** `minimum: 3, exclusiveMinimum: true` → `exclusiveMinimum: 3` */
function withBound(schema: JsonObject, bound: 'Minimum' | 'Maximum'): JsonObject {
  const exclusive = `exclusive${bound}`
  const inclusive = bound.toLowerCase()
  const flag = own(schema, exclusive)
  if (typeof flag !== 'boolean') return schema
  const limit = own(schema, inclusive)
  if (!flag || typeof limit !== 'number') return without(schema, exclusive)
  return { ...without(schema, exclusive, inclusive), [exclusive]: limit }
}

/** `example: x` → `examples: [x]` */
function withExamples(schema: JsonObject): JsonObject {
  const example = own(schema, 'example')
  if (example === undefined) return schema
  const rest = without(schema, 'example')
  return Array.isArray(rest['examples']) ? rest : { ...rest, examples: [example] }
}

/**
 * `nullable: true` beside a type adds `null` to it. Without a type it has no effect by the letter of 3.0.3; but beside
 * `allOf`, `anyOf` and `oneOf` generators write it for "or null", and that is kept as an alternative.
 */
function withNull(schema: JsonObject): JsonObject {
  const nullable = own(schema, 'nullable')
  if (nullable === undefined) return schema
  const rest = without(schema, 'nullable')
  if (nullable !== true) return rest
  const type = own(rest, 'type')
  if (type !== undefined) {
    const types = Array.isArray(type) ? type : [type]
    return { ...rest, type: types.includes('null') ? types : [...types, 'null'] }
  }
  if (rest['allOf'] === undefined && rest['anyOf'] === undefined && rest['oneOf'] === undefined) return rest
  const about: [string, Json][] = []
  const constraint: [string, Json][] = []
  for (const entry of Object.entries(rest)) {
    const side = ANNOTATIONS.has(entry[0]) || entry[0].startsWith('x-') ? about : constraint
    side.push(entry)
  }
  return { ...Object.fromEntries(about), anyOf: [Object.fromEntries(constraint), { type: 'null' }] }
}
