import { Readable } from 'node:stream'
import { BodyTooLargeError, FramingError } from '../http/errors.ts'
import type { Exchange } from './exchange.ts'

/**
 * A client's request body on its way to an upstream, with backpressure. It stands between the two so that an upstream
 * that fails cannot destroy the client's connection before the answer; and it checks, as bytes pass, the size limit and
 * (HTTP/2, where the parser does not) that the body is as long as `content-length` says. Either ends it with an error,
 * which aborts the upstream request: a request that lied is never completed.
 */
export class RequestBody extends Readable {
  readonly #source: Readable
  readonly #exchange: Exchange
  readonly #limit: number
  readonly #declared: number
  #seen = 0
  /** What completes the declared length: held back until the body has ended, for there may come more. */
  #last: Buffer | undefined
  #reading = false
  #ended = false

  constructor(exchange: Exchange, limitBytes: number) {
    super({ highWaterMark: 65_536 })
    this.#exchange = exchange
    this.#source = exchange.body as Readable
    this.#limit = limitBytes
    this.#declared = exchange.fields.contentLength === undefined ? -1 : Number(exchange.fields.contentLength)
    // undici listens only while it sends; an error before or after that is nobody's, and no reason to end the process.
    this.on('error', () => undefined)
  }

  override _read(): void {
    if (this.#reading) {
      this.#source.resume()
      return
    }
    this.#reading = true
    // The upstream is connected and asks for the body: now the client may send it (RFC 9110 §10.1.1).
    if (this.#exchange.fields.expect !== undefined) this.#exchange.reply.continue()
    this.#source.on('data', this.#onData)
    this.#source.on('end', this.#onEnd)
    this.#source.on('error', this.#onError)
    this.#source.on('close', this.#onClose)
    // An empty body on HTTP/2 has ended before anybody could listen.
    if (this.#source.readableEnded) this.#onEnd()
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#source.off('data', this.#onData)
    this.#source.off('end', this.#onEnd)
    this.#source.off('close', this.#onClose)
    // What the client still sends is discarded, so that it gets its answer and the connection its next request.
    if (!this.#source.readableEnded) this.#source.resume()
    callback(error)
  }

  #onData = (chunk: Buffer): void => {
    this.#seen += chunk.length
    if (this.#seen > this.#limit) {
      this.destroy(new BodyTooLargeError(this.#limit))
    } else if (this.#declared >= 0 && this.#seen > this.#declared) {
      this.destroy(new FramingError('body is longer than its content-length'))
    } else if (this.#seen === this.#declared) {
      this.#last = chunk
    } else if (!this.push(chunk)) {
      this.#source.pause()
    }
  }

  #onEnd = (): void => {
    // A stream that the client resets (HTTP/2) ends like a whole one, but for this mark.
    if ((this.#source as Readable & { aborted?: boolean }).aborted === true) {
      this.#onClose()
    } else if (this.#declared >= 0 && this.#seen < this.#declared) {
      this.destroy(new FramingError('body is shorter than its content-length'))
    } else {
      this.#ended = true
      if (this.#last !== undefined) this.push(this.#last)
      this.push(null)
    }
  }

  #onError = (error: Error): void => {
    this.destroy(error)
  }

  #onClose = (): void => {
    if (!this.#ended && !this.destroyed) this.destroy(new FramingError('body broke off'))
  }
}
