import { once } from 'node:events'
import { Readable } from 'node:stream'
import type { RequestBody } from '../../downstream/request-body.ts'
import { BodyTooLargeError, CodedBodyError, ExpansionError } from '../../http/errors.ts'
import type { Decoder } from '../coders.ts'

/** How large a body may become. */
export interface ExpansionLimits {
  /** In bytes. */
  maxBytes: number
  /** Out by in, at any moment beyond {@link FREE_BYTES}. */
  maxRatio: number
}

/** So much may come of anything: what is this small does no harm, and may well be all spaces. */
const FREE_BYTES = 65_536

/**
 * A request body whose coding is undone as it comes in, with backpressure. It begins when somebody reads, so that the client
 * is not told to send before the upstream is there. What becomes too large ends at once, however little of it has come:
 * `HR_REQUEST_BODY_TOO_LARGE`, `HR_REQUEST_EXPANSION`; what is no such coding with `HR_REQUEST_CODED`.
 */
export class DecodedBody extends Readable {
  readonly #coded: RequestBody
  readonly #decoder: Decoder
  readonly #limits: ExpansionLimits
  #in = 0
  #out = 0
  #hasBegun = false

  constructor(coded: RequestBody, decoder: Decoder, limits: ExpansionLimits) {
    super()
    this.#coded = coded
    this.#decoder = decoder
    this.#limits = limits
  }

  override _read(): void {
    if (!this.#hasBegun) this.#begin()
    this.#decoder.resume()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#decoder.destroy()
    this.#coded.destroy()
    done(error)
  }

  #begin(): void {
    this.#hasBegun = true
    this.#decoder
      .on('data', (chunk: Buffer) => this.#take(chunk))
      .on('end', () => this.#finish())
      .on('error', (cause) => this.destroy(new CodedBodyError({ cause })))
    this.#pump().catch((error: Error) => this.destroy(error))
  }

  async #pump(): Promise<void> {
    for await (const piece of this.#coded) {
      this.#in += piece.length
      if (this.#decoder.destroyed) return
      if (!this.#decoder.write(piece)) await once(this.#decoder, 'drain')
    }
    this.#decoder.end()
  }

  /** Behind a zero after a member of gzip, zlib takes nothing, and calls it the end. */
  #finish(): void {
    if (this.#decoder.bytesWritten < this.#in) this.destroy(new CodedBodyError())
    else this.push(null)
  }

  #take(chunk: Buffer): void {
    this.#out += chunk.length
    const { maxBytes, maxRatio } = this.#limits
    if (this.#out > maxBytes) this.destroy(new BodyTooLargeError(maxBytes))
    else if (this.#out > FREE_BYTES && this.#out > this.#in * maxRatio) this.destroy(new ExpansionError(maxRatio))
    else if (!this.push(chunk)) this.#decoder.pause()
  }
}
