import { isAny, isStrong, listHolds, strongEqual, weakEqual } from './entity-tag.ts'
import { parseHttpDate } from './http-date.ts'
import { fieldValue, type FieldList, type RequestConditions, type ResponseHead } from './message.ts'
import { dateOf, entityTagOf, lastModifiedOf, strongValidatorOf } from './validators.ts'

/**
 * What a client's preconditions make of a stored response. `failed`: If-Match or If-Unmodified-Since does not hold for
 * what is stored. These are the origin's to decide (RFC 9111 §4.3.2), which may hold something newer: such a request is
 * forwarded, not answered 412 from the store.
 */
export type Precondition = 'full' | 'not-modified' | 'failed'

/**
 * The preconditions of a GET or HEAD against the response that was selected for it, in the order of RFC 9110 §13.2.2.
 * Only those of a successful answer count (§13.2.1).
 */
export function evaluatePreconditions(conditions: RequestConditions, stored: ResponseHead): Precondition {
  if (stored.status < 200 || stored.status > 299) return 'full'
  if (conditions.ifMatch !== undefined) {
    if (!matchesStrongly(conditions.ifMatch, stored)) return 'failed'
  } else if (conditions.ifUnmodifiedSince !== undefined) {
    if (modifiedSince(conditions.ifUnmodifiedSince, stored) === true) return 'failed'
  }
  if (conditions.ifNoneMatch !== undefined) {
    return matchesWeakly(conditions.ifNoneMatch, stored) ? 'not-modified' : 'full'
  }
  if (conditions.ifModifiedSince === undefined) return 'full'
  return modifiedSince(conditions.ifModifiedSince, stored) === false ? 'not-modified' : 'full'
}

/** Whether there is a precondition that the origin decides where it does not hold for what is stored. */
export function isForOrigin({ ifMatch, ifUnmodifiedSince }: RequestConditions): boolean {
  return ifMatch !== undefined || ifUnmodifiedSince !== undefined
}

/** If-Match (RFC 9110 §13.1.1): strong comparison, or `*`. */
function matchesStrongly(list: string, stored: ResponseHead): boolean {
  const tag = entityTagOf(stored)
  return isAny(list) || (tag !== undefined && listHolds(list, tag, strongEqual))
}

/** If-None-Match (RFC 9110 §13.1.2): weak comparison, or `*`. */
function matchesWeakly(list: string, stored: ResponseHead): boolean {
  const tag = entityTagOf(stored)
  if (tag === undefined) return isAny(list)
  return list === tag || listHolds(list, tag, weakEqual) || isAny(list)
}

/**
 * Whether what is stored is newer than a date (RFC 9110 §13.1.3, §13.1.4); `undefined` for what is no date, which is
 * ignored. Without Last-Modified its Date counts (RFC 9111 §4.3.2).
 */
function modifiedSince(value: string, stored: ResponseHead): boolean | undefined {
  const since = parseHttpDate(value, stored.receivedAt)
  if (since === undefined) return undefined
  // Clients send back what they got: no second date to read then.
  if (fieldValue(stored.fields, 'last-modified') === value) return false
  return (lastModifiedOf(stored) ?? dateOf(stored)) > since
}

/**
 * Whether a Range still counts beside If-Range (RFC 9110 §13.1.5): the strong entity tag, or the very date, of what is
 * stored. Else the whole representation is the answer.
 */
export function rangeApplies(ifRange: string | undefined, stored: ResponseHead): boolean {
  if (ifRange === undefined) return true
  const validator = strongValidatorOf(stored)
  if (validator === undefined) return false
  const value = ifRange.trim()
  if (value === validator) return true
  if (isStrong(validator)) return false
  return parseHttpDate(value, stored.receivedAt) === lastModifiedOf(stored)
}

/** The RFC's list, and the targeted directives and the tags that a cache further down goes by. */
const KEPT = new Set([
  'cache-control',
  'cache-tag',
  'cdn-cache-control',
  'content-location',
  'date',
  'etag',
  'expires',
  'surrogate-key',
  'vary',
])

/**
 * What a 304 from the store carries (RFC 9110 §15.4.5); Last-Modified only where no ETag says more. Age, Cache-Status and
 * what every answer carries come on top.
 */
export function notModifiedFields(stored: FieldList): string[] {
  const kept: string[] = []
  const tagged = fieldValue(stored, 'etag') !== undefined
  for (let i = 0; i < stored.length; i += 2) {
    const name = stored[i] as string
    if (KEPT.has(name) || (name === 'last-modified' && !tagged)) kept.push(name, stored[i + 1] as string)
  }
  return kept
}
