import type { Tier } from '../../../services/cache/store/tier.ts'
import { readRequestFields } from '../../../services/http/request-fields.ts'
import type { CacheExchange, OriginReply } from '../../../services/cache/context.ts'
import { CacheCounters } from '../../../services/cache/counters.ts'
import { PassMemory } from '../../../services/cache/pass-memory.ts'
import type { CachePolicy } from '../../../services/cache/policy.ts'
import { ResponseCache } from '../../../services/cache/response-cache.ts'
import { SearchVariations } from '../../../services/cache/search-variations.ts'
import { MemoryStore } from '../../../services/cache/store/memory.ts'
import { PurgeLog } from '../../../services/cache/store/purge-log.ts'
import { Exchange } from '../../../services/downstream/exchange.ts'
import { Peer } from '../../../services/downstream/peer.ts'
import type { Prepared } from '../../../services/downstream/prepared.ts'
import type { Reply } from '../../../services/downstream/reply.ts'
import { TrustedProxies } from '../../../services/downstream/trust.ts'
import type { GatewayError } from '../../../services/http/problem.ts'
import { Deadlines } from '../../../services/upstream/deadlines.ts'
import { policy } from './rules/messages.ts'

/** A cache without sockets: the origin is a function that answers at once, and time stands still unless it is moved. */
export interface Offline {
  cache: ResponseCache
  store: MemoryStore
  passes: PassMemory
  /** What the origin was asked since the last look. */
  asked: Asked[]
  now(): number
  pass(seconds: number): void
  ask(request: OfflineRequest): Answer
}

export interface OfflineRequest {
  method?: string
  /** Path and query. */
  target?: string
  fields?: Record<string, string>
}

export interface Asked {
  method: string
  target: string
  get(name: string): string | undefined
}

export interface Answer {
  status: number
  body: string
  get(name: string): string | undefined
}

/** `undefined`: it fails. */
export type Answering = (asked: Asked) => { status: number; fields: string[]; body?: string } | undefined

const BEGIN = Date.UTC(2026, 0, 15, 12)

class Answered implements Reply {
  readonly gone = false
  headSent = false
  closing = false
  status = 0
  fields: readonly string[] = []
  body = ''

  continue(): void {}
  informational(): void {}
  head(status: number, fields: string[]): void {
    this.headSent = true
    this.status = status
    this.fields = fields
  }
  write(chunk: Uint8Array): boolean {
    this.body += Buffer.from(chunk).toString('latin1')
    return true
  }
  drained(callback: () => void): void {
    callback()
  }
  end(chunk?: Uint8Array): void {
    if (chunk !== undefined) this.write(chunk)
  }
  whole({ told }: Prepared, own: readonly string[]): void {
    this.head(told.status, [...told.fields, ...own])
    this.body = typeof told.body === 'string' ? told.body : Buffer.from(told.body).toString('latin1')
  }
  closed(): void {}

  abort(): void {}
}

const find = (fields: readonly string[], name: string): string | undefined => {
  const at = fields.findIndex((field, i) => i % 2 === 0 && field.toLowerCase() === name)
  return at === -1 ? undefined : fields[at + 1]
}

export function offline(
  answering: Answering,
  options: { policy?: Partial<CachePolicy>; store?: { maxEntries?: number; maxBytes?: number }; tier?: Tier } = {},
): Offline {
  let time = BEGIN
  let ids = 0
  const now = (): number => time
  const store = new MemoryStore({ now, ...options.store })
  const passes = new PassMemory()
  const asked: Asked[] = []
  const plan = { cache: { policy: policy(options.policy), counters: new CacheCounters() } }
  const answer = (request: CacheExchange): boolean => {
    const { method, path, query, reply } = request
    const question = { method, target: path + query, get: (name: string) => find(request.fields.kept, name) }
    asked.push(question)
    const given = answering(question)
    if (given === undefined) return false
    const body = Buffer.from(given.body ?? '')
    const date = ['date', new Date(time).toUTCString()]
    reply.head(given.status, [...given.fields, ...date, 'x-request-id', request.requestId], body.length)
    if (body.length > 0 && method !== 'HEAD' && given.status !== 304) reply.write(body)
    reply.end()
    return true
  }
  const failure = Object.assign(new Error('it fails'), { code: 'HR_TEST', statusCode: 502 }) as unknown as GatewayError
  const refuse = (exchange: CacheExchange, error: GatewayError): void =>
    exchange.reply.head(error.statusCode ?? 500, [], null)
  const rethrow = (_exchange: CacheExchange, error: unknown): never => {
    throw error
  }
  const cache = new ResponseCache({
    store,
    tier: options.tier ?? null,
    serverTiming: false,
    passes,
    variations: new SearchVariations(),
    now,
    purges: new PurgeLog(),
    policiesAt: () => [plan.cache.policy],
    deadlines: new Deadlines({ tickMs: 1000 }),
    sendTimeoutMs: 0,
    origin: {
      pass: (exchange) => {
        if (!answer(exchange)) refuse(exchange, failure)
      },
      fetch: (request) => {
        if (!answer(request)) (request.reply as OriginReply).refused(failure)
      },
      refuse,
      broke: rethrow,
      failed: (error) => {
        throw error
      },
      finish: () => undefined,
    },
  })
  return {
    cache,
    store,
    passes,
    asked,
    now,
    pass: (seconds) => {
      time += seconds * 1000
    },
    ask: ({ method = 'GET', target = '/', fields = {} }) => {
      const exchange = new Exchange({
        protocol: '1.1',
        method,
        target,
        fields: readRequestFields(Object.entries(fields).flat()),
        body: null,
        peer: new Peer({ remoteAddress: '198.51.100.1' }, new TrustedProxies([])),
      }) as CacheExchange
      const [path = '', search] = target.split('?')
      exchange.requestId = `id-${++ids}`
      exchange.authority = exchange.host = 'gateway.test'
      exchange.path = path
      exchange.query = search === undefined ? '' : `?${search}`
      exchange.plan = plan
      const reply = new Answered()
      exchange.reply = reply
      cache.handle(exchange)
      return { status: reply.status, body: reply.body, get: (name) => find(reply.fields, name) }
    },
  }
}
