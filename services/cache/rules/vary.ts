import type { CachePolicy } from '../policy.ts'
import type { StoredResponse } from '../stored.ts'
import { fieldValue, requestFieldValue, type FieldList, type ResponseHead } from './message.ts'
import { dateOf } from './validators.ts'
import {
  areKnownCodings,
  bestLanguage,
  favourite,
  normalEncodings,
  normalLanguages,
  normalLanguagesInOrder,
} from './preferences.ts'

/** Stands for a field that the request did not have, which differs from an empty one: no normal value is a space. */
export const ABSENT = ' '

/** What the request fields named by Vary are compared by. */
export type VaryPolicy = Pick<CachePolicy, 'profile' | 'languages'>

/** What the gateway writes anew for each client: no two requests are known to have the same. */
const OF_ONE_CLIENT: ReadonlySet<string> = new Set(['forwarded', 'via', 'x-forwarded-for', 'x-real-ip', 'x-request-id'])

/**
 * The names in Vary, in lower case, sorted, once each; `'*'` where any member of any line is `*`: such a response never
 * matches a later request (RFC 9111 §4.1). The same of one that varies by what only one client is known by.
 */
export function varyNames(fields: FieldList): readonly string[] | '*' {
  const value = fieldValue(fields, 'vary')
  if (value === undefined) return NONE
  const names = new Set<string>()
  for (const member of value.split(',')) {
    const name = member.trim().toLowerCase()
    if (name === '*' || OF_ONE_CLIENT.has(name)) return '*'
    if (name !== '') names.add(name)
  }
  return [...names].toSorted()
}

const NONE: readonly string[] = []

/**
 * What a response is stored with: the request fields that its Vary names, with their normal values, sorted by name (RFC
 * 9111 §4.1); `'*'` where it can answer no other request.
 * @param fields of the response, names in lower case
 */
export function varyOf(fields: FieldList, request: FieldList, policy: VaryPolicy): readonly string[] | '*' {
  const names = varyNames(fields)
  if (names === '*' || names.length === 0) return names
  const list: string[] = []
  for (const name of names) {
    const sent = requestFieldValue(request, name)
    const value = normalValue(name, sent, policy)
    if (name === 'accept-language') list.push(name, withContentLanguage(value, fields, policy))
    else list.push(name, name === 'accept-encoding' ? forCoding(value, sent, fields) : value)
  }
  return list
}

/** Whether the Vary among these fields names what a response is stored with. */
export function namesSame(vary: readonly string[], fields: FieldList): boolean {
  const names = varyNames(fields)
  return names !== '*' && names.length * 2 === vary.length && names.every((name, i) => name === vary[i * 2])
}

/** Whether a request would have been answered by what is stored with this list. Runs on every hit of such a resource. */
export function matches(vary: readonly string[], request: FieldList, policy: VaryPolicy): boolean {
  for (let i = 0; i < vary.length; i += 2) {
    const name = vary[i] as string
    const stored = vary[i + 1] as string
    const sent = requestFieldValue(request, name)
    const value = normalValue(name, sent, policy)
    if (stored === value) continue
    if (name === 'accept-language' && sameLanguage(stored, value)) continue
    if (name === 'accept-encoding' && sent !== undefined && isAsSent(stored, sent)) continue
    return false
  }
  return true
}

/**
 * Of the responses stored for a target, the one that a request selects: those with Vary go before those without, which
 * are often a default that came without it by mistake; then the most recent by Date (RFC 9111 §4, §4.1).
 */
export function selectVariant<T extends Pick<StoredResponse, 'vary'> & ResponseHead>(
  stored: readonly T[],
  request: FieldList,
  policy: VaryPolicy,
): T | undefined {
  let selected: T | undefined
  for (const candidate of stored) {
    if (matches(candidate.vary, request, policy) && (selected === undefined || goesBefore(candidate, selected))) {
      selected = candidate
    }
  }
  return selected
}

function goesBefore(a: Pick<StoredResponse, 'vary'> & ResponseHead, b: typeof a): boolean {
  if (a.vary.length > 0 !== b.vary.length > 0) return a.vary.length > 0
  return dateOf(a) > dateOf(b)
}

