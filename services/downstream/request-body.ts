import { Readable } from 'node:stream'
import { BodyTooLargeError, FramingError } from '../http/errors.ts'
import type { GatewayError } from '../http/problem.ts'
import type { BodyCopy, Exchange } from './exchange.ts'

type Taken = IteratorResult<Buffer, undefined>

/**
 * A client's request body on its way to an upstream, with backpressure. It stands between the two so that an upstream
 * that fails cannot destroy the client's connection before the answer; and it checks, as bytes pass, the size limit and
 * (HTTP/2, where the parser does not) that the body is as long as `content-length` says. Either ends it with an error,
 * which aborts the upstream request: a request that lied is never completed.
 *
 * An iterator and no stream, because undici gives every stream an error handler that V8 allocates old, so that all that
 * belongs to the request is kept until a full collection (docs/architecture.md, "Memory").
 */
export class RequestBody implements AsyncIterableIterator<Buffer, undefined> {
  /** Called when the upstream has room for more. */
  moved: (() => void) | undefined
  readonly #source: Readable
  readonly #exchange: Exchange
  readonly #limit: number
  readonly #declared: number
  /** Where the body is undone or read first, it is of the one that comes of that. */
  readonly #copy: BodyCopy | undefined
  #seen = 0
  /** Come, and not yet asked for: a piece, seldom two, for the source stands still meanwhile. */
  readonly #waiting: Buffer[] = []
  /** What completes the declared length: held back until the body has ended, for there may come more. */
  #last: Buffer | undefined
  /** The upstream's, while it waits for a piece. */
  #taker: { resolve: (taken: Taken) => void; reject: (error: Error) => void } | undefined
  #stream: Readable | undefined
  #reading = false
  #ended = false
  #error: Error | undefined

  constructor(exchange: Exchange, limitBytes: number) {
    this.#exchange = exchange
    this.#source = exchange.body as Readable
    this.#limit = limitBytes
    this.#copy = exchange.bodyCopy
    this.#declared = exchange.fields.contentLength === undefined ? -1 : Number(exchange.fields.contentLength)
  }

  /** `true` once anything of it was asked for: what was given to one upstream cannot be given to another. */
  get touched(): boolean {
    return this.#reading
  }

  /** `true` once the upstream has taken everything. */
  get ended(): boolean {
    return this.#stream?.readableEnded ?? (this.#ended && this.#waiting.length === 0)
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  /** For an upstream over HTTP/2: given up as an iterator, undici would leave the stream of the request open. */
  asStream(): Readable {
    if (this.#stream !== undefined) return this.#stream
    const stream = Readable.from(this, { objectMode: false, highWaterMark: 65_536 })
    // undici listens only while it sends; an error before or after that is nobody's, and no reason to end the process.
    stream.on('error', () => undefined)
    this.#stream = stream
    return stream
  }

  /** The next piece, as soon as there is one. @throws HR_REQUEST_BODY_TOO_LARGE, HR_REQUEST_FRAMING */
  next(): Promise<Taken> {
    this.moved?.()
    if (!this.#reading) this.#read()
    if (this.#error !== undefined) return Promise.reject(this.#error)
    const value = this.#waiting.shift()
    if (value !== undefined) {
      if (!this.#ended && this.#waiting.length === 0) this.#source.resume()
      return Promise.resolve({ done: false, value })
    }
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => {
      this.#taker = { resolve, reject }
    })
  }

  /** The upstream takes no more. */
  return(): Promise<Taken> {
    this.destroy()
    return Promise.resolve({ done: true, value: undefined })
  }

  /** Ends a body that is not through yet: whoever asks for more of it gets the error. */
  destroy(error?: Error): void {
    if (this.ended || this.#error !== undefined) return
    this.#error = error ?? new FramingError('body was given up')
    this.#copy?.lost()
    this.#waiting.length = 0
    this.#source.off('data', this.#onData)
    this.#source.off('end', this.#onEnd)
    this.#source.off('close', this.#onClose)
    // What goes wrong from here on is nobody's, and no reason to end the process.
    if (!this.#reading) this.#source.on('error', this.#onError)
    // What the client still sends is discarded, so that it gets its answer and the connection its next request.
    if (!this.#source.readableEnded) this.#source.resume()
    this.#taker?.reject(this.#error)
    this.#taker = undefined
    this.#stream?.destroy(this.#error)
  }

  #read(): void {
    this.#reading = true
    if (this.#error !== undefined) return
    // The upstream is connected and asks for the body: now the client may send it (RFC 9110 §10.1.1).
    if (this.#exchange.fields.expect !== undefined) this.#exchange.reply.continue()
    this.#source.on('data', this.#onData)
    this.#source.on('end', this.#onEnd)
    this.#source.on('error', this.#onError)
    this.#source.on('close', this.#onClose)
    // An empty body on HTTP/2 has ended before anybody could listen.
    if (this.#source.readableEnded) this.#onEnd()
    else if (this.#source.destroyed) this.#onClose()
  }

  #pass(value: Buffer): void {
    const taker = this.#taker
    if (taker === undefined) {
      this.#waiting.push(value)
      this.#source.pause()
      return
    }
    this.#taker = undefined
    taker.resolve({ done: false, value })
  }

  #onData = (chunk: Buffer): void => {
    this.#seen += chunk.length
    this.#copy?.take(chunk)
    if (this.#seen > this.#limit) {
      this.destroy(new BodyTooLargeError(this.#limit))
    } else if (this.#declared >= 0 && this.#seen > this.#declared) {
      this.destroy(new FramingError('body is longer than its content-length'))
    } else if (this.#seen === this.#declared) {
      this.#last = chunk
    } else {
      this.#pass(chunk)
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
      this.#copy?.complete()
      if (this.#last !== undefined) this.#pass(this.#last)
      this.#taker?.resolve({ done: true, value: undefined })
      this.#taker = undefined
    }
  }

  #onError = (error: GatewayError): void => {
    // Whoever undoes a coding says what is wrong with it; all else is what becomes of a client's connection.
    const isOurs = error.code?.startsWith('HR_') === true
    this.destroy(isOurs ? error : new FramingError('body broke off', { cause: error }))
  }

  #onClose = (): void => {
    if (!this.#ended) this.destroy(new FramingError('body broke off'))
  }
}
