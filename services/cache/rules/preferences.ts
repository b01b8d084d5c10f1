import { weights } from '../../http/weights.ts'

/**
 * Normal forms of Accept-Encoding and Accept-Language (RFC 9110 §12.5): two requests with the same form ask for the same,
 * so that one stored response answers both (RFC 9111 §4.1). Weights become ranks: `br,gzip>deflate` is br or gzip, and
 * only then deflate.
 */

/** Names of weight above 0, the same weight together, the highest first. */
function ranks(found: ReadonlyMap<string, number>): string[][] {
  const byWeight = new Map<number, string[]>()
  for (const [name, weight] of found) {
    if (weight === 0) continue
    const equals = byWeight.get(weight)
    if (equals === undefined) byWeight.set(weight, [name])
    else equals.push(name)
  }
  return [...byWeight].toSorted(([a], [b]) => b - a).map(([, names]) => names)
}

/** What the registry of HTTP content codings has (RFC 9110 §16.6.1), and `*`. */
const CODINGS: ReadonlySet<string> = new Set([
  '*',
  'aes128gcm',
  'br',
  'compress',
  'dcb',
  'dcz',
  'deflate',
  'exi',
  'gzip',
  'identity',
  'pack200-gzip',
  'zstd',
])

/** Whether a Content-Encoding has only codings that {@link normalEncodings} tells apart. */
export function areKnownCodings(coding: string): boolean {
  return coding.split(',').every((name) => CODINGS.has(name.trim().toLowerCase()))
}

/**
 * Accept-Encoding (RFC 9110 §12.5.3). Codings that are in no registry are left out: hardly any origin answers with one, and
 * each made-up name would be a variant of its own. No acceptable coding is the same as `identity`; a trailing `identity`
 * says nothing, since it is always acceptable unless refused (`!identity`).
 */
export function normalEncodings(value: string): string | undefined {
  const found = weights(value)
  if (found === undefined) return undefined
  alias(found, 'x-gzip', 'gzip')
  alias(found, 'x-compress', 'compress')
  for (const name of found.keys()) if (!CODINGS.has(name)) found.delete(name)
  const sets = ranks(found).map((names) => names.toSorted().join(','))
  if (sets.length > 1 && sets.at(-1) === 'identity' && !found.has('*')) sets.pop()
  const refused = refusedCodings(found)
  if (sets.length === 0) return refused.length === 0 ? 'identity' : refused.join('')
  return sets.join('>') + refused.join('')
}

function alias(found: Map<string, number>, old: string, name: string): void {
  const weight = found.get(old)
  if (weight === undefined) return
  found.delete(old)
  if (!found.has(name)) found.set(name, weight)
}

/** A refusal matters where the coding were acceptable without it: `identity`, and all of them beside `*`. */
function refusedCodings(found: ReadonlyMap<string, number>): string[] {
  const any = found.get('*')
  const refused: string[] = []
  if ((found.get('identity') ?? any) === 0) refused.push('!identity')
  if (any === undefined || any === 0) return refused
  for (const [name, weight] of found) if (weight === 0 && name !== 'identity') refused.push(`!${name}`)
  return refused.toSorted()
}

/** Whether Accept-Encoding allows a Content-Encoding; of several codings in a row, each. */
export function acceptsCoding(value: string | undefined, coding: string): boolean {
  if (value === undefined) return true
  const found = weights(value)
  if (found === undefined) return false
  return coding
    .toLowerCase()
    .split(',')
    .every((name) => (found.get(name.trim()) ?? found.get('*') ?? 0) > 0)
}

/**
 * Accept-Language (RFC 9110 §12.5.4) where the order within a weight means nothing, as the RFC has it.
 */
export function normalLanguages(value: string): string | undefined {
  const found = weights(value)
  return found === undefined ? undefined : ranked(found, (names) => names.toSorted())
}

/** The same where it does mean something, as to most negotiators in use: the first named is preferred. */
export function normalLanguagesInOrder(value: string): string | undefined {
  const found = weights(value)
  return found === undefined ? undefined : ranked(found, (names) => names)
}

function ranked(found: ReadonlyMap<string, number>, order: (names: string[]) => string[]): string {
  const refused = [...found].flatMap(([name, weight]) => (weight === 0 ? [`!${name}`] : []))
  const sets = ranks(found).map((names) => order(names).join(','))
  return sets.join('>') + refused.toSorted().join('')
}

/** The only language of the highest weight in a normal form of Accept-Language; `undefined` where there are several. */
export function favourite(normal: string): string | undefined {
  const end = normal.search(/[>!]/)
  const first = end === -1 ? normal : normal.slice(0, end)
  return first === '' || first === '*' || first.includes(',') ? undefined : first
}

/**
 * Of the languages that the origin can answer, the one asked for most: by weight, then in the order sent. A range takes
 * in what is more specific (RFC 4647 §3.3.1) and falls back to what is less (§3.4); `*` is the first language. `''` where
 * none is acceptable.
 */
export function bestLanguage(value: string, languages: readonly string[]): string | undefined {
  const found = weights(value)
  if (found === undefined) return undefined
  for (const range of ranks(found).flat()) {
    const language = languages.find((offered) => covers(range, offered.toLowerCase(), found))
    if (language !== undefined) return language
  }
  return ''
}

function covers(range: string, offered: string, found: ReadonlyMap<string, number>): boolean {
  if (found.get(offered) === 0) return false
  return range === '*' || offered === range || offered.startsWith(`${range}-`) || range.startsWith(`${offered}-`)
}
