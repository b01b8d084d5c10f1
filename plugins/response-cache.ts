import type { FastifyBaseLogger, FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { CacheExchange, RouteCache } from '../services/cache/context.ts'
import { CacheCounters } from '../services/cache/counters.ts'
import type { Answer } from '../services/downstream/collected-reply.ts'
import { HandlerCache } from '../services/cache/handlers/handler-cache.ts'
import { handlerExchange } from '../services/cache/handlers/handler-exchange.ts'
import type { HandlerRun } from '../services/cache/handlers/handler-run.ts'
import {
  type HandlerCacheInput,
  handlerPolicy,
  sharedCache,
  type SharedCacheInput,
} from '../services/cache/handlers/options.ts'
import { bytesOf, fieldsOf, headersOf, withoutPseudoHeaders } from '../services/cache/handlers/message-forms.ts'
import type { PurgeSource } from '../services/cache/purge-source.ts'
import { isUnsafe } from '../services/cache/rules/invalidation.ts'
import { createSecondTier } from '../services/cache/second-tier.ts'
import { type CacheStorage, createMemory, purgeStorage, type SharedCache } from '../services/cache/storage.ts'
import { PurgeLog } from '../services/cache/store/purge-log.ts'
import { ValueCache } from '../services/cache/values/value-cache.ts'

/**
 * A cache for code, alone or over a gateway's store: `responseCache` keeps values, and routes of the scope that say
 * `config: { cache: … }` have their answers to GET kept by the rules of HTTP (docs/embedding.md).
 *
 * It shares `responseCache`, and acts on routes with `cache` in their `config` that are added after it. Of other routes that
 * change something it sees the answers, for what they outdate (RFC 9111 §4.4), and changes nothing.
 * Register what limits requests before it: a hit ends the hooks that come after its own.
 */
export interface ResponseCacheOptions extends SharedCacheInput {
  /** Tell when data has changed; the start waits for them. */
  purgeSources?: readonly PurgeSource[]
  /** The cache of a gateway, in the place of one of its own: what is purged there is purged here. */
  share?: SharedCache
}

declare module 'fastify' {
  interface FastifyInstance {
    responseCache: ValueCache
  }
  interface FastifyContextConfig {
    /** How answers to GET are kept; `true`: as the handler's Cache-Control says. */
    cache?: HandlerCacheInput | boolean
  }
}

async function responseCache(fastify: FastifyInstance, options: ResponseCacheOptions): Promise<void> {
  const { purgeSources = [], share } = options
  const own = share === undefined ? ownCache(sharedCache(options), fastify.log) : undefined
  const { storage, options: cacheOptions, purge, invalidate, isShared, second } = share ?? (own as OwnCache)
  const warn = (error: unknown, message: string): void => fastify.log.warn({ err: error }, message)
  const values = new ValueCache({ storage, maxEntryBytes: cacheOptions.maxEntryBytes, purge, isShared, second, warn })
  const handlers = new HandlerCache({ ...storage, invalidate, now: Date.now })

  fastify.decorate('responseCache', values)
  fastify.addHook('onClose', async () => {
    await values.close()
    await own?.close()
  })
  fastify.addHook('onRoute', (route) => {
    const { url, constraints } = route
    const { cache: given = false, proxied = false } = route.config ?? {}
    const methods = [route.method].flat()
    if (given === false) {
      // What goes to upstreams the gateway's own cache watches.
      if (!proxied && methods.some(isUnsafe)) watchOn(route, handlers)
      return
    }
    const place = `cache of ${methods.join(', ')} ${url}`
    const policy = handlerPolicy(given, cacheOptions, { place, shape: [url, constraints] })
    if (methods.includes('GET')) handlers.add(policy)
    installOn(route, handlers, { policy, counters: new CacheCounters() })
  })
  for (const source of purgeSources) await values.follow(source)
}

interface OwnCache extends SharedCache {
  close(): Promise<void>
}

function ownCache({ cache, redis }: ReturnType<typeof sharedCache>, log: FastifyBaseLogger): OwnCache {
  const second = createSecondTier(cache, redis, log)
  const storage: CacheStorage = {
    store: createMemory(cache.memory),
    tier: second?.tier ?? null,
    purges: new PurgeLog(),
  }
  second?.follow(storage)
  return {
    storage,
    options: cache,
    isShared: second !== null,
    second: () => second?.report() ?? null,
    purge: (selector, mode) => purgeStorage(storage, selector, mode),
    invalidate: (selectors) => {
      // None of them rejects.
      for (const selector of selectors) void purgeStorage(storage, selector, 'hard')
    },
    async close() {
      storage.store.close()
      await second?.close()
      second?.link?.close()
    },
  }
}

function exchangeOf(request: FastifyRequest, cache: RouteCache | null): CacheExchange | undefined {
  return handlerExchange(
    {
      method: request.method,
      scheme: request.protocol,
      host: request.host,
      target: request.url,
      rawFields: withoutPseudoHeaders(request.raw.rawHeaders),
    },
    cache,
  )
}

/** Looks at the answers of a route without a cache, before any of its hooks changes them. */
function watchOn(route: RouteOptions, handlers: HandlerCache): void {
  const see = async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    const outdates = handlers.isUsed && isUnsafe(request.method)
    const exchange = outdates ? exchangeOf(request, null) : undefined
    if (exchange !== undefined) {
      handlers.changed(exchange, { status: reply.statusCode, fields: fieldsOf(reply.getHeaders()) })
    }
    return payload
  }
  route.onSend = [see, ...[route.onSend ?? []].flat()]
}

