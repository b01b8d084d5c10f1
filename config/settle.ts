import type { Path, Report } from './problem.ts'
import { isNumeric, meantSwitch, numberInWords, settleScalar } from './settle-scalar.ts'
import { closest } from './suggest.ts'
import { describe, isRecord } from './value.ts'

/** The part of JSON Schema that the option schemas use; test/config/settle.test.ts holds them to it. */
export interface SchemaNode {
  type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'
  description?: string
  default?: unknown
  examples?: unknown[]
  properties?: Record<string, SchemaNode>
  required?: string[] | undefined
  patternProperties?: Record<string, SchemaNode>
  additionalProperties?: boolean
  items?: SchemaNode
  minItems?: number
  maxItems?: number
  maxProperties?: number
  anyOf?: SchemaNode[]
  const?: unknown
  enum?: string[]
  pattern?: string
  minimum?: number
  maximum?: number
  /** Our own: `duration`, `size` or `rate`. */
  unit?: string
  /** Our own: never shown. */
  secret?: boolean
  /** Our own: says in words what the pattern asks for. */
  expects?: string
}

/** Where complaints go, and what they are about. */
export interface SettleContext {
  report: Report
  /** Stand-ins of environment variables that are not set: complained of already. */
  isUnset(value: unknown): boolean
}

/**
 * Validates a value and fills in its defaults, in one walk along the schema (so its depth is the schema's, whatever the
 * value is). Numbers and booleans may come as text, since that is what an environment variable holds. `null` (in YAML: a
 * key without a value) counts as left out.
 *
 * Every fault is reported. What is faulty is replaced by its default; without one it is left out, together with what
 * cannot be without it. So what comes out has the schema's shape, and further checks can judge the rest.
 *
 * @returns `undefined` when nothing usable is left
 */
export function settle(schema: SchemaNode, value: unknown, path: Path, context: SettleContext): unknown {
  if (context.isUnset(value)) return fallback(schema, path, context)
  const settled = settleValue(schema, value, path, context)
  return settled === undefined ? fallback(schema, path, context) : settled
}

function fallback(schema: SchemaNode, path: Path, context: SettleContext): unknown {
  return schema.default === undefined ? undefined : settleValue(schema, schema.default, path, context)
}

function settleValue(schema: SchemaNode, value: unknown, path: Path, context: SettleContext): unknown {
  if (schema.anyOf) return settleUnion(schema, schema.anyOf, value, path, context)
  if (schema.type === 'object') return settleObject(schema, value, path, context)
  if (schema.type === 'array') return settleArray(schema, value, path, context)
  return settleScalar(schema, value, path, context.report)
}

function settleObject(schema: SchemaNode, value: unknown, path: Path, context: SettleContext): unknown {
  if (!isRecord(value)) {
    complainOf([schema], value, path, context)
    return undefined
  }
  const count = Object.keys(value).length
  if (schema.maxProperties !== undefined && count > schema.maxProperties) {
    context.report.add('HR_CONFIG_VALUE', path, `expected at most ${schema.maxProperties} entries, got ${count}`)
    return undefined
  }
  const [patternProperty] = Object.entries(schema.patternProperties ?? {})
  return patternProperty
    ? settleRecord(patternProperty[0], patternProperty[1], value, path, context)
    : settleProperties(schema, value, path, context)
}

function settleProperties(
  schema: SchemaNode,
  value: Record<string, unknown>,
  path: Path,
  context: SettleContext,
): unknown {
  const properties = schema.properties ?? {}
  for (const key of Object.keys(value)) {
    if (Object.hasOwn(properties, key)) continue
    const free = Object.keys(properties).filter((name) => !Object.hasOwn(value, name))
    const suggestion = closest(key, free)
    const known = suggestion === undefined ? `; there are ${Object.keys(properties).join(', ')}` : ''
    context.report.add('HR_CONFIG_UNKNOWN_KEY', [...path, key], `unknown property '${key}'${known}`, {
      at: 'key',
      suggestion,
    })
  }
  const settled: Record<string, unknown> = {}
  let complete = true
  for (const [key, property] of Object.entries(properties)) {
    const given = Object.hasOwn(value, key) ? value[key] : undefined
    const isGiven = given !== undefined && given !== null
    const needed = schema.required?.includes(key) ?? false
    if (!isGiven && needed && property.default === undefined) {
      context.report.add(
        'HR_CONFIG_MISSING',
        path,
        `'${key}' is missing: ${property.description ?? 'it has no default'}`,
      )
    }
    const result = isGiven
      ? settle(property, given, [...path, key], context)
      : fallback(property, [...path, key], context)
    if (result !== undefined) settled[key] = result
    else if (needed) complete = false
  }
  return complete ? settled : undefined
}

function settleRecord(
  pattern: string,
  schema: SchemaNode,
  value: Record<string, unknown>,
  path: Path,
  context: SettleContext,
): unknown {
  const names = new RegExp(pattern)
  const entries: [string, unknown][] = []
  for (const [key, part] of Object.entries(value)) {
    const isNamed = names.test(key)
    if (!isNamed) {
      const message = `'${key}' is no name: letters, digits, '_', '-' and '.', the first a letter or digit, 64 at most`
      context.report.add('HR_CONFIG_NAME', [...path, key], message, { at: 'key' })
    }
    const settled = settle(schema, part, [...path, key], context)
    if (isNamed && settled !== undefined) entries.push([key, settled])
  }
  return Object.fromEntries(entries)
}

