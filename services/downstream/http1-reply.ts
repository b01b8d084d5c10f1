import { type IncomingMessage, type OutgoingMessage, ServerResponse, STATUS_CODES } from 'node:http'
import { resetSocket } from '../http/reset.ts'
import { type HeldHead, holdUntilImmediate } from './held-heads.ts'
import { latin1, ONE_WRITE_BYTES } from './one-write.ts'
import { type Prepared, preparedHead } from './prepared.ts'
import { MOST_WAITING_BYTES, type Reply } from './reply.ts'

/** The parts of Node's response that a head block of our own has to set (node:http `_storeHeader`). */
interface Internals extends OutgoingMessage {
  _header: string | null
  _hasBody: boolean
  _last: boolean
}

/** An HTTP/1.x response. */
export class Http1Reply implements Reply, HeldHead {
  closing = false
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  /** A head that waits for the first byte of its body, or for the end of the tick. */
  #held: string | null = null
  #remaining = -1
  #continued = false
  #started = false

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request
    this.#response = response
  }

  get gone(): boolean {
    return this.#response.destroyed || this.#request.socket.destroyed
  }

  get headSent(): boolean {
    return this.#started
  }

  continue(): void {
    // RFC 9110 §10.1.1: an HTTP/1.0 client does not know it, and would take it for the answer.
    if (this.#continued || this.#started || this.#request.httpVersionMinor === 0) return
    this.#continued = true
    this.#response.writeContinue()
  }

  informational(status: number, fields: string[]): void {
    // RFC 9110 §15.2: none to HTTP/1.0. `_writeRaw` is how Node's own writeProcessing and writeEarlyHints send theirs.
    if (this.#request.httpVersionMinor === 0 || this.#started) return
    let block = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
    for (let i = 0; i < fields.length; i += 2) block += `${fields[i]}: ${fields[i + 1]}\r\n`
    ;(this.#response as unknown as { _writeRaw(data: string, encoding: string): void })._writeRaw(
      `${block}\r\n`,
      'latin1',
    )
  }

  head(status: number, fields: string[], length: number | null): void {
    const response = this.#response
    const bodyless = this.#request.method === 'HEAD' || status === 204 || status === 304
    const chunked = length === null && !bodyless && this.#request.httpVersionMinor !== 0
    const close = this.closing || !response.shouldKeepAlive || (length === null && !bodyless && !chunked)
    response.statusCode = status
    // Inside `inject()` the response is another class, which must see its fields.
    if (Object.getPrototypeOf(response) !== ServerResponse.prototype) {
      this.#started = true
      const framing = length !== null && status !== 204 ? ['content-length', String(length)] : []
      response.writeHead(status, [...fields, ...framing, ...(close ? ['connection', 'close'] : [])])
      return
    }
    let block = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
    for (let i = 0; i < fields.length; i += 2) block += `${fields[i]}: ${fields[i + 1]}\r\n`
    if (chunked) block += 'transfer-encoding: chunked\r\n'
    else if (length !== null && status !== 204) block += `content-length: ${length}\r\n`
    if (close) block += 'connection: close\r\n'
    else if (this.#request.httpVersionMinor === 0) block += 'connection: keep-alive\r\n'
    const internals = response as unknown as Internals
    internals._hasBody = !bodyless
    internals._last = close
    response.chunkedEncoding = chunked
    this.#held = `${block}\r\n`
    this.#remaining = length === null || bodyless ? -1 : length
    if (this.#remaining > 0) holdUntilImmediate(this)
    else if (length === null && !bodyless) this.flush()
  }

  flush(): void {
    if (this.#held === null) return
    this.#commit()
    this.#response.flushHeaders()
  }

  #commit(): void {
    ;(this.#response as unknown as Internals)._header = this.#held
    this.#held = null
    this.#started = true
  }

  write(chunk: Uint8Array): boolean {
    const single = this.#held !== null
    if (single) this.#commit()
    if (this.#remaining > 0 && (this.#remaining -= chunk.length) === 0) {
      // The length is reached: the answer is complete, and leaves in one write with its head where it is small.
      if (single && chunk.length <= ONE_WRITE_BYTES) this.#response.end(latin1(chunk), 'latin1')
      else this.#response.end(chunk)
      return true
    }
    return this.#response.write(chunk) || this.#response.writableLength <= MOST_WAITING_BYTES
  }

  drained(callback: () => void): void {
    const response = this.#response
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      callback()
    }
    response.on('drain', done)
    response.on('close', done)
  }

  end(chunk?: Uint8Array, trailers?: string[]): void {
    if (chunk !== undefined) this.write(chunk)
    if (this.#response.writableEnded) return
    if (this.#held !== null) this.#commit()
    if (trailers !== undefined && trailers.length > 0 && this.#response.chunkedEncoding) {
      const pairs: [string, string][] = []
      for (let i = 0; i < trailers.length; i += 2) pairs.push([trailers[i] as string, trailers[i + 1] as string])
      this.#response.addTrailers(pairs)
    }
    this.#response.end()
  }

  whole(prepared: Prepared, own: readonly string[]): void {
    const response = this.#response
    const { status, fields, body } = prepared.told
    if (Object.getPrototypeOf(response) !== ServerResponse.prototype) {
      this.head(status, [...fields, ...own], body.length)
      response.end(typeof body === 'string' ? Buffer.from(body, 'latin1') : body)
      return
    }
    let block = preparedHead(prepared)
    for (let i = 0; i < own.length; i += 2) block += `${own[i]}: ${own[i + 1]}\r\n`
    const close = this.closing || !response.shouldKeepAlive
    if (close) block += 'connection: close\r\n'
    else if (this.#request.httpVersionMinor === 0) block += 'connection: keep-alive\r\n'
    const bodyless = this.#request.method === 'HEAD' || status === 204 || status === 304
    response.statusCode = status
    const internals = response as unknown as Internals
    internals._hasBody = !bodyless
    internals._last = close
    response.chunkedEncoding = false
    internals._header = `${block}\r\n`
    this.#started = true
    if (bodyless || body.length === 0) response.end()
    else if (typeof body === 'string') response.end(body, 'latin1')
    else response.end(body)
  }

  closed(callback: () => void): void {
    this.#response.on('close', callback)
  }

  abort(): void {
    this.#held = null
    const { socket } = this.#request
    // Inside `inject()` there is no connection to break off: the call fails.
    if (!('destroy' in socket)) {
      this.#response.destroy()
      return
    }
    // What was written must not look complete.
    resetSocket(socket)
  }
}
