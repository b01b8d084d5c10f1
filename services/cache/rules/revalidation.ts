import type { StoredResponse } from '../stored.ts'
import { isStrong, strongEqual, weakEqual } from './entity-tag.ts'
import { fieldValue, requestFieldValue, type FieldList, type ResponseHead } from './message.ts'
import { acceptsCoding } from './preferences.ts'
import { updatedFields } from './update.ts'
import { dateOf, entityTagOf, lastModifiedOf } from './validators.ts'
import { matches, varyOf, type VaryPolicy } from './vary.ts'

/** An origin refuses a request head of more than some KiB: so many tags, and no more bytes of them, are sent. */
const MAX_TAGS = 32
const MAX_TAG_BYTES = 2048

/** What the origin is asked: the fields of the request, and which stored responses they name. */
export interface Question {
  fields: readonly string[]
  asked: readonly StoredResponse[]
}

/**
 * The fields that ask the origin whether what is stored still holds (RFC 9111 §4.3.1); `undefined` where nothing stored
 * has a validator. All strong tags of the target are named, whether the request selects their response or not: the origin
 * says by a 304 which of them answers it. A selected response without an entity tag is asked about by its date alone:
 * beside If-None-Match, an origin ignores If-Modified-Since (RFC 9110 §13.1.3).
 * @param stored the responses for the target; of parts, only the selected one is asked about (RFC 9111 §4.3.2)
 * @param selected the one that the request selects, if any
 */
export function validationOf(
  stored: readonly StoredResponse[],
  selected: StoredResponse | undefined,
): Question | undefined {
  const modified = selected === undefined ? undefined : fieldValue(selected.fields, 'last-modified')
  if (selected !== undefined && entityTagOf(selected) === undefined) {
    return modified === undefined ? undefined : { fields: ['if-modified-since', modified], asked: [selected] }
  }
  const asked = tagged(stored, selected)
  if (asked.length === 0) return undefined
  const fields = ['if-none-match', [...new Set(asked.map(entityTagOf))].join(', ')]
  if (modified !== undefined) fields.push('if-modified-since', modified)
  return { fields, asked }
}

/**
 * Others than the selected one are asked about by strong tags only: servers that compress give all codings of a
 * representation the same weak tag.
 */
function tagged(stored: readonly StoredResponse[], selected: StoredResponse | undefined): StoredResponse[] {
  const asked = selected === undefined ? [] : [selected]
  let bytes = 0
  for (const response of stored) {
    const tag = entityTagOf(response)
    if (response === selected || response.part !== null || tag === undefined || !isStrong(tag)) continue
    bytes += tag.length
    if (asked.length === MAX_TAGS || bytes > MAX_TAG_BYTES) break
    asked.push(response)
  }
  return asked
}

/**
 * The conditions of a client that do not go on to the origin with a validation or a fill: they are the cache's to answer
 * from what it then has (RFC 9111 §4.3.2). If-Match and If-Unmodified-Since do go on: they are the origin's.
 */
const CACHE_CONDITIONS: ReadonlySet<string> = new Set(['if-none-match', 'if-modified-since'])

/** The request as the origin gets it: the client's conditions replaced with the cache's own. Names in any case. */
export function withValidation(request: FieldList, validation: FieldList): string[] {
  return withoutNames(request, CACHE_CONDITIONS).concat(validation)
}

const RANGE: ReadonlySet<string> = new Set(['range', 'if-range'])

/** The request without Range and If-Range: for a fill of the whole representation. */
export function withoutRange(request: FieldList): string[] {
  return withoutNames(request, RANGE)
}

/** What a client wants of caches (RFC 9111 §5.2.1, §5.4), and its preconditions that go on to the origin. */
const WISHES: ReadonlySet<string> = new Set(['cache-control', 'pragma', 'if-match', 'if-unmodified-since'])

/**
 * The request without what one client wants of its own answer, which it has got: for a refresh on behalf of all. A cache
 * further up would answer `only-if-cached` with 504, and an origin If-Match of what was replaced with 412.
 *
 * @param selecting request fields that choose the answer, in lower case: these stay
 */
export function withoutWishes(request: FieldList, selecting: readonly string[]): string[] {
  return withoutNames(request, selecting.length === 0 ? WISHES : WISHES.difference(new Set(selecting)))
}

function withoutNames(request: FieldList, names: ReadonlySet<string>): string[] {
  const fields: string[] = []
  for (let i = 0; i < request.length; i += 2) {
    const name = request[i] as string
    if (!names.has(name.toLowerCase())) fields.push(name, request[i + 1] as string)
  }
  return fields
}

/** One stored response, and what takes its place; the first of several answers the request. */
export interface Update {
  old: StoredResponse
  updated: StoredResponse
}

