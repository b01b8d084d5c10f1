import type { Socket } from 'node:net'
import type { Test } from 'tap'
import { rawSocket, type RawOptions } from './raw-client.ts'
import type { Field } from './wire.ts'

/** Frame types and flags of RFC 9113 §6, those that tests write. */
export const FRAME = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
} as const
export const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const

export interface Frame {
  type: number
  flags: number
  stream: number
  payload: Buffer
}

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'

/** RFC 9113 §4.1. */
export function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** HPACK literals without indexing and without Huffman (RFC 7541 §6.2.2): says anything, also what no encoder would. */
export function hpack(fields: Field[]): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value, 'latin1')
    if (bytes.length > 126) throw new RangeError('this writer knows short strings only')
    return Buffer.concat([Buffer.from([bytes.length]), bytes])
  }
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]))
}

/** A request's HEADERS frame. */
export function headers(stream: number, fields: Field[], endStream = true): Buffer {
  return frame(FRAME.headers, FLAG.endHeaders | (endStream ? FLAG.endStream : 0), stream, hpack(fields))
}

export function data(stream: number, body: string, endStream = false): Buffer {
  return frame(FRAME.data, endStream ? FLAG.endStream : 0, stream, Buffer.from(body))
}

/** RST_STREAM. */
export function rst(stream: number, code: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(code)
  return frame(FRAME.reset, 0, stream, payload)
}

/** GOAWAY: `last` is the last stream that its sender has acted on (RFC 9113 §6.8). */
export function goaway(last: number, code: number): Buffer {
  const payload = Buffer.alloc(8)
  payload.writeUInt32BE(last)
  payload.writeUInt32BE(code, 4)
  return frame(FRAME.goaway, 0, 0, payload)
}

/** The usual pseudo-header fields, with what a test adds or replaces. */
export function requestFields(extra: Field[] = [], replace: Record<string, string | null> = {}): Field[] {
  const pseudo = { ':method': 'GET', ':scheme': 'http', ':path': '/', ':authority': 'gateway.test', ...replace }
  const kept = Object.entries(pseudo).filter((entry): entry is [string, string] => entry[1] !== null)
  return [...kept, ...extra]
}

const STATIC_STATUS = [200, 204, 206, 304, 400, 404, 500]
const HUFFMAN_DIGITS: Record<string, string> = {
  '00000': '0',
  '00001': '1',
  '00010': '2',
  '011001': '3',
  '011010': '4',
  '011011': '5',
  '011100': '6',
  '011101': '7',
  '011110': '8',
  '011111': '9',
}

/** The :status that a response's header block starts with (RFC 7541: index 8 to 14, or a literal of three digits). */
export function statusOf(block: Buffer): number {
  let at = 0
  while (((block[at] ?? 0) & 0xe0) === 0x20) at++ // dynamic table size update, of one byte
  const first = block[at] ?? 0
  if (first >= 0x88 && first <= 0x8e) return STATIC_STATUS[first - 0x88] ?? 0
  const length = block[at + 1] ?? 0
  const value = block.subarray(at + 2, at + 2 + (length & 0x7f))
  if ((length & 0x80) === 0) return Number(value.toString('latin1'))
  const bits = [...value].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  let digits = ''
  let code = ''
  for (const bit of bits) {
    code += bit
    const digit = HUFFMAN_DIGITS[code]
    if (digit !== undefined) {
      digits += digit
      code = ''
    }
  }
  return Number(digits)
}

export type StreamEnd = { status: number } | { reset: number } | { goaway: number } | { closed: true }

/**
 * An HTTP/2 connection, of either side, on which a test writes frames as it likes; SETTINGS and PING are answered for it.
 */
export class RawH2 {
  readonly socket: Socket
  readonly frames: Frame[] = []
  #buffer: Buffer = Buffer.alloc(0)
  #closed = false
  #watchers: (() => void)[] = []
  /** Bytes of the client's preface that the server still has to read. */
  #preface: number

  constructor(socket: Socket, side: 'client' | 'server' = 'client') {
    this.socket = socket
    this.#preface = side === 'client' ? 0 : PREFACE.length
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = Buffer.concat([this.#buffer, chunk])
      while (this.#parse());
      this.#notify()
    })
    socket.on('error', () => undefined) // 'close' follows
    socket.on('close', () => {
      this.#closed = true
      this.#notify()
    })
    socket.write(Buffer.concat([Buffer.from(side === 'client' ? PREFACE : ''), frame(FRAME.settings, 0, 0)]))
  }

  send(...frames: Buffer[]): void {
    this.socket.write(Buffer.concat(frames))
  }

  #parse(): boolean {
    if (this.#preface > 0) {
      if (this.#buffer.length < this.#preface) return false
      this.#buffer = this.#buffer.subarray(this.#preface)
      this.#preface = 0
    }
    if (this.#buffer.length < 9) return false
    const length = this.#buffer.readUIntBE(0, 3)
    if (this.#buffer.length < 9 + length) return false
    const [type = 0, flags = 0] = this.#buffer.subarray(3, 5)
    const stream = this.#buffer.readUInt32BE(5) & 0x7fffffff
    const payload = this.#buffer.subarray(9, 9 + length)
    this.#buffer = this.#buffer.subarray(9 + length)
    this.frames.push({ type, flags, stream, payload })
    if (type === FRAME.settings && !(flags & FLAG.ack)) this.send(frame(FRAME.settings, FLAG.ack, 0))
    if (type === FRAME.ping && !(flags & FLAG.ack)) this.send(frame(FRAME.ping, FLAG.ack, 0, payload))
    return true
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher()
  }

  /** Resolves with what `look` finds in the frames so far, once it finds something. */
  until<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve) => {
      const watcher = (): void => {
        const found = look()
        if (found === undefined) return
        this.#watchers = this.#watchers.filter((other) => other !== watcher)
        resolve(found)
      }
      this.#watchers.push(watcher)
      watcher()
    })
  }

  /** How the gateway took stream `stream`: a response's status, a stream error, a connection error, or the end. */
  outcome(stream: number): Promise<StreamEnd> {
    return this.until<StreamEnd>(() => {
      for (const { type, stream: id, payload } of this.frames) {
        if (type === FRAME.headers && id === stream) return { status: statusOf(payload) }
        if (type === FRAME.reset && id === stream) return { reset: payload.readUInt32BE(0) }
        if (type === FRAME.goaway) return { goaway: payload.readUInt32BE(4) }
      }
      return this.#closed ? { closed: true } : undefined
    })
  }

  /** As the server: resolves with the stream of request number `count`. */
  request(count: number): Promise<number> {
    return this.until(() => {
      const streams = new Set(this.frames.filter(({ type }) => type === FRAME.headers).map(({ stream }) => stream))
      return [...streams][count - 1]
    })
  }

  /** Resolves once the stream is over: END_STREAM, RST_STREAM, GOAWAY with an error, or the connection's end. */
  over(stream: number): Promise<'ended' | 'reset' | 'goaway' | 'closed'> {
    return this.until(() => {
      for (const { type, flags, stream: id, payload } of this.frames) {
        if (type === FRAME.reset && id === stream) return 'reset'
        if (type === FRAME.goaway && payload.readUInt32BE(4) !== 0) return 'goaway'
        if ((type === FRAME.headers || type === FRAME.data) && id === stream && flags & FLAG.endStream) return 'ended'
      }
      return this.#closed ? 'closed' : undefined
    })
  }
}

/** Opens a connection, sends the preface and SETTINGS; closes with the test. */
export async function connectRawH2(t: Test, options: RawOptions): Promise<RawH2> {
  return new RawH2(await rawSocket(t, options))
}
