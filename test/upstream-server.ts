import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Test } from 'tap'
import { testCertificate } from './certificate.ts'
import { Milestones } from './signal.ts'
import { declaredFraming, type Field, get, type Head, MessageReader } from './wire.ts'
import { UpstreamExchange } from './upstream-exchange.ts'

/** Plays one request. It may do anything to the connection; what it throws fails the test. */
export type Play = (exchange: UpstreamExchange) => unknown

/**
 * What the upstream does: the same play for every request, or one play a request, in order of arrival.
 * With a list, a request beyond its end fails the test: the gateway must not have sent it.
 */
export type Script = Play | Play[]

export interface UpstreamOptions {
  /** Speak TLS, with the certificate of test/certificate.ts. */
  tls?: boolean
  /** Listen on a unix socket at this path. */
  path?: string
  /** Called with each connection, before any byte: to reset, to end, to answer unasked. */
  connection?: (socket: Socket) => void
  /** Count bodies instead of keeping them, for large ones. */
  discardBodies?: boolean
  /** What the gateway writes is not HTTP, and that is intended. */
  tolerant?: boolean
}

/** One request as it arrived. */
export interface ReceivedRequest extends Head {
  method: string
  target: string
  /** Index in `upstream.connections`. */
  connection: number
  body: Buffer
  /** Bytes of the body received so far. */
  bodyBytes: number
  /** The whole request arrived. */
  complete: boolean
  trailers: Field[]
  get(name: string): string | undefined
}

export interface ReceivedConnection {
  socket: Socket
  /** Every byte received, exactly; stays empty with `discardBodies`. */
  bytes(): Buffer
  requests: ReceivedRequest[]
  /** How the gateway left: undefined while it is there. */
  left: 'fin' | 'reset' | undefined
}

/** A raw TCP or TLS upstream that does what its script says, and writes down what it gets. */
export class Upstream {
  readonly requests: ReceivedRequest[] = []
  readonly connections: ReceivedConnection[] = []
  readonly #server: Server
  readonly #test: Test
  readonly #script: Script
  readonly #options: UpstreamOptions
  readonly #heads = new Milestones()
  readonly #complete = new Milestones()
  readonly #connected = new Milestones()
  readonly #closings: PromiseWithResolvers<'fin' | 'reset'>[] = []

  constructor(test: Test, script: Script, options: UpstreamOptions, server: Server) {
    this.#test = test
    this.#script = script
    this.#options = options
    this.#server = server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** As a target of the configuration. */
  get origin(): string {
    if (this.#options.path !== undefined) return `unix:${this.#options.path}`
    return `${this.#options.tls ? 'https' : 'http'}://127.0.0.1:${this.port}`
  }

  /** Resolves once `count` request heads have arrived, with the last of these. */
  async received(count = 1): Promise<ReceivedRequest> {
    await this.#heads.wait(count)
    return this.requests[count - 1] as ReceivedRequest
  }

  /** Resolves once `count` requests have arrived whole. */
  completed(count = 1): Promise<void> {
    return this.#complete.wait(count)
  }

  connected(count = 1): Promise<void> {
    return this.#connected.wait(count)
  }

  /** Resolves once connection `index` is gone, with how the gateway (or the script) ended it. */
  async closed(index = 0): Promise<'fin' | 'reset'> {
    await this.#connected.wait(index + 1)
    return (this.#closings[index] as PromiseWithResolvers<'fin' | 'reset'>).promise
  }

  /** For the server's listener only. */
  accept(socket: Socket): void {
    const index = this.connections.length
    const chunks: Buffer[] = []
    const bytes = (): Buffer => Buffer.concat(chunks)
    const connection: ReceivedConnection = { socket, bytes, requests: [], left: undefined }
    const closing = Promise.withResolvers<'fin' | 'reset'>()
    this.connections.push(connection)
    this.#closings.push(closing)
    let current: UpstreamExchange | undefined
    const reader = new MessageReader({
      head: (head) => {
        current = this.#begin(head, connection, index)
        return declaredFraming(head.fields, { kind: 'none' })
      },
      body: (chunk) => current?.receive(chunk),
      end: (trailers) => {
        current?.finish(trailers)
        this.#complete.advance()
      },
    })
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => {
      if (!this.#options.discardBodies) chunks.push(chunk)
      try {
        reader.push(chunk)
      } catch (error) {
        if (!this.#options.tolerant) this.#test.fail('the gateway sent a malformed request', { error })
        socket.destroy()
      }
    })
    socket.on('end', () => {
      connection.left ??= 'fin'
    })
    socket.on('error', () => {
      connection.left ??= 'reset'
    })
    socket.on('close', () => {
      connection.left ??= 'reset'
      closing.resolve(connection.left)
      current?.lose()
    })
    this.#options.connection?.(socket)
    this.#connected.advance()
  }

  #begin(head: Head, connection: ReceivedConnection, index: number): UpstreamExchange {
    const [method = '', target = ''] = head.start.split(' ')
    const request: ReceivedRequest = {
      ...head,
      method,
      target,
      connection: index,
      body: Buffer.alloc(0),
      bodyBytes: 0,
      complete: false,
      trailers: [],
      get: (name) => get(head.fields, name),
    }
    const exchange = new UpstreamExchange(connection.socket, request, this.#options.discardBodies ?? false)
    const play = typeof this.#script === 'function' ? this.#script : this.#script[this.requests.length]
    this.requests.push(request)
    connection.requests.push(request)
    if (play === undefined) {
      this.#test.fail(`the gateway sent a request too many: ${head.start}`)
      exchange.reset()
    } else {
      exchange.run(play, (error) => this.#test.fail(`the upstream's script failed at ${head.start}`, { error }))
    }
    this.#heads.advance()
    return exchange
  }
}

/** Starts an upstream on a free loopback port; it closes with the test. */
export async function startUpstream(t: Test, script: Script, options: UpstreamOptions = {}): Promise<Upstream> {
  const server = options.tls ? createTlsServer(await testCertificate()) : createTcpServer()
  const sockets = new Set<Socket>()
  const upstream = new Upstream(t, script, options, server)
  server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => upstream.accept(socket))
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => sockets.delete(socket))
  })
  const address = options.path === undefined ? { port: 0, host: '127.0.0.1' } : { path: options.path }
  await new Promise<void>((resolve) => server.listen(address, resolve))
  t.teardown(async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    for (const socket of sockets) socket.destroy()
    await closed
  })
  return upstream
}

/** An origin where nobody listens: a port that was free a moment ago may be another test's by now, but nobody has 1. */
export const REFUSING_ORIGIN = 'http://127.0.0.1:1'
