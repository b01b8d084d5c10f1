import { Buffer } from 'node:buffer'
import { STRING_BODY_BYTES, type StoredPart, type StoredResponse } from '../stored.ts'
import { fieldValue, type FieldList } from './message.ts'
import type { ByteRange } from './range.ts'

const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/i

/** Content-Range of a 206 (RFC 9110 §14.4); `undefined` for what is invalid, another unit, or says no range. */
export function parseContentRange(value: string): StoredPart | undefined {
  const match = CONTENT_RANGE.exec(value.trim())
  if (match === null) return undefined
  const first = Number(match[1])
  const last = Number(match[2])
  const complete = match[3] === '*' ? null : Number(match[3])
  if (first > last || (complete !== null && last >= complete)) return undefined
  return { first, last, complete }
}

/**
 * Which part of the representation a 206 holds. `undefined` where that is not known, so that it cannot be stored (RFC 9111
 * §3.3): several ranges, or a body that is not as long as its Content-Range says.
 */
export function partOf(fields: FieldList, bodyBytes: number): StoredPart | undefined {
  const value = fieldValue(fields, 'content-range')
  const part = value === undefined ? undefined : parseContentRange(value)
  return part !== undefined && part.last - part.first + 1 === bodyBytes ? part : undefined
}

/** What a 206 from the store is made of; Age, Cache-Status and what every answer carries come on top. */
export interface PartialContent {
  fields: readonly string[]
  body: string | Uint8Array
}

/**
 * The answer to ranges that are stored (RFC 9110 §15.3.7): one as it is, several as multipart/byteranges (§14.6).
 * @param ranges at least one, all within what is stored
 * @param boundary unguessable, so that no body can contain it
 */
export function partialContent(stored: StoredResponse, ranges: readonly ByteRange[], boundary: string): PartialContent {
  const [only] = ranges
  if (only !== undefined && ranges.length === 1) {
    const body = bytesOf(stored, only)
    const length = String(only.last - only.first + 1)
    const fields = without(stored.fields, SINGLE)
    fields.push('content-range', contentRange(only, stored), 'content-length', length)
    return { fields, body }
  }
  const pieces: (string | Uint8Array)[] = []
  const type = fieldValue(stored.fields, 'content-type')
  for (const range of ranges) {
    const typed = type === undefined ? '' : `Content-Type: ${type}\r\n`
    pieces.push(
      `\r\n--${boundary}\r\n${typed}Content-Range: ${contentRange(range, stored)}\r\n\r\n`,
      bytesOf(stored, range),
    )
  }
  pieces.push(`\r\n--${boundary}--\r\n`)
  const body = joinBytes(pieces)
  const fields = without(stored.fields, MULTIPLE)
  fields.push('content-type', `multipart/byteranges; boundary=${boundary}`, 'content-length', String(body.length))
  return { fields, body }
}

/** What a 416 carries (RFC 9110 §15.5.17). @param length of the representation, in bytes */
export function unsatisfiedFields(length: number): string[] {
  return ['content-range', `bytes */${length}`]
}

const SINGLE = new Set(['content-length', 'content-range'])
const MULTIPLE = new Set(['content-length', 'content-range', 'content-type'])

/** A copy of a list of fields less some names. */
export function without(fields: FieldList, names: ReadonlySet<string>): string[] {
  const kept: string[] = []
  for (let i = 0; i < fields.length; i += 2) {
    if (!names.has(fields[i] as string)) kept.push(fields[i] as string, fields[i + 1] as string)
  }
  return kept
}

function contentRange({ first, last }: ByteRange, stored: StoredResponse): string {
  const complete = stored.part === null ? stored.body.length : stored.part.complete
  return `bytes ${first}-${last}/${complete ?? '*'}`
}

/** Bytes of the representation that are stored; no copy is made. */
export function bytesOf({ part, body }: Pick<StoredResponse, 'part' | 'body'>, range: ByteRange): string | Uint8Array {
  const start = range.first - (part?.first ?? 0)
  const end = range.last + 1 - (part?.first ?? 0)
  return typeof body === 'string' ? body.slice(start, end) : body.subarray(start, end)
}

/** One body of several, in the form that its size calls for ({@link STRING_BODY_BYTES}). */
export function joinBytes(pieces: readonly (string | Uint8Array)[]): string | Uint8Array {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (length <= STRING_BODY_BYTES) {
    return pieces.map((piece) => (typeof piece === 'string' ? piece : latin1(piece))).join('')
  }
  return Buffer.concat(
    pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece)),
    length,
  )
}

function latin1({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
}
