/** An HTTP/2 connection in cleartext that sends frames as it is told, and hears what becomes of it. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { eachFrame, FLAG, FRAME, frame, NOTHING, PREFACE } from '../load/frames.ts'
import { literalBlock } from '../load/hpack.ts'

/** A request's fields. */
const PSEUDO = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':authority', 'proof.test'],
  [':path', '/'],
] as const

export class RawHttp2 {
  readonly #socket: Socket
  #rest: Buffer = NOTHING
  /** The error code of a GOAWAY; `null` without one. */
  goAway: number | null = null
  closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => undefined) // 'close' follows
    socket.on('close', () => (this.closed = true))
    socket.on('data', (bytes: Buffer) => {
      const data = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
      this.#rest = eachFrame(data, (type, flags, _stream, payload) => {
        if (type === FRAME.goAway) this.goAway ??= payload.readUInt32BE(4)
        if (type === FRAME.settings && (flags & FLAG.ack) === 0) socket.write(frame(FRAME.settings, FLAG.ack, 0))
      })
    })
    socket.write(Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0)]))
  }

  static async open(port: number): Promise<RawHttp2> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new RawHttp2(socket)
  }

  /** Resolves when the system has taken them, or at once where the connection is gone. */
  async send(...frames: Buffer[]): Promise<void> {
    if (this.#socket.destroyed) return
    await new Promise<void>((resolve) => {
      this.#socket.write(Buffer.concat(frames), () => resolve())
    })
  }

  /** Whether the other side has had enough. */
  get over(): boolean {
    return this.closed || this.goAway !== null
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** HEADERS of a request. */
export function requestHead(stream: number, method: 'GET' | 'POST' = 'GET', end = true): Buffer {
  const block = literalBlock(PSEUDO.map(([name, value]) => [name, name === ':method' ? method : value]))
  return frame(FRAME.headers, FLAG.endHeaders | (end ? FLAG.endStream : 0), stream, block)
}