function settleArray(schema: SchemaNode, value: unknown, path: Path, context: SettleContext): unknown {
  if (!Array.isArray(value)) {
    const takesText = [schema.items, ...(schema.items?.anyOf ?? [])].some((item) => item?.type === 'string')
    const secret = holdsSecret(schema)
    const suggestion = takesText && typeof value === 'string' && !secret ? `['${value}']` : undefined
    const got = secret ? 'something else' : describe(value)
    context.report.add('HR_CONFIG_TYPE', path, `expected a list, got ${got}`, { suggestion, secret })
    return undefined
  }
  if (value.length < (schema.minItems ?? 0)) {
    context.report.add('HR_CONFIG_VALUE', path, `expected at least ${schema.minItems} item`)
    return undefined
  }
  if (schema.maxItems !== undefined && value.length > schema.maxItems) {
    context.report.add('HR_CONFIG_VALUE', path, `expected at most ${schema.maxItems} items, got ${value.length}`)
    return undefined
  }
  const items = schema.items ?? {}
  const settled = value.map((item: unknown, index) => settle(items, item, [...path, index], context))
  return settled.includes(undefined) ? undefined : settled
}

/** The branch that fits the value's kind is the one that was meant: only its faults are reported. */
function settleUnion(
  schema: SchemaNode,
  branches: SchemaNode[],
  value: unknown,
  path: Path,
  context: SettleContext,
): unknown {
  if (branches.some((branch) => branch.const !== undefined && branch.const === value)) return value
  const switched = value === 'true' ? true : value === 'false' ? false : value
  if (switched !== value && takesSwitch(branches, switched)) return switched
  const ofKind = (kind: string): SchemaNode | undefined =>
    branches.find((branch) => branch.const === undefined && kindOfSchema(branch) === kind)
  const kind = isNumeric(value) && ofKind('number') !== undefined ? 'number' : kindOf(value)
  // A number where text or an object may stand was meant as that text.
  const isText = kind === 'number' && branches.every((branch) => branch.const === undefined)
  const fitting = ofKind(kind) ?? (isText ? ofKind('string') : undefined)
  if (fitting) return settleValue(fitting, value, path, context)
  complainOf(branches, value, path, context)
  return schema.default === undefined ? undefined : settleValue(schema, schema.default, path, context)
}

/** The value is of a kind that none of the branches takes. */
function complainOf(branches: SchemaNode[], value: unknown, path: Path, { report }: SettleContext): void {
  const words = branches.flatMap((branch) => (typeof branch.const === 'string' ? [branch.const] : []))
  const meant = typeof value === 'string' ? closest(value, words) : undefined
  const suggestion = meant ?? switchFor(value, branches)
  const expected = [...new Set(branches.map(nameOf))].join(' or ')
  // Text in the place of an object that holds a secret may be that secret.
  const secret = typeof value === 'string' && suggestion === undefined && branches.some(holdsSecret)
  const got = secret ? 'text' : describe(value)
  report.add('HR_CONFIG_TYPE', path, `expected ${expected}, got ${got}`, { suggestion, secret })
}

function holdsSecret({ properties = {}, patternProperties = {}, items, secret }: SchemaNode): boolean {
  const isNamed = Object.values(properties).some((part) => part.secret === true || part.items?.secret === true)
  // What is kept as a hash may have been written as it is.
  if (secret === true || isNamed || Object.hasOwn(properties, 'hash')) return true
  return [...Object.values(patternProperties), ...(items === undefined ? [] : [items])].some(holdsSecret)
}

/** Whether `true` or `false` may stand here, and text may not. */
function takesSwitch(branches: SchemaNode[], value: unknown): boolean {
  if (branches.some(({ type, const: constant }) => type === 'string' && constant === undefined)) return false
  return branches.some((branch) => branch.const === value || (branch.const === undefined && branch.type === 'boolean'))
}

function switchFor(value: unknown, branches: SchemaNode[]): string | undefined {
  const meant = meantSwitch(value)
  return meant !== undefined && takesSwitch(branches, meant === 'true') ? meant : undefined
}

function nameOf(branch: SchemaNode): string {
  if (branch.const !== undefined) return describe(branch.const)
  if (kindOfSchema(branch) === 'number') return numberInWords(branch)
  if (branch.type === 'array') return 'a list'
  if (branch.type === 'boolean') return 'true or false'
  if (branch.type !== 'object') return branch.expects ?? 'text'
  const [example] = branch.examples ?? []
  if (example !== undefined) return `an object such as ${written(example)}`
  const names = Object.keys(branch.properties ?? {})
  const known = `${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ' …' : ''}`
  return known === '' ? 'an object' : `an object with ${known}`
}

/** Properties of an object that are named where no example is. */
const NAMED = 6

/** An example as people write it, in YAML as in TypeScript. */
function written(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(written).join(', ')}]`
  if (!isRecord(value)) return describe(value)
  const properties = Object.entries(value).map(
    ([key, part]) => `${/^\w+$/.test(key) ? key : `'${key}'`}: ${written(part)}`,
  )
  return `{ ${properties.join(', ')} }`
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
}

function kindOfSchema(schema: SchemaNode): string {
  return schema.type === 'integer' ? 'number' : (schema.type ?? '')
}