/** A request whose handler runs, and the fields that were set before it did. */
interface Begun {
  run: HandlerRun
  before: Readonly<Record<string, unknown>>
}

/** Adds the hooks of one route: the look-up after its other hooks, and a look at the answer before any of them changes it. */
function installOn(route: RouteOptions, handlers: HandlerCache, cache: RouteCache): void {
  const begun = new WeakMap<FastifyRequest, Begun>()
  const answered = new WeakSet<FastifyRequest>()

  const lookUp = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const exchange = exchangeOf(request, cache)
    if (exchange === undefined) return undefined
    const found = await handlers.look(exchange)
    switch (found.kind) {
      case 'refused':
        throw found.error
      case 'answer':
        write(reply, found.answer)
        return reply.send(found.answer.body?.length ? found.answer.body : undefined)
      case 'run':
        begun.set(request, { run: found.run, before: reply.getHeaders() })
        return undefined
    }
  }

  const see = async (request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> => {
    const known = begun.get(request)
    // An error in a later hook sends a second answer through here.
    if (known === undefined || answered.has(request)) return payload
    answered.add(request)
    const headers = reply.getHeaders()
    const sent = known.run.answered({
      status: reply.statusCode,
      fields: fieldsOf(headers),
      body: bytesOf(payload),
      unrelated: new Set(Object.keys(known.before).filter((name) => known.before[name] === headers[name])),
    })
    if (sent.kind === 'handlers') {
      for (const [name, value] of headersOf(sent.fields)) reply.header(name, value)
      return payload
    }
    for (const name of Object.keys(headers)) if (!Object.hasOwn(known.before, name)) reply.removeHeader(name)
    write(reply, sent.answer)
    return sent.answer.body
  }

  const over = async (request: FastifyRequest): Promise<void> => begun.get(request)?.run.over()

  route.preHandler = [...[route.preHandler ?? []].flat(), lookUp]
  route.onSend = [see, ...[route.onSend ?? []].flat(), withoutLength]
  route.onResponse = [...[route.onResponse ?? []].flat(), over]
  // A client that leaves before the answer: Fastify has no onResponse for it.
  route.onRequestAbort = [...[route.onRequestAbort ?? []].flat(), over]
}

function write(reply: FastifyReply, { status, fields }: Answer): void {
  reply.code(status)
  for (const [name, value] of headersOf(fields)) reply.header(name, value)
}

/** Fastify gives a 304 to HEAD the length of nothing, which would be that of the answer to GET (RFC 9110 §8.6). */
async function withoutLength(_request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (reply.statusCode === 304) reply.removeHeader('content-length')
  return payload
}

export default fp(responseCache, { name: 'headrace-response-cache', fastify: '5.x' })
