import type { Static, TSchema } from 'typebox'
import type * as TypeBoxSchema from 'typebox/schema'
import { onDemand } from '../lifetime/on-demand.ts'

/** What is read of a schema to fill in defaults. */
interface SchemaNode {
  type?: string
  default?: unknown
  properties?: Record<string, SchemaNode>
  /** Of a record: what is said of each of its values. */
  patternProperties?: Record<string, SchemaNode>
  items?: SchemaNode
  anyOf?: SchemaNode[]
}

/** @returns all that the schema has a default for: what `true` in the place of an object stands for */
export function defaultsOf<Schema extends TSchema>(schema: Schema): Static<Schema> {
  return withDefaults(schema, {}) as Static<Schema>
}

/**
 * Fills in what is missing and has a default. Of a union that is the branch of the value's type.
 *
 * @returns a copy, so what the caller goes on using stays as it was; yet to be checked: {@link faultIn}
 */
export function withDefaults(schema: TSchema, value: unknown): unknown {
  return filled(schema as SchemaNode, structuredClone(value))
}

function filled(schema: SchemaNode, given: unknown): unknown {
  const value = given === undefined ? structuredClone(schema.default) : given
  if (schema.anyOf) return filled(schema.anyOf.find(({ type }) => type === typeOf(value)) ?? {}, value)
  if (schema.items && Array.isArray(value)) return value.map((item) => filled(schema.items ?? {}, item))
  if (typeOf(value) !== 'object') return value
  const object = value as Record<string, unknown>
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const part = filled(property, object[name])
    if (part !== undefined) object[name] = part
  }
  const [each] = Object.values(schema.patternProperties ?? {})
  if (each !== undefined)
    return Object.fromEntries(Object.entries(object).map(([name, one]) => [name, filled(each, one)]))
  return value
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
}

/** It takes as long to load as Fastify, and most processes have nothing to check. */
const checks = onDemand<typeof TypeBoxSchema>('typebox/schema')

/**
 * What is wrong with a value that nothing has checked yet, without the value itself, which may be a secret. For what comes
 * past the configuration: an application's options of one plugin, a file of consumers.
 *
 * @returns the first fault: where, and what is asked for (`.memory.maxBytes must be string`)
 */
export function faultIn(schema: TSchema, value: unknown): string | undefined {
  const [first] = checks().Errors(schema, value)[1]
  return first && `${first.instancePath.replaceAll('/', '.')} ${first.message}`
}
