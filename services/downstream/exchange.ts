import type { IncomingMessage } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Readable } from 'node:stream'
import type { GatewayError } from '../http/problem.ts'
import { readRequestFields, type RequestFields } from '../http/request-fields.ts'
import { Http2Reply } from './http2-reply.ts'
import type { Identity } from './identity.ts'
import type { Peer } from './peer.ts'
import type { Reply } from './reply.ts'

/** Work that ends when the client leaves. */
export interface Cancellable {
  /** @param outcome of what was under way: its client has left, or has another answer; default: the client has left */
  cancel(outcome?: 'client_abort' | 'superseded'): void
}

/** Of the one family of forwarding fields that is believed. */
export interface Told {
  family: 'forwarded' | 'x-forwarded'
  /** The way to here, as it goes on; empty where none of it is readable. */
  chain: string
  host: string | undefined
}

/**
 * What became of a request on a route with a cache; each has exactly one.
 *
 * - `hit`: answered from the store, fresh
 * - `stale`: answered from the store, stale: while it was refreshed, because the origin failed, or the client takes it
 * - `revalidated`: answered from the store after the origin said that it still holds
 * - `collapsed`: answered by what another request brought
 * - `miss`: nothing usable was stored
 * - `pass`: sent to the origin by itself, its answer for it alone
 */
export type CacheResult = 'hit' | 'stale' | 'revalidated' | 'collapsed' | 'miss' | 'pass'

/** Somebody who wants a request's body too, as it goes by. None of it throws, or keeps a piece as it is. */
export interface BodyCopy {
  take(chunk: Buffer): void
  /** It has come whole. */
  complete(): void
  /** It will not. Perhaps after `complete`. */
  lost(): void
}

/** A whole request body. */
export interface Content {
  bytes: Buffer
  /** Of the bytes and what says how to read them. */
  digest: string
}

/**
 * One request and its answer, from the head's arrival to the last byte. Made once a request, whatever the protocol; it
 * goes through admission, which fills what the route plan needs, and is finished exactly once.
 */
export class Exchange<Plan = unknown> {
  readonly protocol: '1.0' | '1.1' | '2.0'
  readonly method: string
  /** As received: a path with its query; also an absolute URL, `*` or an authority. */
  readonly target: string
  readonly fields: RequestFields
  /** The body as it comes in, `null` without one. Nobody reads it before the upstream does, but for a `content`. */
  body: Readable | null
  readonly peer: Peer
  /** Set before anything is answered; Fastify's router sees requests before their responses. */
  reply!: Reply
  /** `performance.now()` when the head had come. */
  readonly arrivedAt: number

  /** What admission finds out. */
  requestId = ''
  scheme: 'http' | 'https' = 'http'
  authority = ''
  host = ''
  path = ''
  query = ''
  /** The query that its upstream gets, where its route makes another of it. */
  sentQuery: string | undefined
  /** A lax reader may see another path in `path`. */
  lax = false
  clientAddress = ''
  /** How often it has passed a gateway of this name before. */
  passes = 0
  /** What trusted proxies before the gateway say; `undefined` where they say nothing, or are not trusted. */
  told: Told | undefined
  plan: Plan | undefined
  parameters: string[] = []

  /** Who calls; `undefined` where nobody has asked, or the caller may stay unknown. */
  identity: Identity | undefined
  /** Gates of its route that have let it pass (services/gate). */
  gates = 0
  /** What can be asked at the socket was, and has let it pass. */
  early = false
  /** Which one has not; empty while none has refused it. */
  denied = ''

  /** What happened. */
  status = 0
  upstreamMs = 0
  /** Bytes of the answer's body, on routes that ask for them (services/limit). */
  sentBytes = 0
  outcome = ''
  code = ''
  /** The code of what caused its failure; empty where nothing is known. */
  cause = ''
  /** The gateway's member of Cache-Status (RFC 9211); empty on routes without a cache. */
  cacheStatus = ''
  /** `undefined` on routes without a cache. */
  cacheResult: CacheResult | undefined
  finished = false
  /** Fields of what is stored, where the answer is a 304 about it. */
  about: readonly string[] | undefined
  /** Why it is refused, where Fastify has to say so. */
  refusal: GatewayError | undefined
  /** One of Fastify's own routes may take it before its plan does. */
  undecided = false
  /** Why no configured route can take it; it is told where none of Fastify's own does. */
  held: GatewayError | undefined
  /** Refused for what the message is: its connection has to be closed. */
  suspect = false
  work: Cancellable | undefined
  /** Whom to tell that its connection is gone, while nothing is under way for it that could be cancelled. */
  abandoned: Cancellable | undefined
  /** The body, where the cache has read it to look it up; `body` then gives the same again. */
  content: Content | undefined
  /** Gets what is read of the body, by whoever begins to from here on. */
  bodyCopy: BodyCopy | undefined
  /** The end of the upstream's connection is all that ends its answer: nothing says whether it came whole. */
  unframed = false

  constructor(init: {
    protocol: '1.0' | '1.1' | '2.0'
    method: string
    target: string
    fields: RequestFields
    body: Readable | null
    peer: Peer
  }) {
    this.protocol = init.protocol
    this.method = init.method
    this.target = init.target
    this.fields = init.fields
    this.body = init.body
    this.peer = init.peer
    this.arrivedAt = performance.now()
  }

  static fromHttp1<Plan>(request: IncomingMessage, peer: Peer): Exchange<Plan> {
    const fields = readRequestFields(request.rawHeaders)
    const hasBody = fields.transferEncoding !== undefined || (fields.contentLength ?? '0') !== '0'
    return new Exchange<Plan>({
      protocol: request.httpVersionMinor === 0 ? '1.0' : '1.1',
      method: request.method as string,
      target: request.url as string,
      fields,
      body: hasBody ? request : null,
      peer,
    })
  }

  /** @param raw the flat field list of the stream's head, pseudo-headers first */
  static fromHttp2<Plan>(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    raw: readonly string[],
    peer: Peer,
  ): Exchange<Plan> {
    let start = 0
    while (start < raw.length && (raw[start] as string).startsWith(':')) start += 2
    // What goes through a stream that becomes a tunnel is no body; upstreams are asked for it by a GET (RFC 8441 §5).
    const isTunnel = headers[':protocol'] !== undefined
    const method = isTunnel ? 'GET' : (headers[':method'] as string)
    const fields = readRequestFields(raw, start)
    const authority = headers[':authority']
    if (typeof authority === 'string') {
      // RFC 9113 §8.3.1: :authority takes the place of Host; one that disagrees is an attempt at confusion.
      if (fields.host === undefined || fields.host.toLowerCase() === authority.toLowerCase()) fields.hostCount = 1
      else fields.hostCount = 2
      fields.host = authority
    }
    const exchange = new Exchange<Plan>({
      protocol: '2.0',
      method,
      target: (headers[':path'] as string | undefined) ?? '',
      fields,
      body: stream.endAfterHeaders || isTunnel ? null : stream,
      peer,
    })
    exchange.reply = new Http2Reply(stream, method)
    return exchange
  }
}
