import { constants, sensitiveHeaders, type ServerHttp2Stream, type ServerStreamResponseOptions } from 'node:http2'
import { InternalError } from '../http/errors.ts'
import { type HeldHead, holdUntilImmediate } from './held-heads.ts'
import type { Prepared } from './prepared.ts'
import { MOST_WAITING_BYTES, type Reply } from './reply.ts'

/**
 * What hardly says the same twice, as literals that are never indexed (RFC 7541 §6.2.3). In the dynamic table each would
 * take the place of a field that does, and be compared with all that were there before: a sixth of a hit's CPU time with one
 * stream a connection (docs/benchmarks.md).
 */
const EACH_ITS_OWN = ['x-request-id', 'cache-status', 'server-timing', 'ratelimit']

/** An HTTP/2 response, on the core stream (the compatibility layer costs twice as much). */
export class Http2Reply implements Reply, HeldHead {
  closing = false
  readonly #stream: ServerHttp2Stream
  readonly #bodyless: boolean
  /** A head of a body whose length nobody knows: where none comes, the head is what ends the stream. */
  #held: string[] | null = null
  #trailers: string[] | undefined
  #continued = false

  constructor(stream: ServerHttp2Stream, method: string) {
    this.#stream = stream
    this.#bodyless = method === 'HEAD'
  }

  get gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed
  }

  get headSent(): boolean {
    return this.#stream.headersSent
  }

  continue(): void {
    if (this.#continued || this.headSent || this.gone) return
    this.#continued = true
    this.#stream.additionalHeaders({ ':status': 100 })
  }

  informational(status: number, fields: string[]): void {
    if (this.headSent || this.gone) return
    const headers: Record<string, string | number | string[]> = { ':status': status }
    for (let i = 0; i < fields.length; i += 2) {
      const name = fields[i] as string
      const value = fields[i + 1] as string
      const before = headers[name]
      headers[name] =
        before === undefined ? value : Array.isArray(before) ? [...before, value] : [String(before), value]
    }
    this.#stream.additionalHeaders(headers)
  }

  head(status: number, fields: string[], length: number | null): void {
    this.#held = null
    if (this.gone) return
    const flat = [':status', String(status), ...fields]
    if (length !== null && status !== 204) flat.push('content-length', String(length))
    const bodyless = this.#bodyless || status === 204 || status === 304 || length === 0
    if (bodyless) {
      this.#respond(flat, { endStream: true })
      return
    }
    if (length !== null) {
      this.#respond(flat, { endStream: false })
      return
    }
    this.#held = flat
    holdUntilImmediate(this)
  }

  flush(): void {
    try {
      this.#sendHeld()
    } catch (cause) {
      this.#fail(cause)
    }
  }

  /** Sends a head that is still held back: there is, or may be, more to come. */
  #sendHeld(): void {
    const head = this.#held
    this.#held = null
    if (head === null || this.gone) return
    this.#respond(head, { waitForTrailers: true })
    // Node's compatibility layer, where Fastify has had the request, would send trailers of its own: a second time throws.
    this.#stream.removeAllListeners('wantTrailers')
    this.#stream.once('wantTrailers', () => {
      const trailers: Record<string, string> = {}
      const fields = this.#trailers ?? []
      for (let i = 0; i < fields.length; i += 2) trailers[fields[i] as string] = fields[i + 1] as string
      // Also without any: closing instead would destroy the stream, and with it what is still to be written.
      try {
        this.#stream.sendTrailers(trailers)
      } catch (cause) {
        this.#fail(cause)
      }
    })
  }

  /** Nobody above would catch it; whoever listens to the stream's errors hears of it. */
  #fail(cause: unknown): void {
    this.#stream.destroy(new InternalError({ cause }))
  }

  write(chunk: Uint8Array): boolean {
    this.#sendHeld()
    if (this.#stream.writableEnded || this.gone) return true
    return this.#stream.write(chunk) || this.#stream.writableLength <= MOST_WAITING_BYTES
  }

  drained(callback: () => void): void {
    const stream = this.#stream
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      callback()
    }
    stream.on('drain', done)
    stream.on('close', done)
  }

  end(chunk?: Uint8Array, trailers?: string[]): void {
    if (this.#stream.writableEnded || this.gone) return
    if (this.#held !== null && chunk === undefined && (trailers === undefined || trailers.length === 0)) {
      // gRPC asks for it where a call fails at once: its status stands in the head (Trailers-Only).
      this.#respond(this.#held, { endStream: true })
      this.#held = null
      return
    }
    this.#sendHeld()
    this.#trailers = trailers !== undefined && trailers.length > 0 ? trailers : undefined
    if (chunk === undefined) this.#stream.end()
    else this.#stream.end(chunk)
  }

  whole(prepared: Prepared, own: readonly string[]): void {
    this.#held = null
    if (this.gone) return
    const { status, fields, body } = prepared.told
    const flat = [':status', String(status), ...own]
    for (let i = 0; i < fields.length; i += 2)
      if (fields[i] !== 'age') flat.push(fields[i] as string, fields[i + 1] as string)
    if (status !== 204) flat.push('content-length', String(body.length))
    const bodyless = this.#bodyless || status === 204 || status === 304 || body.length === 0
    this.#respond(flat, { endStream: bodyless })
    if (bodyless) return
    if (typeof body === 'string') this.#stream.end(body, 'latin1')
    else this.#stream.end(body)
  }

  closed(callback: () => void): void {
    this.#stream.on('close', callback)
  }

  abort(): void {
    if (!this.#stream.closed) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  }

  /** @param flat `:status` first; it becomes Node's */
  #respond(flat: string[], options: ServerStreamResponseOptions): void {
    ;(flat as object as Record<symbol, unknown>)[sensitiveHeaders] = EACH_ITS_OWN
    this.#stream.respond(flat, options)
  }
}
