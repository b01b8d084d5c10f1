import { isDeepStrictEqual } from 'node:util'
import type { Path } from './problem.ts'
import { redacted } from './redact.ts'
import { configSchema, type Settings } from './schema.ts'
import type { SchemaNode } from './settle.ts'
import { isRecord } from './value.ts'

/** One property that two configurations differ in. */
export interface Difference {
  path: Path
  kind: 'added' | 'removed' | 'changed'
  /** As people write it, without its defaults; secrets redacted; `null` where there is nothing. */
  before: unknown
  after: unknown
}

/** What is different, property by property; lists are compared as a whole, but for the listeners. */
export function differences(before: Settings, after: Settings): Difference[] {
  const [from, to] = alike(before, after)
  return [...walk(configSchema as SchemaNode, from, to, [])]
}

/** `listen` as the same kind of thing in both: one listener and a list of one are the same. */
function alike(before: Settings, after: Settings): [Settings, Settings] {
  if (Array.isArray(before.listen) === Array.isArray(after.listen)) return [before, after]
  const listed = (settings: Settings): Settings => ({ ...settings, listen: [settings.listen].flat() })
  return [listed(before), listed(after)]
}

function* walk(schema: SchemaNode, before: unknown, after: unknown, path: Path): Generator<Difference> {
  if (isDeepStrictEqual(before, after)) return
  if (before === undefined || after === undefined) {
    const kind = before === undefined ? 'added' : 'removed'
    yield { path, kind, before: shown(schema, before), after: shown(schema, after) }
  } else if (isRecord(before) && isRecord(after)) {
    const node = branch(schema, 'object')
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) {
      yield* walk(propertyOf(node, key), before[key], after[key], [...path, key])
    }
  } else if (path.length === 1 && path[0] === 'listen' && Array.isArray(before) && Array.isArray(after)) {
    const items = branch(schema, 'array').items ?? {}
    for (let index = 0; index < Math.max(before.length, after.length); index++) {
      yield* walk(items, before[index], after[index], [...path, index])
    }
  } else {
    yield { path, kind: 'changed', before: shown(schema, before), after: shown(schema, after) }
  }
}

function branch(schema: SchemaNode, type: 'object' | 'array'): SchemaNode {
  return schema.anyOf?.find((one) => one.type === type) ?? schema
}

function propertyOf(schema: SchemaNode, key: string): SchemaNode {
  const [others] = Object.values(schema.patternProperties ?? {})
  return schema.properties?.[key] ?? others ?? {}
}

function shown(schema: SchemaNode, value: unknown): unknown {
  return value === undefined ? null : redacted(schema, withoutDefaults(schema, value))
}

/** What has to be written for a value to be this one. */
function withoutDefaults(schema: SchemaNode, value: unknown): unknown {
  if (!isRecord(value)) return value
  const node = branch(schema, 'object')
  const entries = Object.entries(value).map(([key, part]) => {
    const property = propertyOf(node, key)
    return [key, withoutDefaults(property, part), property.default] as const
  })
  return Object.fromEntries(entries.filter(([, part, fallback]) => !isDeepStrictEqual(part, fallback)))
}
