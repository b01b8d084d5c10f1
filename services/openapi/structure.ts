import { isObject, METHODS, type Json, type JsonObject } from './document.ts'

/**
 * Where objects of which kind stand in an OpenAPI document (https://spec.openapis.org/oas/v3.1.1#schema). References
 * and schemas are looked for only there: a `$ref` inside an example, a default or an `x-` field is data.
 */
export type Kind = ComponentKind | 'operation' | 'mediaType' | 'encoding'

/** The kinds that may be a `$ref`, by their folder in `components`. */
export type ComponentKind =
  | 'schemas'
  | 'responses'
  | 'parameters'
  | 'examples'
  | 'requestBodies'
  | 'headers'
  | 'securitySchemes'
  | 'links'
  | 'callbacks'
  | 'pathItems'

export const COMPONENT_KINDS: readonly ComponentKind[] = [
  'schemas',
  'responses',
  'parameters',
  'examples',
  'requestBodies',
  'headers',
  'securitySchemes',
  'links',
  'callbacks',
  'pathItems',
]

interface Shape {
  /** Fields that hold one object (or a list of them: `items` of older drafts). */
  one?: Record<string, Kind>
  list?: Record<string, Kind>
  map?: Record<string, Kind>
  /** Every field but `x-…` holds one. */
  each?: Kind
}

const schemaFields = (names: string): Record<string, Kind> =>
  Object.fromEntries(names.split(' ').map((name) => [name, 'schemas']))

const parameter: Shape = {
  one: { schema: 'schemas' },
  map: { examples: 'examples', content: 'mediaType' },
}

const SHAPES: Record<Kind, Shape> = {
  schemas: {
    one: schemaFields(
      'items additionalItems additionalProperties not if then else contains propertyNames unevaluatedItems unevaluatedProperties contentSchema',
    ),
    list: schemaFields('allOf anyOf oneOf prefixItems'),
    map: schemaFields('properties patternProperties dependentSchemas $defs definitions'),
  },
  responses: { map: { headers: 'headers', content: 'mediaType', links: 'links' } },
  parameters: parameter,
  headers: parameter,
  examples: {},
  requestBodies: { map: { content: 'mediaType' } },
  securitySchemes: {},
  links: {},
  callbacks: { each: 'pathItems' },
  pathItems: {
    list: { parameters: 'parameters' },
    one: Object.fromEntries(METHODS.map((method) => [method, 'operation'])),
  },
  operation: {
    list: { parameters: 'parameters' },
    one: { requestBody: 'requestBodies' },
    map: { responses: 'responses', callbacks: 'callbacks' },
  },
  mediaType: { one: { schema: 'schemas' }, map: { examples: 'examples', encoding: 'encoding' } },
  encoding: { map: { headers: 'headers' } },
}

/**
 * What kind of object stands where a JSON Pointer points, going by the structure: `null` for places that hold none,
 * `undefined` for places that the structure does not know (`#/x-shared/Vehicle`), which may hold anything.
 */
export function kindAt(pointer: readonly string[]): Kind | null | undefined {
  const [root, folder, ...rest] = pointer
  if (root === undefined || folder === undefined) return null
  if (root === 'paths' || root === 'webhooks') return below('pathItems', rest)
  if (root !== 'components') return undefined
  const kind = COMPONENT_KINDS.find((known) => known === folder)
  return kind === undefined || rest.length === 0 ? null : below(kind, rest.slice(1))
}

function below(kind: Kind, tokens: string[]): Kind | null | undefined {
  const [token, key, ...rest] = tokens
  if (token === undefined) return kind
  const { one, list, map, each } = SHAPES[kind]
  const single = fieldOf(one, token) ?? each
  if (single !== undefined) return below(single, tokens.slice(1))
  const member = fieldOf(list, token) ?? fieldOf(map, token)
  if (member === undefined) return undefined
  return key === undefined ? null : below(member, rest)
}

/** What becomes of a child: the object that takes its place, or `undefined` to leave it out. */
export type Visit = (kind: Kind, child: JsonObject) => JsonObject | undefined

/**
 * `node` with what `visit` makes of each object in it that the structure knows: a copy where anything changes, the same
 * object otherwise. Goes one level deep: the visitor descends by calling it again. All other values are shared with
 * `node`; what stands where an object should and is none is left out.
 */
export function mapChildren(kind: Kind, node: JsonObject, visit: Visit): JsonObject {
  const { one, list, map, each } = SHAPES[kind]
  const entries: [string, Json][] = []
  let isSame = true
  for (const [key, value] of Object.entries(node)) {
    const single = fieldOf(one, key) ?? (each !== undefined && !key.startsWith('x-') ? each : undefined)
    const many = fieldOf(list, key) ?? (Array.isArray(value) ? single : undefined)
    const named = fieldOf(map, key)
    const mapped: Json | undefined =
      many !== undefined
        ? mapList(many, value, visit)
        : single !== undefined
          ? mapOne(single, value, visit)
          : named !== undefined
            ? mapNamed(named, value, visit)
            : value
    if (mapped !== value) isSame = false
    if (mapped !== undefined) entries.push([key, mapped])
  }
  if (isSame) return node
  // Object.fromEntries defines properties: a key named __proto__ stays a key
  return Object.fromEntries(entries)
}

function fieldOf(fields: Record<string, Kind> | undefined, key: string): Kind | undefined {
  return fields !== undefined && Object.hasOwn(fields, key) ? fields[key] : undefined
}

/** Booleans are schemas too; what else is no object has no place here and is left out. */
function mapOne(kind: Kind, value: Json, visit: Visit): Json | undefined {
  if (isObject(value)) return visit(kind, value)
  return kind === 'schemas' && typeof value === 'boolean' ? value : undefined
}

function mapList(kind: Kind, value: Json, visit: Visit): Json | undefined {
  if (!Array.isArray(value)) return undefined
  const mapped = value.map((child) => mapOne(kind, child, visit))
  if (mapped.every((child, index) => child === value[index])) return value
  return mapped.filter((child) => child !== undefined)
}

function mapNamed(kind: Kind, value: Json, visit: Visit): Json | undefined {
  if (!isObject(value)) return undefined
  const entries: [string, Json][] = []
  let isSame = true
  for (const [key, child] of Object.entries(value)) {
    const mapped = kind === 'responses' && key.startsWith('x-') ? child : mapOne(kind, child, visit)
    if (mapped !== child) isSame = false
    if (mapped !== undefined) entries.push([key, mapped])
  }
  return isSame ? value : Object.fromEntries(entries)
}
