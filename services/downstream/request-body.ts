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
  #reading = false

  constructor(exchange: Exchange, limitBytes: number) {
    super({ highWaterMark: 65_536 })
    this.#exchange = exchange
    this.#source = exchange.body as Readable
    this.#limit = limitBytes
    this.#declared = exchange.fields.contentLength === undefined ? -1 : Number(exchange.fields.contentLength)
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
    } else if (!this.push(chunk)) {
      this.#source.pause()
    }
  }

  #onEnd = (): void => {
    if (this.#declared >= 0 && this.#seen < this.#declared) {
      this.destroy(new FramingError('body is shorter than its content-length'))
    } else {
      this.push(null)
    }
  }

  #onError = (error: Error): void => {
    this.destroy(error)
  }

  #onClose = (): void => {
    if (!this.readableEnded && !this.destroyed) this.destroy(new FramingError('body broke off'))
  }
}
