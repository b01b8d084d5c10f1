import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect as connectH2 } from 'node:http2'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Test } from 'tap'
import { acceptOf } from '../services/websocket/handshake.ts'
import { frame, type Shape } from './services/websocket/frames.ts'

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='

export interface Frame {
  opcode: number
  fin: boolean
  payload: Buffer
}

/** One end of a WebSocket connection, of which a test writes and reads frames. */
export class Frames {
  readonly duplex: Duplex
  readonly #masks: boolean
  #bytes: Buffer
  #ended = false
  #wake: () => void = () => undefined

  constructor(duplex: Duplex, { masks, early }: { masks: boolean; early: Buffer }) {
    this.duplex = duplex
    this.#masks = masks
    this.#bytes = early
    duplex.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake()
    })
    for (const event of ['end', 'close']) {
      duplex.on(event, () => {
        this.#ended = true
        this.#wake()
      })
    }
    duplex.on('error', () => undefined)
  }

  send(shape: Omit<Shape, 'masked'> & { masked?: boolean }): void {
    this.duplex.write(frame({ masked: this.#masks, ...shape }))
  }

  /** The next frame; `null` at the end of the connection. */
  async next(): Promise<Frame | null> {
    for (;;) {
      const found = this.#take()
      if (found !== null) return found
      if (this.#ended) return null
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
  }

  /** The code of the next frame, which is to be a Close. */
  async closeCode(): Promise<number | undefined> {
    const next = await this.next()
    return next?.opcode === 8 ? next.payload.readUInt16BE() : undefined
  }

  #take(): Frame | null {
    const bytes = this.#bytes
    if (bytes.length < 2) return null
    const [first = 0, second = 0] = bytes
    const short = second & 0x7f
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
    const maskBytes = second & 0x80 ? 4 : 0
    const head = 2 + lengthBytes + maskBytes
    if (bytes.length < head) return null
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short
    if (bytes.length < head + length) return null
    const payload = Buffer.from(bytes.subarray(head, head + length))
    if (maskBytes > 0) for (let i = 0; i < length; i++) payload[i]! ^= bytes[head - 4 + (i % 4)] as number
    this.#bytes = bytes.subarray(head + length)
    return { opcode: first & 0x0f, fin: (first & 0x80) !== 0, payload }
  }
}

export interface Upgraded {
  request: IncomingMessage
  socket: Socket
  frames: Frames
}

export interface WebSocketUpstream {
  origin: string
  /** Handshakes that have come. */
  requests: IncomingMessage[]
  /** The next connection. */
  next(): Promise<Upgraded>
}

/** Answers a handshake; by default, as it should be. @returns whether it was accepted */
export type Answer = (request: IncomingMessage, socket: Socket) => boolean

export const accepting =
  (fields: Record<string, string> = {}): Answer =>
  (request, socket) => {
    const head = {
      upgrade: 'websocket',
      connection: 'Upgrade',
      'sec-websocket-accept': acceptOf(String(request.headers['sec-websocket-key'])),
      ...fields,
    }
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`)
    return true
  }

export async function startWebSocketUpstream(t: Test, answer: Answer = accepting()): Promise<WebSocketUpstream> {
  const server = createServer((_request, response) => void response.end('plain'))
  const sockets = new Set<Socket>()
  const requests: IncomingMessage[] = []
  const come: Upgraded[] = []
  const waiting: ((upgraded: Upgraded) => void)[] = []
  server.on('connection', (socket) => sockets.add(socket))
  server.on('upgrade', (request, stream, head) => {
    const socket = stream as Socket
    requests.push(request)
    socket.on('error', () => undefined)
    if (!answer(request, socket)) return
    const upgraded = { request, socket, frames: new Frames(socket, { masks: false, early: head }) }
    const first = waiting.shift()
    if (first === undefined) come.push(upgraded)
    else first(upgraded)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    next: () =>
      new Promise((resolve) => {
        const first = come.shift()
        if (first === undefined) waiting.push(resolve)
        else resolve(first)
      }),
  }
}

export interface Opened {
  status: number
  /** Names in lower case. */
  fields: Record<string, string>
  frames: Frames
  /** What has come in place of frames, to the end of the connection or stream. */
  body(): Promise<string>
}

export interface Asked {
  port: number
  path?: string
  fields?: Record<string, string | null>
  /** Sent together with the handshake. */
  early?: Buffer
}

/** A handshake over HTTP/1.1; `null` leaves a field out. */
export async function openH1(t: Test, { port, path = '/', fields = {}, early }: Asked): Promise<Opened> {
  const socket = connect({ port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  socket.on('error', () => undefined)
  const sent: Record<string, string | null> = {
    Host: 'gateway.test',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    ...fields,
  }
  const lines = Object.entries(sent).flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}\r\n`]))
  const handshake = Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  socket.write(early === undefined ? handshake : Buffer.concat([handshake, early]))
  let read = Buffer.alloc(0)
  while (!read.includes('\r\n\r\n')) {
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    read = Buffer.concat([read, chunk])
  }
  const end = read.indexOf('\r\n\r\n')
  const [first = '', ...rest] = read.subarray(0, end).toString('latin1').split('\r\n')
  const answered = rest.map((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 1).trim(),
  ])
  const after = read.subarray(end + 4)
  const frames = new Frames(socket, { masks: true, early: after })
  return {
    status: Number(first.split(' ')[1]),
    fields: Object.fromEntries(answered) as Record<string, string>,
    frames,
    async body() {
      let text = after.toString()
      socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
      if (!socket.readableEnded) await once(socket, 'end')
      return text
    },
  }
}

/** An extended CONNECT over HTTP/2 in cleartext. */
export async function openH2(t: Test, { port, path = '/', fields = {} }: Asked): Promise<Opened> {
  const session = connectH2(`http://127.0.0.1:${port}`)
  t.teardown(() => session.destroy())
  session.on('error', () => undefined)
  await once(session, 'remoteSettings')
  const given = Object.entries(fields).flatMap(([name, value]) => (value === null ? [] : [[name.toLowerCase(), value]]))
  const stream = session.request({
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':scheme': 'http',
    ':authority': 'gateway.test',
    ':path': path,
    'sec-websocket-version': '13',
    ...(Object.fromEntries(given) as Record<string, string>),
  })
  const [headers] = (await once(stream, 'response')) as [Record<string, string>]
  return {
    status: Number(headers[':status']),
    fields: headers,
    frames: new Frames(stream, { masks: true, early: Buffer.alloc(0) }),
    async body() {
      let text = ''
      stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
      await once(stream, 'end')
      return text
    },
  }
}
