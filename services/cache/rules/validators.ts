import { isStrong } from './entity-tag.ts'
import { parseHttpDate } from './http-date.ts'
import { fieldValue, type ResponseHead } from './message.ts'

/** A day's clocks differ by less: Last-Modified this long before Date cannot be of the same second (RFC 9110 §8.8.2.2). */
const CLOCK_SKEW_MS = 60_000

/** Of an IMF-fixdate (RFC 9110 §5.6.7). */
const FIXDATE_LENGTH = 29

/** When a response was made: its Date, or when it came (RFC 9110 §6.6.1). Milliseconds since 1970. */
export function dateOf(head: ResponseHead): number {
  const value = fieldValue(head.fields, 'date')
  // One that stands twice, by now on one line, is as good as the first: without it the answer would be as young as it came.
  const first = value?.charAt(FIXDATE_LENGTH) === ',' ? value.slice(0, FIXDATE_LENGTH) : value
  return parseDate(first, head) ?? head.receivedAt
}

/** Milliseconds since 1970; `undefined` where there is none, or no date. */
export function lastModifiedOf(head: ResponseHead): number | undefined {
  return parseDate(fieldValue(head.fields, 'last-modified'), head)
}

export function entityTagOf(head: ResponseHead): string | undefined {
  return fieldValue(head.fields, 'etag')
}

/**
 * What proves two responses to be of the same bytes (RFC 9110 §8.8.1), in the form in which If-Range takes it: a strong
 * entity tag, or, without any tag, a Last-Modified that cannot have changed within its second.
 */
export function strongValidatorOf(head: ResponseHead): string | undefined {
  const tag = entityTagOf(head)
  if (tag !== undefined) return isStrong(tag) ? tag : undefined
  const modified = lastModifiedOf(head)
  if (modified === undefined || fieldValue(head.fields, 'date') === undefined) return undefined
  return dateOf(head) - modified >= CLOCK_SKEW_MS ? fieldValue(head.fields, 'last-modified') : undefined
}

function parseDate(value: string | undefined, head: ResponseHead): number | undefined {
  return value === undefined ? undefined : parseHttpDate(value, head.receivedAt)
}
