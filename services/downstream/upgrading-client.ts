import { type IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Http1Reply } from './http1-reply.ts'

/** How much is taken of a client that does not wait for its answer; the rest waits in its connection. */
const MOST_EARLY_BYTES = 65_536
/** How long what a refused client still sends is read and thrown away, and its end waited for. */
const LINGER_MS = 1_000

/** A client that asks for WebSocket on its connection, or stream. */
export interface UpgradingClient {
  /** What it has sent behind its handshake, until it was accepted. */
  readonly early: Buffer
  /**
   * Tells it that the protocol has changed.
   *
   * @param fields end-to-end ones: name, value, name, value
   * @returns what is spoken on from here
   */
  accept(fields: readonly string[]): Duplex
}

/** Over HTTP/1.1: the connection changes its protocol (RFC 6455 §4.2.2). */
export class Http1UpgradingClient implements UpgradingClient {
  /** For every other answer; the connection ends with it. */
  readonly reply: Http1Reply
  readonly #socket: Socket
  readonly #response: ServerResponse
  readonly #early: Buffer[]
  #earlyBytes: number
  readonly #onEarly = (chunk: Buffer): void => {
    this.#early.push(chunk)
    this.#earlyBytes += chunk.length
    if (this.#earlyBytes > MOST_EARLY_BYTES) this.#socket.pause()
  }

  constructor(request: IncomingMessage, early: Buffer) {
    const { socket } = request
    this.#early = [early]
    this.#earlyBytes = early.length
    this.#socket = socket
    this.#response = new ServerResponse(request)
    this.#response.shouldKeepAlive = false
    this.#response.assignSocket(socket)
    this.#response.once('finish', () => this.#end())
    // A connection that nobody reads would not notice that its client has gone.
    socket.on('data', this.#onEarly)
    socket.resume()
    this.reply = new Http1Reply(request, this.#response)
    this.reply.closing = true
  }

  get early(): Buffer {
    return Buffer.concat(this.#early)
  }

  accept(fields: readonly string[]): Duplex {
    this.#socket.off('data', this.#onEarly)
    this.#response.detachSocket(this.#socket)
    let head = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n'
    for (let i = 0; i < fields.length; i += 2) head += `${fields[i]}: ${fields[i + 1]}\r\n`
    this.#socket.write(`${head}\r\n`, 'latin1')
    return this.#socket
  }

  /** It has another answer. Closing over what it still sends would reset that away, and some clients never end theirs. */
  #end(): void {
    const socket = this.#socket
    socket.off('data', this.#onEarly)
    socket.end()
    if (socket.readableEnded) return
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(timer))
    socket.resume()
  }
}

/** Over HTTP/2: one stream becomes a tunnel (RFC 8441 §5). */
export class Http2UpgradingClient implements UpgradingClient {
  readonly early = Buffer.alloc(0)
  readonly #stream: ServerHttp2Stream

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream
  }

  accept(fields: readonly string[]): Duplex {
    const sent = [':status', '200']
    for (let i = 0; i < fields.length; i += 2) {
      // It answers to the key, which there is none of.
      if (fields[i] !== 'sec-websocket-accept') sent.push(fields[i] as string, fields[i + 1] as string)
    }
    this.#stream.respond(sent as never)
    return this.#stream
  }
}
