import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { resetSocket } from '../http/reset.ts'
import { latin1, ONE_WRITE_BYTES } from './one-write.ts'
import { preparedHead, type Prepared } from './prepared.ts'
import type { Reply } from './reply.ts'

/**
 * An HTTP/1.1 response written to its socket past node:http: one that is whole as soon as its request has been read, on a
 * connection that stays and has nothing else in flight.
 */
export class SocketReply implements Reply {
  closing = false
  readonly #socket: Socket
  readonly #isHead: boolean
  /** A head that waits for the first byte of its body. */
  #held: string | null = null
  #started = false

  constructor(socket: Socket, method: string) {
    this.#socket = socket
    this.#isHead = method === 'HEAD'
  }

  get gone(): boolean {
    return this.#socket.destroyed
  }

  get headSent(): boolean {
    return this.#started
  }

  continue(): void {
    // Whoever waits for it has a body to send, and is node:http's.
  }

  informational(status: number, fields: string[]): void {
    this.#socket.write(`${block(status, fields)}\r\n`, 'latin1')
  }

  head(status: number, fields: string[], length: number | null): void {
    const framing = length === null || status === 204 ? '' : `content-length: ${length}\r\n`
    this.#held = `${block(status, fields)}${framing}\r\n`
  }

  write(chunk: Uint8Array): boolean {
    this.#send(chunk)
    return !this.#socket.writableNeedDrain
  }

  drained(callback: () => void): void {
    const socket = this.#socket
    const done = (): void => {
      socket.off('drain', done)
      socket.off('close', done)
      callback()
    }
    socket.on('drain', done)
    socket.on('close', done)
  }

  end(chunk?: Uint8Array): void {
    this.#send(chunk ?? '')
  }

  whole(prepared: Prepared, own: readonly string[]): void {
    const { status, body } = prepared.told
    let head = preparedHead(prepared)
    for (let i = 0; i < own.length; i += 2) head += `${own[i]}: ${own[i + 1]}\r\n`
    this.#held = `${head}\r\n`
    this.#send(this.#isHead || status === 204 || status === 304 ? '' : body)
  }

  closed(callback: () => void): void {
    this.#socket.on('close', callback)
  }

  abort(): void {
    resetSocket(this.#socket)
  }

  /** What is held, and a body or a part of one: in one write. */
  #send(body: string | Uint8Array): void {
    const head = this.#held ?? ''
    this.#held = null
    this.#started = true
    const socket = this.#socket
    if (typeof body === 'string') socket.write(head + body, 'latin1')
    else if (body.length <= ONE_WRITE_BYTES) socket.write(head + latin1(body), 'latin1')
    else {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(body)
      socket.uncork()
    }
  }
}

function block(status: number, fields: readonly string[]): string {
  let lines = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (let i = 0; i < fields.length; i += 2) lines += `${fields[i]}: ${fields[i + 1]}\r\n`
  return lines
}
