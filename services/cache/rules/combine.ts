import { bodyLength, type StoredPart, type StoredResponse } from '../stored.ts'
import type { FieldList } from './message.ts'
import { bytesOf, joinBytes, without } from './partial-content.ts'
import { updatedFields } from './update.ts'
import { strongValidatorOf } from './validators.ts'

const RANGE_FIELDS = new Set(['content-length', 'content-range'])

/**
 * One stored response of two for the same target (RFC 9111 §3.4, RFC 9110 §15.3.7.3): only with the same strong
 * validator, and where their parts touch. Its fields are those of the older, updated by the newer; it is a 200 once all
 * bytes are there. `undefined` where the two cannot be combined: the newer then takes the older's place.
 */
export function combine(older: StoredResponse, newer: StoredResponse): StoredResponse | undefined {
  const validator = strongValidatorOf(newer)
  if (validator === undefined || validator !== strongValidatorOf(older)) return undefined
  const a = extent(older)
  const b = extent(newer)
  if (a.complete !== null && b.complete !== null && a.complete !== b.complete) return undefined
  if (b.first > a.last + 1 || a.first > b.last + 1) return undefined
  const complete = a.complete ?? b.complete
  const first = Math.min(a.first, b.first)
  const last = Math.max(a.last, b.last)
  if (complete !== null && last >= complete) return undefined
  const whole = first === 0 && last + 1 === complete
  return {
    ...newer,
    status: whole ? 200 : 206,
    fields: lengthFields(updatedFields(older.fields, newer), { first, last, complete }, whole ? 'whole' : 'part'),
    body: union(older, newer),
    part: whole ? null : { first, last, complete },
  }
}

function extent({ part, body }: StoredResponse): StoredPart {
  if (part !== null) return part
  const complete = bodyLength(body)
  return { first: 0, last: complete - 1, complete }
}

/** The newer's bytes, with the older's before and after them. */
function union(older: StoredResponse, newer: StoredResponse): string | Uint8Array {
  const a = extent(older)
  const b = extent(newer)
  const pieces: (string | Uint8Array)[] = []
  if (a.first < b.first) pieces.push(bytesOf(older, { first: a.first, last: b.first - 1 }))
  pieces.push(newer.body)
  if (a.last > b.last) pieces.push(bytesOf(older, { first: b.last + 1, last: a.last }))
  return joinBytes(pieces)
}

function lengthFields(fields: FieldList, part: StoredPart, kind: 'whole' | 'part'): string[] {
  const { first, last, complete } = part
  const kept = without(fields, RANGE_FIELDS)
  if (kind === 'part') kept.push('content-range', `bytes ${first}-${last}/${complete ?? '*'}`)
  kept.push('content-length', String(last - first + 1))
  return kept
}

/** The request that completes a stored part. */
export interface Completion {
  /** For Range. */
  range: string
  /**
   * For If-Range. `null`: there is nothing to combine by (RFC 9111 §3.4), and of what comes only a whole representation
   * is of use.
   */
  validator: string | null
}

/** What is missing of a part, where that is one range: all behind it, or all before it. */
export function completionOf(stored: StoredResponse): Completion | undefined {
  const { part } = stored
  if (part === null) return undefined
  const validator = strongValidatorOf(stored) ?? null
  if (part.first === 0) return { range: `bytes=${part.last + 1}-`, validator }
  return part.last + 1 === part.complete ? { range: `bytes=0-${part.first - 1}`, validator } : undefined
}
