import { Buffer } from 'node:buffer'
import { type Completion, completionOf } from '../rules/combine.ts'
import { fieldValue, type ResponseHead } from '../rules/message.ts'
import { parseContentRange, without } from '../rules/partial-content.ts'
import { updatedFields } from '../rules/update.ts'
import { strongValidatorOf } from '../rules/validators.ts'
import type { StoredResponse } from '../stored.ts'

/** A stored part, and the request for what it lacks (RFC 9111 §3.4). */
export interface Completing {
  stored: StoredResponse
  request: Completion
}

/** The whole, made of a stored part and the origin's answer. */
export interface Completed {
  head: ResponseHead
  /** In bytes. */
  length: number
  /** Stored bytes before those that come, or after them. */
  before: Uint8Array | undefined
  after: Uint8Array | undefined
}

/** `undefined` where there is no part, or where it lacks more than one range. */
export function completingOf(stored: StoredResponse | undefined): Completing | undefined {
  const request = stored === undefined ? undefined : completionOf(stored)
  return stored === undefined || request === undefined ? undefined : { stored, request }
}

/** The fields that ask for what is missing, and for everything where the representation has changed (RFC 9110 §13.1.5). */
export function completionFields({ request: { range, validator } }: Completing): string[] {
  return validator === null ? ['range', range] : ['range', range, 'if-range', validator]
}

/**
 * The answer that a 206 brings about. `undefined` where it is not what was asked for, or not of the same representation:
 * nothing of it can be used then.
 *
 * @param length of the answer's body, as declared
 */
export function completed(stored: StoredResponse, head: ResponseHead, length: number | null): Completed | undefined {
  const validator = strongValidatorOf(head)
  if (stored.part === null || validator === undefined || validator !== strongValidatorOf(stored)) return undefined
  const part = parseContentRange(fieldValue(head.fields, 'content-range') ?? '')
  if (part === undefined || part.last - part.first + 1 !== length) return undefined
  const complete = part.complete ?? stored.part.complete
  if (complete === null || complete !== (stored.part.complete ?? complete)) return undefined
  const follows = stored.part.first === 0 && part.first === stored.part.last + 1 && part.last === complete - 1
  const precedes = part.first === 0 && stored.part.first === part.last + 1 && stored.part.last === complete - 1
  if (!follows && !precedes) return undefined
  const bytes = typeof stored.body === 'string' ? Buffer.from(stored.body, 'latin1') : stored.body
  return {
    head: { ...head, status: 200, fields: without(updatedFields(stored.fields, head), RANGE_FIELDS) },
    length: complete,
    before: follows ? bytes : undefined,
    after: follows ? undefined : bytes,
  }
}

const RANGE_FIELDS = new Set(['content-length', 'content-range'])