/** `mismatch`: the 304 is about nothing that is stored. What is stored is of no use, and the request is sent again bare. */
export type Freshening = { outcome: 'updated'; updates: readonly Update[] } | { outcome: 'mismatch' }

export interface Validation {
  /** What was asked about: those whose validators the request named. */
  asked: readonly StoredResponse[]
  /** The 304, its fields as they may be stored. */
  answer: ResponseHead
  /** The request that it answers, by which the updated response is stored again. */
  request: FieldList
  policy: VaryPolicy
}

/**
 * Which stored responses a 304 updates, and to what (RFC 9111 §4.3.4): all with its strong entity tag; else, of those that
 * the request selects, the most recent with its weak tag, or with its Last-Modified; and where it names no validator, the
 * one that was asked about. The updated ones are to pass the rules of storing again: the 304 may say `no-store`.
 */
export function freshen({ asked, answer, request, policy }: Validation): Freshening {
  const recent = asked.toSorted((a, b) => dateOf(b) - dateOf(a))
  const selectable = recent.filter((stored) => matches(stored.vary, request, policy))
  const others = recent.filter((stored) => !selectable.includes(stored) && understands(request, stored))
  const identified = identify(selectable, others, answer)
  if (identified.length === 0) return { outcome: 'mismatch' }
  return {
    outcome: 'updated',
    updates: identified.map((old) => ({ old, updated: update(old, answer, { request, policy }) })),
  }
}

/** Origins that give one strong tag to all codings of a representation exist: none gets a coding that it did not accept. */
function understands(request: FieldList, stored: StoredResponse): boolean {
  const coding = fieldValue(stored.fields, 'content-encoding')
  return coding === undefined || acceptsCoding(requestFieldValue(request, 'accept-encoding'), coding)
}

function identify(
  selectable: readonly StoredResponse[],
  others: readonly StoredResponse[],
  answer: ResponseHead,
): readonly StoredResponse[] {
  const tag = entityTagOf(answer)
  if (tag !== undefined && isStrong(tag)) {
    return [...selectable, ...others].filter((stored) => strongEqual(entityTagOf(stored) ?? '', tag))
  }
  if (tag !== undefined) return selectable.filter((stored) => weakEqual(entityTagOf(stored) ?? '', tag)).slice(0, 1)
  const modified = lastModifiedOf(answer)
  if (modified !== undefined) return selectable.filter((stored) => lastModifiedOf(stored) === modified).slice(0, 1)
  // Origins leave the validator out of a 304 though they should not (RFC 9110 §15.4.5); asked about one, they mean it.
  return selectable.length === 1 && others.length === 0 ? selectable : NONE
}

const NONE: readonly StoredResponse[] = []

function update(
  old: StoredResponse,
  answer: ResponseHead,
  { request, policy }: Pick<Validation, 'request' | 'policy'>,
): StoredResponse {
  const fields = updatedFields(old.fields, answer)
  const vary = varyOf(fields, request, policy)
  const { requestedAt, receivedAt } = answer
  return { ...old, fields, requestedAt, receivedAt, vary: vary === '*' ? old.vary : vary }
}

/** `stale`: the answer is about another representation than what is stored, which is to be validated before further use. */
export type HeadUpdate = { outcome: 'updated'; updated: StoredResponse } | { outcome: 'stale' }

/**
 * What the 200 to a HEAD makes of a stored response that the request selects (RFC 9111 §4.3.5): the same validators and
 * length, as far as it has them, update its fields; anything else shows it to be outdated.
 */
export function updateByHead(old: StoredResponse, answer: ResponseHead): HeadUpdate {
  if (!sameRepresentation(old, answer)) return { outcome: 'stale' }
  const { requestedAt, receivedAt } = answer
  return { outcome: 'updated', updated: { ...old, fields: updatedFields(old.fields, answer), requestedAt, receivedAt } }
}

function sameRepresentation(old: StoredResponse, answer: ResponseHead): boolean {
  const tag = entityTagOf(answer)
  if (tag !== undefined && tag !== entityTagOf(old)) return false
  const modified = fieldValue(answer.fields, 'last-modified')
  if (modified !== undefined && lastModifiedOf(answer) !== lastModifiedOf(old)) return false
  const length = fieldValue(answer.fields, 'content-length')
  if (length !== undefined && Number(length) !== wholeLength(old)) return false
  const coding = fieldValue(answer.fields, 'content-encoding')
  return coding === undefined || coding === fieldValue(old.fields, 'content-encoding')
}

function wholeLength(stored: StoredResponse): number | null {
  return stored.part === null ? stored.body.length : stored.part.complete
}
