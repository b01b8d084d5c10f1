import type { Reply } from '../downstream/reply.ts'
import { ObservedReply, type OnHead } from './observed-reply.ts'

/** Bytes that are copied of one answer; a larger one is only passed on. */
const MOST_BYTES = 1_048_576

/** Takes a body that has come whole. */
export type OnWhole = (body: Buffer) => void

/** A reply whose body is copied on its way, where its head is worth it. The client is answered as without it. */
export class TeeReply extends ObservedReply {
  #onWhole: OnWhole | undefined
  #length: number | null = null
  #chunks: Uint8Array[] = []
  #bytes = 0

  /** @param wanted what to do with the body of an answer with this head; `undefined`: nothing */
  constructor(reply: Reply, wanted: (...head: Parameters<OnHead>) => OnWhole | undefined) {
    super(reply, (status, fields, length) => {
      this.#onWhole = wanted(status, fields, length)
      this.#length = length
    })
  }

  override write(chunk: Uint8Array): boolean {
    this.#keep(chunk)
    return super.write(chunk)
  }

  override end(chunk?: Uint8Array, trailers?: string[]): void {
    if (chunk !== undefined) this.#keep(chunk)
    if (this.#length === null || this.#length === this.#bytes) this.#onWhole?.(Buffer.concat(this.#chunks))
    this.#forget()
    super.end(chunk, trailers)
  }

  override abort(): void {
    this.#forget()
    super.abort()
  }

  #keep(chunk: Uint8Array): void {
    if (this.#onWhole === undefined) return
    this.#bytes += chunk.length
    if (this.#bytes > MOST_BYTES) this.#forget()
    else this.#chunks.push(chunk)
  }

  #forget(): void {
    this.#onWhole = undefined
    this.#chunks = []
  }
}
