import { configSchema } from './schema.ts'
import type { SchemaNode } from './settle.ts'

/** What YAML and JSON may hold in place of any value but text: `${NAME}`, `${NAME:-default}`. */
const VARIABLE: SchemaNode = { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-.*)?\\}' }

/**
 * The schema for editors of YAML and JSON (JSON Schema 2020-12): what has a default is not required, and a variable may
 * stand wherever one is put in before the value is judged.
 */
export function editorSchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Headrace',
    ...forEditors(configSchema as SchemaNode),
  }
}

function forEditors(schema: SchemaNode): SchemaNode {
  const { unit: _unit, secret: _secret, expects: _expects, required, ...node } = schema
  if (node.properties) {
    const { properties } = node
    const needed = (required ?? []).filter((key) => properties[key]?.default === undefined)
    const described = Object.entries(properties).map(([key, property]) => [key, forEditors(property)])
    return { ...node, properties: Object.fromEntries(described), ...(needed.length > 0 && { required: needed }) }
  }
  if (node.patternProperties) {
    const described = Object.entries(node.patternProperties).map(([key, property]) => [key, forEditors(property)])
    return { ...node, patternProperties: Object.fromEntries(described) }
  }
  if (node.items) return { ...node, items: forEditors(node.items) }
  if (node.anyOf) return { ...node, anyOf: node.anyOf.map(forEditors) }
  return takesAnyText(node) ? node : orVariable(node)
}

function takesAnyText(node: SchemaNode): boolean {
  return node.const !== undefined || (node.type === 'string' && node.pattern === undefined && node.enum === undefined)
}

function orVariable({ description, default: fallback, examples, ...judged }: SchemaNode): SchemaNode {
  return {
    ...(description !== undefined && { description }),
    ...(fallback !== undefined && { default: fallback }),
    ...(examples !== undefined && { examples }),
    anyOf: [judged, VARIABLE],
  }
}
