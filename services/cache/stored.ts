import type { ResponseHead } from './rules/message.ts'

/** Bodies up to this size are kept as one latin1 string: what the hit lane writes, and a third of a Buffer's overhead. */
export const STRING_BODY_BYTES = 16_384

/** A part of a representation, from a 206 (RFC 9111 §3.3). */
export interface StoredPart {
  /** First and last byte, inclusive. */
  first: number
  last: number
  /** Bytes of the whole representation; `null` where the origin did not say. */
  complete: number | null
}

/**
 * One stored response. Plain data: it goes to other tiers and processes as it is. Never changed once stored: a 304 makes
 * a new one (RFC 9111 §4.3.4).
 */
export interface StoredResponse extends ResponseHead {
  /** A latin1 string up to {@link STRING_BODY_BYTES}, bytes above. */
  body: string | Uint8Array
  /** `null` for a whole representation. */
  part: StoredPart | null
  /** The request fields that Vary names with their normalised values, sorted by name: name, value, name, value (§4.1). */
  vary: readonly string[]
  /** Surrogate keys by which it is purged. */
  tags: readonly string[]
}

export function bodyLength(body: string | Uint8Array): number {
  return body.length
}
