import type { Socket } from 'node:net'
import type { Play, ReceivedRequest } from './upstream-server.ts'
import type { Field } from './wire.ts'

/** The connection went away while a script waited on it: the script ends, quietly. */
class ConnectionGone extends Error {
  override name = 'ConnectionGone'
}

/** One request at the upstream, and the connection it came on: what a script plays with. */
export class UpstreamExchange {
  readonly request: ReceivedRequest
  /** Bytes of the response that the kernel has taken so far. */
  accepted = 0
  readonly #socket: Socket
  readonly #discard: boolean
  readonly #chunks: Buffer[] = []
  readonly #whole = Promise.withResolvers<Buffer>()
  readonly #gone = Promise.withResolvers<void>()

  constructor(socket: Socket, request: ReceivedRequest, discard: boolean) {
    this.#socket = socket
    this.request = request
    this.#discard = discard
    // A script that never asks for the body must not turn its loss into an unhandled rejection.
    this.#whole.promise.catch(() => undefined)
  }

  /** The whole request body. */
  body(): Promise<Buffer> {
    return this.#whole.promise
  }

  /** Stop reading: the gateway feels back-pressure. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Writes exact bytes (text is latin1); resolves when the kernel has taken them all. */
  send(data: string | Buffer): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    return new Promise((resolve, reject) => {
      if (!this.#socket.writable) return reject(new ConnectionGone('not writable'))
      this.#socket.write(bytes, (error) => {
        if (error) return reject(new ConnectionGone('broke while writing', { cause: error }))
        this.accepted += bytes.length
        resolve()
      })
    })
  }

  /** A whole response with content-length; reads the request's body first. */
  async respond(status = 200, fields: Field[] = [], body: string | Buffer = 'ok'): Promise<void> {
    await this.body()
    const bytes = Buffer.from(body)
    const lines = [...fields, ['Content-Length', String(bytes.length)]].map(([name, value]) => `${name}: ${value}\r\n`)
    const head = Buffer.from(`HTTP/1.1 ${status} Said So\r\n${lines.join('')}\r\n`, 'latin1')
    await this.send(this.request.method === 'HEAD' ? head : Buffer.concat([head, bytes]))
  }

  /** Byte after byte, each in a segment of its own; `after` may wait for something before the next. */
  async drip(data: string | Buffer, after?: (index: number) => unknown): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    for (let index = 0; index < bytes.length; index++) {
      await this.send(bytes.subarray(index, index + 1))
      await new Promise((resolve) => setImmediate(resolve))
      await after?.(index)
    }
  }

  /** A chunk of the chunked coding; empty text is not the last chunk (that is `lastChunk`). */
  chunk(data: string | Buffer): Promise<void> {
    const bytes = Buffer.from(data)
    return this.send(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')]))
  }

  lastChunk(trailers: Field[] = []): Promise<void> {
    return this.send(`0\r\n${trailers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`)
  }

  /** A content-length of `declared`, `body` of another length, then FIN. */
  async lieAboutLength(declared: number, body: string): Promise<void> {
    await this.send(`HTTP/1.1 200 OK\r\nContent-Length: ${declared}\r\n\r\n${body}`)
    this.fin()
  }

  /** Bytes that are no HTTP at all. */
  garbage(): Promise<void> {
    return this.send(Buffer.from('\x00\x01SSH-2.0-not-http\r\n\xff\xfe\r\n\r\n', 'latin1'))
  }

  /** RST. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  fin(): void {
    this.#socket.end()
  }

  /** Says nothing more; resolves when the connection is gone. */
  stall(): Promise<void> {
    return this.#gone.promise
  }

  /** @internal The methods below are the connection's, not the script's. */
  receive(chunk: Buffer): void {
    this.request.bodyBytes += chunk.length
    if (!this.#discard) this.#chunks.push(chunk)
  }

  /** @internal */
  finish(trailers: Field[]): void {
    this.request.complete = true
    this.request.trailers = trailers
    this.request.body = Buffer.concat(this.#chunks)
    this.#whole.resolve(this.request.body)
  }

  /** @internal */
  lose(): void {
    this.request.body = Buffer.concat(this.#chunks)
    this.#whole.reject(new ConnectionGone('the connection closed within the request'))
    this.#gone.resolve()
  }

  /** @internal */
  run(play: Play, failed: (error: unknown) => void): void {
    const playing = async (): Promise<unknown> => play(this)
    playing().catch((error: unknown) => {
      if (!(error instanceof ConnectionGone)) failed(error)
    })
  }
}
