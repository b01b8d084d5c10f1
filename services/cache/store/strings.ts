import type { StoredResponse } from '../stored.ts'
import { hash } from './s3-fifo.ts'

/** Longer ones hardly repeat, and hashing them costs more than it saves. */
const LONGEST_SHARED = 128
const SLOTS = 4096
const LISTS = 512
const LONGEST_LIST = 8
const NONE: readonly string[] = Object.freeze([])

/**
 * Makes strings fit to be kept. A string of JavaScript may hold far more than its characters: the text it was cut from, or
 * the pieces it was put together from. And responses repeat the same names and values: those are held once.
 */
export class Strings {
  /** One a slot; another with the same slot takes its place, so these are bounded and need no upkeep. */
  readonly #shared: string[] = Array.from({ length: SLOTS }, () => '')
  readonly #lists: (readonly string[])[] = Array.from({ length: LISTS }, () => NONE)
  readonly #scratch = Buffer.allocUnsafeSlow(16_384)

  /** An equal string, the same for equal ones as far as it is remembered. */
  share(text: string): string {
    if (text.length > LONGEST_SHARED) return this.own(text)
    const value = hash(text)
    const slot = (value ^ (value >>> 12)) & (SLOTS - 1)
    const known = this.#shared[slot] as string
    if (known === text) return known
    return (this.#shared[slot] = this.own(text))
  }

  /** An equal list, the same for equal short ones as far as it is remembered. */
  list(texts: readonly string[]): readonly string[] {
    if (texts.length === 0) return NONE
    if (texts.length > LONGEST_LIST) return texts.map((text) => this.share(text))
    let value = 0
    for (const text of texts) value = Math.imul(value, 31) + hash(text)
    const slot = (value ^ (value >>> 16)) & (LISTS - 1)
    const known = this.#lists[slot] as readonly string[]
    if (known.length === texts.length && known.every((text, i) => text === texts[i])) return known
    return (this.#lists[slot] = texts.map((text) => this.share(text)))
  }

  /** An equal string that holds nothing but its characters; the same one where it has characters beyond latin1. */
  own(text: string): string {
    const bytes = text.length <= this.#scratch.length ? this.#scratch : Buffer.allocUnsafe(text.length)
    bytes.write(text, 'latin1')
    const copy = bytes.toString('latin1', 0, text.length)
    return copy === text ? copy : text
  }

  /** A copy that holds nothing beyond itself; a body with a buffer of its own is kept as it is. */
  response(response: StoredResponse): StoredResponse {
    const { status, fields, requestedAt, receivedAt, body, part, vary, tags } = response
    return {
      status,
      fields: fields.map((text) => this.share(text)),
      requestedAt,
      receivedAt,
      body: typeof body === 'string' ? this.own(body) : ownBytes(body),
      part,
      vary: this.list(vary),
      tags: this.list(tags),
    }
  }
}

function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : Uint8Array.prototype.slice.call(bytes)
}