/** Fields whose value is no list: a comma in them separates nothing. */
const SINGLE = new Set(['authorization', 'cookie', 'host', 'origin', 'referer', 'user-agent'])

/** The normal form of a request field (RFC 9111 §4.1): its lines joined, whitespace around members removed. */
function normalValue(name: string, value: string | undefined, policy: VaryPolicy): string {
  if (value === undefined) return ABSENT
  if (name === 'accept-encoding') return remembered(encodings, value, normalEncodings)
  if (name === 'accept-language') return normalLanguage(value, policy)
  return SINGLE.has(name) ? value.trim() : normalList(value)
}

/** Whitespace around commas outside quotes is removed, and so are empty members (RFC 9110 §5.6.1). */
function normalList(value: string): string {
  if (!value.includes(',')) return value.trim()
  let normal = ''
  let start = 0
  let quoted = false
  for (let i = 0; i <= value.length; i++) {
    const char = value[i]
    if (char === '"') quoted = !quoted
    else if (quoted && char === '\\') i++
    if (i < value.length && (quoted || char !== ',')) continue
    const member = value.slice(start, i).trim()
    if (member !== '') normal = normal === '' ? member : `${normal},${member}`
    start = i + 1
  }
  return normal
}

function normalLanguage(value: string, policy: VaryPolicy): string {
  const { languages } = policy
  if (languages !== null) {
    let known = offered.get(languages)
    if (known === undefined) offered.set(languages, (known = new Map()))
    return remembered(known, value, (sent) => bestLanguage(sent, languages))
  }
  if (policy.profile === 'rfc') return remembered(unordered, value, normalLanguages)
  return remembered(ordered, value, normalLanguagesInOrder)
}

/** A response in a coding that no registry has answers those alone who ask in the same words. */
function forCoding(value: string, sent: string | undefined, fields: FieldList): string {
  const coding = fieldValue(fields, 'content-encoding')
  return coding === undefined || sent === undefined || areKnownCodings(coding) ? value : asSent(sent)
}

/** What has no normal form is compared as it was sent; the space keeps it from looking like one. */
const asSent = (value: string): string => ` ${value.trim()}`

/** Makes no string for what has a normal form. */
const isAsSent = (stored: string, value: string): boolean => stored.charCodeAt(0) === SPACE && stored === asSent(value)

const SPACE = 32

/** Ends the normal Accept-Language in front of the stored response's own language. No field value has it. */
const LANGUAGE = '\n'

/**
 * By the RFC's letter, who prefers German before all else is answered by a German response that someone else's
 * preferences selected (RFC 9111 §4.1: a known mechanism for ranking).
 */
function withContentLanguage(value: string, fields: FieldList, policy: VaryPolicy): string {
  if (policy.profile !== 'rfc' || policy.languages !== null) return value
  const language = fieldValue(fields, 'content-language')
  return language === undefined ? value : `${value}${LANGUAGE}${language.trim().toLowerCase()}`
}

function sameLanguage(stored: string, value: string): boolean {
  const end = stored.indexOf(LANGUAGE)
  if (end === -1) return false
  if (end === value.length && stored.startsWith(value)) return true
  const wanted = favourite(value)
  return wanted !== undefined && stored.length === end + 1 + wanted.length && stored.endsWith(wanted)
}

/** Clients send few forms of these fields, and the normal form is asked for on every hit: the last ones are kept. */
const encodings = new Map<string, string>()
const ordered = new Map<string, string>()
const unordered = new Map<string, string>()
const offered = new WeakMap<readonly string[], Map<string, string>>()
const REMEMBERED = 1024
const REMEMBERED_LENGTH = 256

function remembered(known: Map<string, string>, value: string, normal: (value: string) => string | undefined): string {
  const seen = known.get(value)
  if (seen !== undefined) return seen
  const result = normal(value) ?? asSent(value)
  if (value.length > REMEMBERED_LENGTH) return result
  if (known.size >= REMEMBERED) known.clear()
  known.set(value, result)
  return result
}
