import type { Exchange } from '../downstream/exchange.ts'
import type { Reply } from '../downstream/reply.ts'
import type { GatewayError } from '../http/problem.ts'
import type { Deadlines } from '../upstream/deadlines.ts'
import type { CacheCounters } from './counters.ts'
import type { PassMemory } from './pass-memory.ts'
import type { CachePolicy } from './policy.ts'
import type { SearchVariations } from './search-variations.ts'
import type { MemoryStore } from './store/memory.ts'
import type { PurgeLog } from './store/purge-log.ts'
import type { Tier } from './store/tier.ts'

/** How a route is cached, and what came of it. */
export interface RouteCache {
  policy: CachePolicy
  counters: CacheCounters
}

/** What the cache needs to know of a route's plan. */
export interface Cacheable {
  cache: RouteCache | null
}

/** An exchange of a route that is cached. */
export type CacheExchange = Exchange<Cacheable>

/** What takes the answer to a request of the cache. */
export interface OriginReply extends Reply {
  /** There is none. Instead of `head`. */
  refused(error: GatewayError): void
}

/** The way to the upstreams, as the cache sees it. */
export interface Origin {
  /** Sends a client's request on and its answer back, and finishes the exchange. */
  pass(exchange: CacheExchange): void
  /** Sends a request of the cache, whose reply is an {@link OriginReply}. */
  fetch(request: CacheExchange): void
  /** Tells a client of an error, and finishes the exchange. */
  refuse(exchange: CacheExchange, error: GatewayError): void
  /** The gateway itself has failed on a client's request: tells the client, or breaks off, and finishes. Never throws. */
  broke(exchange: CacheExchange, error: unknown): void
  /** The gateway itself has failed at what no client waits for. */
  failed(error: unknown): void
  /** Books the end of an exchange that was answered here. */
  finish(exchange: CacheExchange): void
}

/** What the parts of one cache share. */
export interface CacheContext {
  store: MemoryStore
  /** Behind the memory; `null` for none. */
  tier: Tier | null
  purges: PurgeLog
  /** The policies by which something may be stored under a path: those of the routes that read it. */
  policiesAt: (host: string, path: string) => readonly CachePolicy[]
  passes: PassMemory
  /** What responses said of the query. */
  variations: SearchVariations
  origin: Origin
  deadlines: Deadlines
  sendTimeoutMs: number
  /** Whether answers from upstreams carry Server-Timing. */
  serverTiming: boolean
  /** Milliseconds since 1970. */
  now: () => number
}

export function routeCacheOf(exchange: CacheExchange): RouteCache {
  return exchange.plan?.cache as RouteCache
}
