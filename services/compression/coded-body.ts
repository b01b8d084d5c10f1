import { pipeline, type Transform } from 'node:stream'
import { MOST_WAITING_BYTES, type Reply } from '../downstream/reply.ts'

/**
 * A body on its way to a client through one coder, or through a decoder and a coder. Who is behind is waited for, on
 * either side; where the client leaves, the coders go at once.
 */
export class CodedBody {
  readonly #reply: Reply
  readonly #first: Transform
  readonly #last: Transform
  /** Bytes that are still to come; `null` where nobody knows. */
  #missing: number | null
  #trailers: string[] | undefined
  #resume: (() => void) | undefined
  #over = false

  /**
   * @param reply its head has been sent
   * @param coders the first takes what comes, the last gives what the client gets
   * @param length of what comes
   */
  constructor(reply: Reply, coders: readonly [Transform, ...Transform[]], length: number | null) {
    this.#reply = reply
    this.#first = coders[0]
    this.#last = coders.at(-1) as Transform
    this.#missing = length
    if (coders.length > 1) pipeline([...coders], () => undefined)
    for (const coder of coders) coder.on('error', () => this.#fail())
    this.#first.on('drain', () => this.#moved())
    this.#last.on('data', (chunk: Buffer) => this.#send(chunk))
    this.#last.on('end', () => this.#finish())
    if (reply.gone) this.destroy()
    else reply.closed(() => this.destroy())
  }

  /** @returns `false` when the coder is behind, or the client: wait for `drained` */
  write(chunk: Uint8Array): boolean {
    if (this.#over) return true
    if (this.#missing !== null) this.#missing -= chunk.length
    return this.#first.write(chunk) || this.#first.writableLength <= MOST_WAITING_BYTES
  }

  drained(callback: () => void): void {
    this.#resume = callback
    if (this.#over) this.#moved()
  }

  end(chunk: Uint8Array | undefined, trailers: string[] | undefined): void {
    if (chunk !== undefined) this.write(chunk)
    if (this.#over) return
    // Over HTTP/2 nobody has compared the two; coded, it would look complete.
    if (this.#missing !== null && this.#missing !== 0) {
      this.#fail()
      return
    }
    this.#trailers = trailers
    this.#first.end()
  }

  /** Nobody wants it any more. */
  destroy(): void {
    if (this.#over) return
    this.#over = true
    this.#first.destroy()
    this.#last.destroy()
    this.#moved()
  }

  #send(chunk: Buffer): void {
    if (this.#reply.write(chunk)) return
    this.#last.pause()
    this.#reply.drained(() => this.#last.resume())
  }

  #finish(): void {
    if (this.#over) return
    this.#over = true
    this.#reply.end(undefined, this.#trailers)
  }

  /** What was sent must not look complete. */
  #fail(): void {
    if (this.#over) return
    this.destroy()
    this.#reply.abort()
  }

  #moved(): void {
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }
}
