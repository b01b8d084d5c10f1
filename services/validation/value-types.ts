import { isObject, objectOf, objectsOf, own, type Json, type JsonObject } from '../openapi/document.ts'

const MOST_DEPTH = 16

/**
 * The types of JSON that a schema lets a value have, where it says so: text is read as one of these.
 *
 * @param root whose `$defs` its references are into
 */
export function typesOf(root: JsonObject, node: Json | undefined, depth = 0): Set<string> {
  const types = new Set<string>()
  if (!isObject(node) || depth > MOST_DEPTH) return types
  const type = own(node, 'type')
  for (const one of Array.isArray(type) ? type : [type]) if (typeof one === 'string') types.add(one)
  if (types.size > 0) return types
  const parts = [...objectsOf(own(node, 'allOf')), ...objectsOf(own(node, 'anyOf')), ...objectsOf(own(node, 'oneOf'))]
  for (const part of [resolved(root, node), ...parts]) {
    if (part !== node) for (const one of typesOf(root, part, depth + 1)) types.add(one)
  }
  if (types.size > 0) return types
  if (own(node, 'properties') !== undefined) types.add('object')
  if (own(node, 'items') !== undefined) types.add('array')
  for (const value of [own(node, 'const'), ...listOf(own(node, 'enum'))]) {
    if (value !== undefined && value !== null && typeof value !== 'object') types.add(typeof value)
  }
  return types
}

/** What a reference within a bundle means; the node itself, where it is none. */
export function resolved(root: JsonObject, node: JsonObject): JsonObject {
  const reference = own(node, '$ref')
  if (typeof reference !== 'string') return node
  const definitions = own(root, '$defs')
  const found = isObject(definitions) ? own(definitions, reference.slice('#/$defs/'.length)) : undefined
  return isObject(found) ? found : {}
}

/** A schema within a schema, such as of a property or of items, wherever it stands: here, or in a part of it. */
export function within(
  root: JsonObject,
  node: JsonObject,
  look: (schema: JsonObject) => Json | undefined,
  depth = 0,
): JsonObject | undefined {
  const here = look(node)
  if (isObject(here)) return here
  if (depth > MOST_DEPTH) return undefined
  const parts = [...objectsOf(own(node, 'allOf')), ...objectsOf(own(node, 'anyOf')), ...objectsOf(own(node, 'oneOf'))]
  for (const part of [resolved(root, node), ...parts]) {
    const found = part === node ? undefined : within(root, part, look, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}

/** The properties that a schema names, wherever it does: here, or in a part of it. */
export function propertiesOf(root: JsonObject, node: JsonObject, depth = 0): Record<string, JsonObject> {
  const found: JsonObject = {}
  if (depth > MOST_DEPTH) return {}
  const parts = [...objectsOf(own(node, 'allOf')), ...objectsOf(own(node, 'anyOf')), ...objectsOf(own(node, 'oneOf'))]
  for (const part of [resolved(root, node), ...parts]) {
    if (part !== node) Object.assign(found, propertiesOf(root, part, depth + 1))
  }
  for (const [name, property] of Object.entries(objectOf(own(node, 'properties')))) found[name] = objectOf(property)
  return found as Record<string, JsonObject>
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}
