import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Test } from 'tap'
import { resetSocket } from '../services/http/reset.ts'
import { type ClientResponse, Incoming, type ResponseHead } from './incoming.ts'
import { declaredFraming, type Field, get, type Head, MessageReader } from './wire.ts'

export interface Ending {
  how: 'fin' | 'reset'
  /** The response that was under way when the connection ended. */
  broken: boolean
}

/** @throws {Error} where the status line is none */
function responseHead(head: Head): ResponseHead {
  const match = /^HTTP\/1\.1 (\d{3}) /.exec(head.start)
  if (!match) throw new Error(`not a status line: ${JSON.stringify(head.start)}`)
  return { status: Number(match[1]), fields: head.fields, get: (name) => get(head.fields, name) }
}

/** A connection on which a test writes exact bytes and reads responses that must be well-formed. */
export class RawConnection {
  readonly socket: Socket
  readonly #test: Test
  readonly #ending = Promise.withResolvers<Ending>()
  #awaited: { incoming: Incoming; method: string }[] = []
  #unasked: Buffer[] = []
  #reader: MessageReader

  constructor(test: Test, socket: Socket) {
    this.#test = test
    this.socket = socket
    this.#reader = new MessageReader({
      head: (head) => {
        const current = this.#awaited[0]
        const parsed = responseHead(head)
        if (!current) {
          this.#unasked.push(Buffer.from(head.raw, 'latin1'))
          return declaredFraming(head.fields, { kind: 'close' })
        }
        if (parsed.status < 200 && parsed.status !== 101) {
          current.incoming.onInterim(parsed)
          return { kind: 'none' }
        }
        current.incoming.onHead(parsed)
        const bodyless = current.method === 'HEAD' || parsed.status === 204 || parsed.status === 304
        return bodyless ? { kind: 'none' } : declaredFraming(head.fields, { kind: 'close' })
      },
      body: (chunk) => this.#awaited[0]?.incoming.onBody(chunk),
      end: (trailers) => this.#end(trailers),
    })
    this.#listen()
  }

  #end(trailers: Field[]): void {
    const current = this.#awaited[0]
    // After a 1xx the same request still waits for its final response.
    if (!current || !current.incoming.hasHead) return
    this.#awaited.shift()
    current.incoming.onEnd(trailers)
  }

  #listen(): void {
    let how: Ending['how'] | undefined
    this.socket.setNoDelay(true)
    this.socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    this.socket.on('error', () => {
      how ??= 'reset'
    })
    this.socket.on('end', () => {
      how ??= 'fin'
    })
    this.socket.on('close', () => {
      if (how === 'fin') this.#reader.finish()
      const left = this.#awaited
      this.#awaited = []
      for (const { incoming } of left) incoming.onBreak(`the connection ended (${how ?? 'by the client'})`)
      this.#ending.resolve({ how: how ?? 'reset', broken: left.length > 0 })
    })
  }

  #receive(chunk: Buffer): void {
    if (this.#awaited.length === 0) {
      this.#unasked.push(chunk)
      return
    }
    try {
      this.#reader.push(chunk)
    } catch (error) {
      this.#test.fail('the gateway sent a malformed response', { error, bytes: chunk.toString('latin1').slice(0, 500) })
      this.socket.destroy()
    }
  }

  /** Writes exact bytes (text is latin1). Resolves when the kernel has taken them, or the connection is gone. */
  send(data: string | Buffer): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()))
  }

  /** Expects one response more, to a request of this method; responses come in the order asked for. */
  expect(method = 'GET', keepBody = true): Incoming {
    const incoming = new Incoming(keepBody)
    this.#awaited.push({ incoming, method })
    const early = this.#unasked
    this.#unasked = []
    for (const chunk of early) this.#receive(chunk)
    if (this.socket.destroyed) incoming.onBreak('the connection had ended')
    return incoming
  }

  /** Sends bytes and waits for the whole response to them. @throws {BrokenResponse} */
  exchange(data: string | Buffer, method = 'GET'): Promise<ClientResponse> {
    const incoming = this.expect(method)
    void this.send(data)
    return incoming.whole()
  }

  /** Bytes that came without being asked for. */
  unasked(): Buffer {
    return Buffer.concat(this.#unasked)
  }

  /** Resolves when the gateway (or the test) has ended the connection. */
  ended(): Promise<Ending> {
    return this.#ending.promise
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  /** RST. */
  reset(): void {
    resetSocket(this.socket)
  }
}

export interface RawOptions {
  port: number
  host?: string
  /** Speak TLS, offering this protocol by ALPN. */
  tls?: 'http/1.1' | 'h2'
}

/** Opens a connection that closes with the test. */
export async function rawSocket(t: Test, options: RawOptions): Promise<Socket> {
  const address = { port: options.port, host: options.host ?? '127.0.0.1' }
  const socket = options.tls
    ? connectTls({ ...address, rejectUnauthorized: false, servername: 'localhost', ALPNProtocols: [options.tls] })
    : connectTcp(address)
  t.teardown(() => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    socket.once(options.tls ? 'secureConnect' : 'connect', resolve)
    socket.once('error', reject)
  })
  return socket
}

export async function connectRaw(t: Test, options: RawOptions): Promise<RawConnection> {
  return new RawConnection(t, await rawSocket(t, options))
}
