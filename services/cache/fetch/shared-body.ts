import type { FillBudget } from './fill-budget.ts'

/** Who reads a {@link SharedBody}: a client's answer, or what fills the store. */
export interface BodyReader {
  /** Chunks that it has taken, counted from the first. */
  readonly position: number
  /** More has come, or the end, or the failure. */
  advance(): void
}

/** Bytes that a reader may be behind before the origin has to wait for it, once the body is not kept as a whole. */
const WINDOW_BYTES = 262_144
/** What a chunk costs beside its bytes: an origin may send them one by one. */
const CHUNK_BYTES = 128
/** A body in more pieces is not kept: what they cost would be no part of its size. */
const MOST_CHUNKS = 16_384

/**
 * A body on its way from one origin to any number of readers, each at its own pace. While it is kept (it may be stored,
 * and further readers may join) it takes all that comes, up to its limit: a slow client holds up nobody. Past the limit,
 * or when it is not to be stored, chunks go as soon as every reader has them, and the origin waits for the slowest.
 */
export class SharedBody {
  /** Bytes that have come. */
  length = 0
  state: 'open' | 'complete' | 'failed' = 'open'
  trailers: string[] | undefined
  #kept: boolean
  readonly #limit: number
  readonly #budget: FillBudget
  #chunks: Uint8Array[] = []
  /** Number of the first chunk that is still there. */
  #first = 0
  /** Memory of the chunks that are still there. */
  #held = 0
  readonly #readers = new Set<BodyReader>()
  #resume: (() => void) | undefined

  /**
   * @param limit bytes up to which everything is kept; 0: nothing is
   * @param budget what all bodies on their way may hold together
   */
  constructor(limit: number, budget: FillBudget) {
    this.#limit = limit
    this.#budget = budget
    this.#kept = limit > 0
  }

  /** Everything since the first byte is there: further readers may join, and the whole can be stored. */
  get kept(): boolean {
    return this.#kept
  }

  get readers(): number {
    return this.#readers.size
  }

  /** One past the last chunk. */
  get end(): number {
    return this.#first + this.#chunks.length
  }

  /** @param reader at position 0; only while `kept`, or before anything has come */
  join(reader: BodyReader): void {
    this.#readers.add(reader)
  }

  leave(reader: BodyReader): void {
    if (this.#readers.delete(reader)) this.moved()
  }

  /** @param number between a reader's position and `end` */
  chunk(number: number): Uint8Array {
    return this.#chunks[number - this.#first] as Uint8Array
  }

  /** @returns `false` when the origin should wait: see {@link drained} */
  push(chunk: Uint8Array): boolean {
    this.#chunks.push(chunk)
    this.length += chunk.length
    this.#hold(chunk.length + CHUNK_BYTES)
    this.#kept &&= this.length <= this.#limit && this.#chunks.length <= MOST_CHUNKS && !this.#budget.exhausted
    for (const reader of this.#readers) reader.advance()
    if (this.#kept) return true
    this.#trim()
    return this.#held <= WINDOW_BYTES
  }

  /** Calls back once the slowest reader has caught up. */
  drained(resume: () => void): void {
    this.#resume = resume
    this.moved()
  }

  /** A reader has taken something, or has left. */
  moved(): void {
    if (this.#kept) return
    this.#trim()
    if (this.#resume === undefined || this.#held > WINDOW_BYTES / 2) return
    const resume = this.#resume
    this.#resume = undefined
    resume()
  }

  /** Nobody joins any more: what the readers have taken goes. */
  complete(trailers: string[] | undefined): void {
    this.state = 'complete'
    this.trailers = trailers
    this.#close()
  }

  fail(): void {
    this.state = 'failed'
    this.#close()
  }

  /** The whole, in memory of its own: chunks are parts of the larger buffers that sockets read into. While `kept`. */
  bytes(): Buffer {
    const whole = Buffer.allocUnsafeSlow(this.length)
    let at = 0
    for (const chunk of this.#chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    return whole
  }

  /** {@link bytes} as a latin1 string. */
  text(): string {
    let text = ''
    for (const chunk of this.#chunks)
      text += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')
    return text
  }

  #close(): void {
    this.#kept = false
    this.#resume = undefined
    for (const reader of this.#readers) reader.advance()
    this.#trim()
  }

  #trim(): void {
    let least = this.end
    for (const { position } of this.#readers) least = Math.min(least, position)
    if (least <= this.#first) return
    let bytes = 0
    for (const chunk of this.#chunks.splice(0, least - this.#first)) bytes += chunk.length + CHUNK_BYTES
    this.#first = least
    this.#hold(-bytes)
  }

  #hold(bytes: number): void {
    this.#held += bytes
    this.#budget.held += bytes
  }
}
