import type { IncomingMessage, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Test } from 'tap'
import { createDrainState, type DrainState } from '../../../services/listener/drain.ts'
import type { RequestHandlers } from '../../../services/listener/handlers.ts'
import {
  createListener,
  type Listener,
  type ListenerAddress,
  type ListenerContext,
} from '../../../services/listener/listener.ts'
import type { LimitsOptions, ListenerOptions } from '../../../services/listener/options.ts'

export type Limits = Partial<Omit<LimitsOptions, 'http2'>> & { http2?: Partial<LimitsOptions['http2']> }

export function limits({ http2, ...rest }: Limits = {}): LimitsOptions {
  return {
    connections: 100,
    headerTimeoutMs: 10_000,
    idleTimeoutMs: 75_000,
    headerBytes: 32_768,
    headerCount: 200,
    bodyBytes: 1e9,
    bodyMinBytesPerSecond: 100,
    sendTimeoutMs: 60_000,
    ...rest,
    http2: {
      streams: 100,
      resetBurst: 50,
      resetRate: 10,
      windowBytes: 262_144,
      connectionWindowBytes: 1_048_576,
      pingsPerSecond: 10,
      ...http2,
    },
  }
}

/** Answers `hello` by the lane on every protocol, and `/slow` when the test says so. */
export class Handlers implements RequestHandlers {
  /** Nothing is answered at once: all goes to node:http, by way of the socket's own data. */
  readonly head = () => false
  /** Paths of requests in the order that they came in. */
  readonly seen: string[] = []
  /** Paths that Fastify gets. */
  readonly declined = new Set<string>()
  #arrived = Promise.withResolvers<void>()
  #held: (() => void)[] = []

  #arrive(path: string, answer: () => void): void {
    this.seen.push(path)
    if (path !== '/slow') answer()
    else {
      this.#held.push(answer)
      this.#arrived.resolve()
    }
  }

  /** Resolves once a request for `/slow` has arrived. */
  arrived(): Promise<void> {
    return this.#arrived.promise
  }

  release(): void {
    for (const answer of this.#held) answer()
  }

  request(request: IncomingMessage, response: ServerResponse): boolean {
    const path = request.url as string
    if (this.declined.has(path)) return false
    request.resume()
    this.#arrive(path, () => {
      response.writeHead(200, ['content-length', '5'])
      response.end('hello')
    })
    return true
  }

  stream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
    const path = headers[':path'] as string
    if (this.declined.has(path)) return false
    stream.resume()
    this.#arrive(path, () => {
      stream.respond({ ':status': 200 })
      stream.end('hello')
    })
    return true
  }

  fallback(_request: unknown, response: { end(text: string): unknown }): void {
    response.end('fallback')
  }

  broke(_request: unknown, error: unknown): boolean {
    throw error
  }
}

export interface Started {
  listener: Listener
  address: ListenerAddress
  port: number
  handlers: Handlers
  drain: DrainState
}

export interface StartOptions {
  options?: Partial<ListenerOptions>
  limits?: Limits
  context?: Partial<ListenerContext>
}

/** A listener on a free port that answers with `Handlers` and closes with the test. */
export async function startListener(t: Test, start: StartOptions = {}): Promise<Started> {
  const handlers = new Handlers()
  const drain = createDrainState()
  const listener = createListener(
    { host: '127.0.0.1', port: 0, tls: null, http2: true, h2c: false, redirect: null, ...start.options },
    { limits: limits(start.limits), handlers, drain, dataDir: '', ...start.context },
  )
  t.teardown(() => listener.close())
  const address = await listener.listen()
  return { listener, address, port: address.port, handlers, drain }
}
