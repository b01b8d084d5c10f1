import type { Path, Report } from './problem.ts'
import type { SchemaNode } from './settle.ts'
import { closest, closestUnit } from './suggest.ts'
import { asText, describe } from './value.ts'

const UNIT_EXAMPLES: Record<string, string> = {
  duration: "a duration such as '500ms', '30s' or '5m'",
  size: "a size such as '64KiB' or '256MiB'",
  rate: "a rate such as '10/s' or '100/min'",
}

/** Validates text, a number or a boolean. @returns `undefined` after a complaint */
export function settleScalar(schema: SchemaNode, value: unknown, path: Path, report: Report): unknown {
  if (schema.const !== undefined && schema.const !== value) {
    report.add('HR_CONFIG_VALUE', path, `expected ${describe(schema.const)}, got ${describe(value)}`)
    return undefined
  }
  if (schema.type === 'boolean') return settleBoolean(value, path, report)
  if (schema.type === 'integer' || schema.type === 'number') return settleNumber(schema, value, path, report)
  return settleText(schema, value, path, report)
}

function settleBoolean(value: unknown, path: Path, report: Report): boolean | undefined {
  if (typeof value === 'boolean') return value
  if (value === 'true') return true
  if (value === 'false') return false
  report.add('HR_CONFIG_TYPE', path, `expected true or false, got ${describe(value)}`, {
    suggestion: meantSwitch(value),
  })
  return undefined
}

const SWITCHES: Record<string, 'true' | 'false'> = {
  yes: 'true',
  on: 'true',
  '1': 'true',
  no: 'false',
  off: 'false',
  '0': 'false',
}

/** What other notations, and slips of the pen, say for `true` and `false`. */
export function meantSwitch(value: unknown): 'true' | 'false' | undefined {
  const word = asText(value).toLowerCase()
  if (Object.hasOwn(SWITCHES, word)) return SWITCHES[word]
  return closest(word, ['true', 'false']) as 'true' | 'false' | undefined
}

function settleNumber(schema: SchemaNode, value: unknown, path: Path, report: Report): number | undefined {
  const number = isNumeric(value) ? Number(value) : value
  const { minimum = -Infinity, maximum = Infinity } = schema
  const isValid =
    typeof number === 'number' &&
    (schema.type === 'integer' ? Number.isSafeInteger(number) : Number.isFinite(number)) &&
    number >= minimum &&
    number <= maximum
  if (isValid) return number
  const code = typeof number === 'number' && !Number.isNaN(number) ? 'HR_CONFIG_VALUE' : 'HR_CONFIG_TYPE'
  report.add(code, path, `expected ${numberInWords(schema)}, got ${describe(value)}`)
  return undefined
}

/** A number as text: what an environment variable and the command line hold. */
export function isNumeric(value: unknown): value is string {
  return typeof value === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(value)
}

export function numberInWords({ type, minimum, maximum }: SchemaNode): string {
  const kind = type === 'integer' ? 'an integer' : 'a number'
  if (minimum !== undefined && maximum !== undefined) return `${kind} from ${minimum} to ${maximum}`
  if (minimum !== undefined) return `${kind} of at least ${minimum}`
  return maximum === undefined ? kind : `${kind} of at most ${maximum}`
}

function settleText(schema: SchemaNode, value: unknown, path: Path, report: Report): string | undefined {
  if (schema.unit !== undefined) {
    if (typeof value === 'string' && new RegExp(schema.pattern ?? '').test(value)) return value
    const expected = schema.expects ?? UNIT_EXAMPLES[schema.unit] ?? `a ${schema.unit}`
    const suggestion = closestUnit(schema.unit, value)
    report.add('HR_CONFIG_UNIT', path, `expected ${expected}, got ${describe(value)}`, {
      suggestion: suggestion && `'${suggestion}'`,
    })
    return undefined
  }
  if (schema.enum) return settleWord(schema.enum, value, path, report)
  const expected = schema.expects ?? 'text'
  if (typeof value !== 'string') {
    // A number where text belongs (a token of digits in YAML) was meant as that text; a secret is not repeated.
    const isSecret = schema.secret === true
    const suggestion = typeof value === 'number' ? (isSecret ? 'it in quotes' : nearText(schema, value)) : undefined
    const got = isSecret ? `a ${typeof value}` : describe(value)
    report.add('HR_CONFIG_TYPE', path, `expected ${expected}, got ${got}`, { suggestion })
    return undefined
  }
  if (schema.pattern === undefined || new RegExp(schema.pattern).test(value)) return value
  const wanted = schema.expects ?? `text that matches ${schema.pattern}`
  if (schema.secret === true) {
    // Neither shown nor guessed at: there may be a password in it.
    report.add('HR_CONFIG_VALUE', path, `expected ${wanted}, got something else`)
    return undefined
  }
  const suggestion = nearText(schema, value)
  report.add('HR_CONFIG_VALUE', path, `expected ${wanted}, got ${describe(value)}`, { suggestion })
  return undefined
}

/** What other gateways call a scheme, and what has to be said besides. */
const ELSEWHERE: ReadonlyMap<string, [scheme: string, besides: string]> = new Map([
  ['grpc', ['h2c', '']],
  ['grpcs', ['https', ', with http2: true']],
  ['ws', ['http', '']],
  ['wss', ['https', '']],
])

/** Text that fits: 'localhost:3000' lacks its scheme, 'http:/x' a slash of it, 'health' its slash, 3000 its host. */
function nearText({ pattern = '' }: SchemaNode, value: string | number): string | undefined {
  const text = String(value)
  if (text.trim() === '') return undefined
  // Another scheme is no slip: of most nobody knows what was meant.
  const scheme = /^([a-z][a-z\d+.-]*):(?:\/+|(?=[^\d/]))/i.exec(text)
  const name = scheme?.[1]?.toLowerCase() ?? ''
  const [meant, besides] = ELSEWHERE.get(name) ?? [name, '']
  const candidates =
    scheme === null
      ? [text, `/${text}`, ...(/^\d+$/.test(text) ? [`http://127.0.0.1:${text}`] : [`http://${text}`])]
      : [`${meant}://${text.slice(scheme[0].length)}`]
  const near = candidates.find((candidate) => new RegExp(pattern).test(candidate))
  return near === undefined ? undefined : `'${near}'${besides}`
}

function settleWord(words: string[], value: unknown, path: Path, report: Report): string | undefined {
  if (typeof value === 'string' && words.includes(value)) return value
  const expected = words.length === 1 ? `'${words[0]}'` : `one of ${words.map((word) => `'${word}'`).join(', ')}`
  const near = typeof value === 'string' ? closest(value, words) : undefined
  report.add('HR_CONFIG_VALUE', path, `expected ${expected}, got ${describe(value)}`, {
    suggestion: near && `'${near}'`,
  })
  return undefined
}
