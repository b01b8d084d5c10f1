/**
 * HTTP/2 over TLS below `node:http2`: its client costs 50 µs a request, three times what nginx takes to answer, so that
 * nginx would wait, and waiting costs it CPU time of its own. What is spoken of RFC 9113 is what a client needs whose
 * requests are all the same and have no body: frames are read, answers counted.
 */
import { connect, type TLSSocket } from 'node:tls'
import type { Request } from '../scenarios/scenario.ts'
import type { OpenClient } from './client.ts'
import { ClosedLoop, type Connection, faultOf, type Waiter } from './closed-loop.ts'
import { eachFrame, FLAG, FRAME, frame, frameOf32, NOTHING, PREFACE } from './frames.ts'
import { headerBlocks, statusOf } from './hpack.ts'

/** The connection's window is opened once for all: 2 GiB, beyond what a round receives. */
const WINDOW = 2 ** 31 - 1 - 65_535
const CLIENT_STREAM_STEP = 2
const OPENING = Buffer.concat([PREFACE, frame(FRAME.settings, 0, 0), frameOf32(FRAME.windowUpdate, 0, WINDOW)])

/** A request that waits for its answer. */
interface Stream {
  waiter: Waiter
  status: number
  bodyBytes: number
}

class Http2Connection implements Connection {
  readonly #socket: TLSSocket
  readonly #request: Request
  readonly #first: Buffer
  readonly #later: Buffer
  readonly #streams = new Map<number, Stream>()
  #nextStream = 1
  #rest: Buffer = NOTHING
  #gone: string | null = null

  constructor(socket: TLSSocket, request: Request, blocks: { first: Buffer; later: Buffer }) {
    this.#socket = socket
    this.#request = request
    this.#first = blocks.first
    this.#later = blocks.later
    socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    socket.on('error', ({ message }) => this.#end(message))
    socket.on('close', () => this.#end('the connection was closed before the answer'))
    socket.write(OPENING)
  }

  send(_kind: number, waiter: Waiter): void {
    const gone = this.#gone
    if (gone !== null) return void setImmediate(() => waiter.answered(gone))
    const stream = this.#nextStream
    this.#nextStream += CLIENT_STREAM_STEP
    this.#streams.set(stream, { waiter, status: Number.NaN, bodyBytes: 0 })
    const block = stream === 1 ? this.#first : this.#later
    this.#socket.write(frame(FRAME.headers, FLAG.endStream | FLAG.endHeaders, stream, block))
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(bytes: Buffer): void {
    const data = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes])
    // What the answers of one read lead to goes out in one write.
    this.#socket.cork()
    this.#rest = eachFrame(data, (type, flags, id, payload) => this.#read(type, flags, id, payload))
    this.#socket.uncork()
  }

  #read(type: number, flags: number, id: number, payload: Buffer): void {
    if (type === FRAME.settings && (flags & FLAG.ack) === 0) {
      this.#socket.write(frame(FRAME.settings, FLAG.ack, 0))
    } else if (type === FRAME.ping && (flags & FLAG.ack) === 0) {
      this.#socket.write(frame(FRAME.ping, FLAG.ack, 0, payload))
    } else if (type === FRAME.goAway) {
      this.#end(`GOAWAY with error ${payload.readUInt32BE(4)}`)
    }
    const stream = this.#streams.get(id)
    if (stream === undefined) return
    if (type === FRAME.resetStream) return this.#settle(id, stream, `the stream was reset: ${payload.readUInt32BE(0)}`)
    if (type !== FRAME.headers && type !== FRAME.data) return
    if ((flags & FLAG.padded) !== 0) return this.#end('padding, which is not read here')
    if (type === FRAME.data) stream.bodyBytes += payload.length
    else if (Number.isNaN(stream.status)) stream.status = statusOf(payload)
    if ((flags & FLAG.endStream) === 0) return
    this.#settle(id, stream, faultOf(this.#request, stream.status, stream.bodyBytes))
  }

  #settle(id: number, { waiter }: Stream, fault: string | null): void {
    this.#streams.delete(id)
    waiter.answered(fault)
  }

  #end(why: string): void {
    this.#gone ??= why
    this.#socket.destroy()
    for (const [id, stream] of this.#streams) this.#settle(id, stream, why)
  }
}

function open(base: URL): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const { hostname: host, port } = base
    // The certificate is the run's own.
    const socket = connect({ host, port: Number(port), ALPNProtocols: ['h2'], rejectUnauthorized: false })
    socket.once('error', reject)
    socket.once('secureConnect', () => {
      socket.off('error', reject)
      if (socket.alpnProtocol === 'h2') resolve(socket.setNoDelay())
      else reject(new Error(`${base.origin} does not speak HTTP/2`))
    })
  })
}

/** @throws TypeError for requests that it cannot make */
export const openHttp2: OpenClient = async (base, traffic) => {
  const [request, ...others] = traffic.requests
  if (request === undefined || others.length > 0 || request.unique === true || request.body !== null) {
    throw new TypeError('Over HTTP/2 one request is sent, always the same and without a body')
  }
  const { method, path, fields } = request
  const pseudo = { ':method': method, ':scheme': 'https', ':authority': base.host, ':path': path }
  const blocks = headerBlocks(Object.entries({ ...pseudo, ...fields }))
  const sockets = await Promise.all(Array.from({ length: traffic.connections }, () => open(base)))
  return new ClosedLoop(
    traffic,
    sockets.map((socket) => new Http2Connection(socket, request, blocks)),
  )
}
