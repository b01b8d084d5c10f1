import type { Told } from '../rules/sending.ts'
import type { StoredResponse } from '../stored.ts'

/*
 * Bytes of V8's heap, as bench/micro/cache-memory.ts finds them and a test holds them. Rounded up, and strings that are
 * shared count as if they were not: a budget that counts too much keeps a few entries fewer, one that counts too little
 * ends the process.
 */

/** The entry, its response, its resource and their places in the maps. */
const ENTRY = 520
/** What clients are told in place of what is stored, beside the fields. */
const TOLD = 160
/** A place in a list. */
const SLOT = 8
const STRING = 24
/** A tag's places in the index. */
const TAG = 128
/** A Uint8Array and its buffer, beyond the bytes. */
const BUFFER = 240

function text(value: string): number {
  return STRING + value.length
}

/** Memory that a response takes in the store. */
export function footprint(key: string, stored: StoredResponse, said?: Told): number {
  let bytes = ENTRY + text(key)
  const { fields, vary, tags, body } = stored
  for (let i = 0; i < fields.length; i += 2) {
    // Names are shared.
    bytes += 2 * SLOT + text(fields[i + 1] as string)
  }
  // Its strings are those of `fields`, or the route's.
  if (said !== undefined) bytes += TOLD + said.fields.length * SLOT
  for (const value of vary) bytes += SLOT + text(value)
  for (const tag of tags) bytes += SLOT + TAG + text(tag)
  return bytes + (typeof body === 'string' ? text(body) : BUFFER + body.buffer.byteLength)
}
