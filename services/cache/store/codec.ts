import { crc32 } from 'node:zlib'
import { STRING_BODY_BYTES, type StoredPart, type StoredResponse } from '../stored.ts'
import { StoredFormatError } from './errors.ts'

/**
 * A stored response as bytes, for disk and Redis. Numbers big-endian:
 *
 *     u8   version
 *     u32  CRC-32 of all that follows
 *     u16  status
 *     f64  requestedAt, f64 receivedAt
 *     u8   0 whole; 1 part of unknown length; 2 part of known length
 *     f64  first, last, complete                 (where it is a part, and where known)
 *     list fields, list vary, list tags          u32 count, then u32 length and UTF-8 bytes each
 *     rest the body, as it is
 */
export const CODEC_VERSION = 1

const CHECKED_FROM = 5
const HEAD_BYTES = CHECKED_FROM + 2 + 8 + 8 + 1
const WHOLE = 0
const PART_UNKNOWN = 1
const PART_KNOWN = 2

/** @throws StoredFormatError where it could not be read back: characters that are not valid in a field */
export function encode(stored: StoredResponse): Buffer {
  const { status, requestedAt, receivedAt, part, fields, vary, tags, body } = stored
  const bytes = Buffer.allocUnsafe(encodedLength(stored))
  bytes[0] = CODEC_VERSION
  let at = bytes.writeUInt16BE(status, CHECKED_FROM)
  at = bytes.writeDoubleBE(requestedAt, at)
  at = bytes.writeDoubleBE(receivedAt, at)
  at = bytes.writeUInt8(part === null ? WHOLE : part.complete === null ? PART_UNKNOWN : PART_KNOWN, at)
  if (part !== null) {
    at = bytes.writeDoubleBE(part.first, at)
    at = bytes.writeDoubleBE(part.last, at)
    if (part.complete !== null) at = bytes.writeDoubleBE(part.complete, at)
  }
  for (const list of [fields, vary, tags]) {
    at = bytes.writeUInt32BE(list.length, at)
    for (const text of list) {
      if (!isClean(text)) throw new StoredFormatError('a line break or NUL in a field, or a broken character')
      const written = bytes.write(text, at + 4, 'utf8')
      at = bytes.writeUInt32BE(written, at) + written
    }
  }
  if (typeof body === 'string') bytes.write(body, at, 'latin1')
  else bytes.set(body, at)
  bytes.writeUInt32BE(crc32(bytes.subarray(CHECKED_FROM)), 1)
  return bytes
}

/**
 * The response again. A body above {@link STRING_BODY_BYTES} is a view of `bytes`, not a copy.
 * @throws StoredFormatError for anything that {@link encode} does not make
 */
export function decode(bytes: Uint8Array): StoredResponse {
  const reader = new Reader(bytes)
  const status = reader.u16()
  if (status < 200 || status > 599) throw new StoredFormatError('an impossible status')
  const requestedAt = reader.number()
  const receivedAt = reader.number()
  const part = readPart(reader)
  const fields = reader.list()
  const vary = reader.list()
  const tags = reader.list()
  if (fields.length % 2 !== 0 || vary.length % 2 !== 0) throw new StoredFormatError('a name without a value')
  return { status, fields, requestedAt, receivedAt, body: reader.body(), part, vary, tags }
}

function encodedLength({ part, fields, vary, tags, body }: StoredResponse): number {
  let length = HEAD_BYTES + body.length
  if (part !== null) length += part.complete === null ? 16 : 24
  for (const list of [fields, vary, tags]) {
    length += 4
    for (const text of list) length += 4 + Buffer.byteLength(text)
  }
  return length
}

function readPart(reader: Reader): StoredPart | null {
  const kind = reader.u8()
  if (kind === WHOLE) return null
  if (kind !== PART_UNKNOWN && kind !== PART_KNOWN) throw new StoredFormatError('an unknown kind of part')
  const first = reader.number()
  const last = reader.number()
  const complete = kind === PART_KNOWN ? reader.number() : null
  if (first > last || (complete !== null && last >= complete)) throw new StoredFormatError('an impossible part')
  return { first, last, complete }
}

/** Whoever can write to a shared store must not be able to split a response with it. */
function isClean(text: string): boolean {
  return !/[\r\n\0]/.test(text) && text.isWellFormed()
}

/** Reads forward, never beyond the end. */
class Reader {
  readonly #bytes: Buffer
  #at = CHECKED_FROM

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    if (bytes.length < HEAD_BYTES) throw new StoredFormatError('it is too short')
    if (bytes[0] !== CODEC_VERSION) throw new StoredFormatError(`version ${bytes[0]}, not ${CODEC_VERSION}`)
    if (this.#bytes.readUInt32BE(1) !== crc32(this.#bytes.subarray(CHECKED_FROM))) {
      throw new StoredFormatError('its checksum is wrong')
    }
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1))
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2))
  }

  /** A whole number from 0 on: a time, a length, a position. */
  number(): number {
    const value = this.#bytes.readDoubleBE(this.#take(8))
    // Times may be parts of a millisecond.
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) throw new StoredFormatError('an impossible number')
    return value
  }

  list(): string[] {
    const count = this.#bytes.readUInt32BE(this.#take(4))
    // Not made as long as the count says: that may be anything, and each text takes four bytes at least.
    const list: string[] = []
    for (let i = 0; i < count; i++) list.push(this.#text())
    return list
  }

  body(): string | Uint8Array {
    const length = this.#bytes.length - this.#at
    if (length <= STRING_BODY_BYTES) return this.#bytes.toString('latin1', this.#at)
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + this.#at, length)
  }

  #text(): string {
    const length = this.#bytes.readUInt32BE(this.#take(4))
    const from = this.#take(length)
    const text = this.#bytes.toString('utf8', from, from + length)
    if (!isClean(text)) throw new StoredFormatError('a line break or NUL in a field')
    return text
  }

  /** Where the next `length` bytes begin. */
  #take(length: number): number {
    const from = this.#at
    if (length > this.#bytes.length - from) throw new StoredFormatError('it is too short')
    this.#at += length
    return from
  }
}
