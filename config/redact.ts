import { configSchema, type Settings } from './schema.ts'
import type { SchemaNode } from './settle.ts'
import { isRecord } from './value.ts'

export const REDACTED = '[redacted]'

/** The settings with every secret replaced; one that is empty (generated at start) stays empty. */
export function redact(settings: Settings): Settings {
  return redacted(configSchema as SchemaNode, settings) as Settings
}

/** A part of the settings, by its schema. */
export function redacted(schema: SchemaNode, value: unknown): unknown {
  if (schema.secret === true) return value === '' ? '' : REDACTED
  if (Array.isArray(value)) {
    const items = schema.items ?? schema.anyOf?.find(({ type }) => type === 'array')?.items ?? {}
    return value.map((item: unknown) => redacted(items, item))
  }
  if (!isRecord(value)) return value
  const node = schema.anyOf?.find(({ type }) => type === 'object') ?? schema
  const [others] = Object.values(node.patternProperties ?? {})
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, redacted(node.properties?.[key] ?? others ?? {}, part)]),
  )
}
