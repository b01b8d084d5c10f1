import { deserialize, serialize } from 'node:v8'
import type { EntryTimes } from '../store/entry.ts'
import { type StoredResponse, STRING_BODY_BYTES } from '../stored.ts'

/**
 * Values as a store keeps them: in V8's structured-clone format, so that nobody can change what is stored, everybody gets
 * the same whether it was made or found, and other tiers can keep it. Its readers understand what older ones wrote.
 */

/** How long a value is good, from when it was there: milliseconds. */
export interface ValueLife {
  freshMs: number
  usableMs: number
}

/** @throws what V8 says of functions, promises and the like */
export function toBytes(value: unknown): Buffer {
  return serialize(value)
}

/** A copy of its own for each caller. @param bytes nobody else's: parts of the result may lie in them */
export function fromBytes(bytes: Buffer): unknown {
  return deserialize(bytes)
}

const FRESH = 'fresh-ms'
const USABLE = 'usable-ms'

/**
 * The record of a value: a response whose fields no HTTP rule reads. They say how long it is good, and not until when: the
 * clock of whoever reads it may be another.
 *
 * @param times when making it began, and when it was there: milliseconds since 1970
 */
export function storedValue(
  bytes: Buffer,
  { begunAt, now, life, tags }: { begunAt: number; now: number; life: ValueLife; tags: readonly string[] },
): StoredResponse {
  return {
    status: 200,
    fields: [FRESH, String(life.freshMs), USABLE, String(life.usableMs)],
    requestedAt: begunAt,
    receivedAt: now,
    // The bytes as they are may go to callers, or lie in a larger buffer.
    body: bytes.length <= STRING_BODY_BYTES ? bytes.toString('latin1') : Uint8Array.from(bytes),
    part: null,
    vary: [],
    tags,
  }
}

/** Until when a record is good; of one that says nothing of it, not at all. */
export function valueTimes({ receivedAt, fields }: StoredResponse): EntryTimes {
  const [fresh, freshMs, usable, usableMs] = fields
  if (fresh !== FRESH || usable !== USABLE) return { bornAt: receivedAt, freshUntil: 0, usableUntil: 0 }
  return {
    bornAt: receivedAt,
    freshUntil: receivedAt + Number(freshMs),
    usableUntil: receivedAt + Number(usableMs),
  }
}

/** The bytes of a record, a copy: a typed array that is read from them lies in them. */
export function bytesOf({ body }: StoredResponse): Buffer {
  return typeof body === 'string' ? Buffer.from(body, 'latin1') : Buffer.from(body)
}

export function valueOf(stored: StoredResponse): unknown {
  return fromBytes(bytesOf(stored))
}

/** Whether a record has a value that this process can read: another one's Node may be newer. */
export function isReadable(stored: StoredResponse): boolean {
  try {
    valueOf(stored)
    return true
  } catch {
    return false
  }
}
