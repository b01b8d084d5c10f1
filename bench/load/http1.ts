/**
 * HTTP/1.1 below `node:http`: a hit costs less than what autocannon takes to ask for it, which would then be what the
 * latencies are of. It also does what autocannon can't: HEAD, and a new path each time. Answers need Content-Length.
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { Request } from '../scenarios/scenario.ts'
import type { OpenClient } from './client.ts'
import { ClosedLoop, type Connection, faultOf, type Waiter } from './closed-loop.ts'

const HEAD_END = '\r\n\r\n'
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i
const CLOSES = /\r\nconnection: *close/i
const BUFFER_BYTES = 65_536

/** A request as it goes out; what makes a unique one unique comes between the two. */
class Message {
  readonly request: Request
  readonly #before: string
  readonly #after: string
  #serial = 0

  constructor(request: Request, { host }: URL) {
    const { method, path, body } = request
    const framing = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const fields = Object.entries({ host, ...request.fields, ...framing })
    this.request = request
    this.#before = `${method} ${path}${request.unique === true ? `${randomBytes(6).toString('hex')}-` : ''}`
    this.#after = ` HTTP/1.1\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body ?? ''}`
  }

  text(): string {
    return this.request.unique === true ? this.#before + this.#serial++ + this.#after : this.#before + this.#after
  }
}

class Http1Connection implements Connection {
  readonly #base: URL
  readonly #messages: readonly Message[]
  #socket: Socket | null = null
  #waiter: Waiter | null = null
  #request: Request | null = null
  /** The beginning of a head that came in pieces. */
  #piece: Buffer | null = null
  /** The body's bytes that are still to come; null ahead of the head. */
  #missing: number | null = null
  #fault: string | null = null
  #last = false

  constructor(base: URL, messages: readonly Message[]) {
    this.#base = base
    this.#messages = messages
  }

  send(kind: number, waiter: Waiter): void {
    const message = this.#messages[kind]!
    this.#waiter = waiter
    this.#request = message.request
    // A contender may close its connection after an answer: the next request opens one.
    this.#socket ??= this.#open()
    this.#socket.write(message.text(), 'latin1')
  }

  close(): void {
    this.#socket?.destroy()
    this.#socket = null
  }

  #open(): Socket {
    const { hostname, port } = this.#base
    // One buffer for all reads: none is made for each answer.
    const onread = {
      buffer: Buffer.allocUnsafeSlow(BUFFER_BYTES),
      callback: (count: number, buffer: Uint8Array): boolean => {
        this.#receive(Buffer.from(buffer.buffer, buffer.byteOffset, count))
        return true
      },
    }
    const socket = connect({ host: hostname, port: Number(port), noDelay: true, onread })
    const gone = (why: string): void => {
      if (this.#socket !== socket) return
      this.close()
      this.#settle(why)
    }
    return socket
      .on('error', ({ message }) => gone(message))
      .on('end', () => gone('the connection was closed before the answer'))
  }

  #receive(bytes: Buffer): void {
    if (this.#waiter === null) return this.close() // nobody asked
    let body = bytes.length
    if (this.#missing === null) {
      const data = this.#piece === null ? bytes : Buffer.concat([this.#piece, bytes])
      const end = data.indexOf(HEAD_END)
      // A copy: the buffer is about to be read into again.
      this.#piece = end < 0 ? Buffer.from(data) : null
      if (end < 0) return
      this.#missing = this.#readHead(data.toString('latin1', 0, end))
      body = data.length - end - HEAD_END.length
    }
    this.#missing -= body
    if (this.#missing > 0) return
    if (this.#missing < 0) this.#fault ??= 'more bytes than Content-Length says'
    this.#settle(this.#fault)
  }

  /** @returns the length of the body; 0 where the head doesn't say it, which is a fault */
  #readHead(head: string): number {
    const request = this.#request!
    const status = Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length))
    const bodyless = request.method === 'HEAD' || status === 304 || status === 204
    const length = bodyless ? 0 : Number(CONTENT_LENGTH.exec(head)?.[1])
    this.#fault = faultOf(request, status, length)
    this.#last = CLOSES.test(head)
    return Number.isNaN(length) ? 0 : length
  }

  #settle(fault: string | null): void {
    const waiter = this.#waiter
    this.#waiter = null
    this.#missing = null
    this.#piece = null
    if (this.#last || fault !== null) this.close()
    this.#last = false
    waiter?.answered(fault)
  }
}

export const openHttp1: OpenClient = (base, traffic) => {
  const messages = traffic.requests.map((request) => new Message(request, base))
  const connections = Array.from({ length: traffic.connections }, () => new Http1Connection(base, messages))
  return Promise.resolve(new ClosedLoop(traffic, connections))
}
