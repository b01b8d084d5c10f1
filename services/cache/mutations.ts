import { type CacheContext, type CacheExchange, routeCacheOf } from './context.ts'
import { invalidatedBy, type Readable } from './invalidation.ts'
import { keep } from './keep.ts'
import { cacheKey } from './key.ts'
import { endToEnd, ObservedReply } from './observed-reply.ts'
import { timesOf } from './retention.ts'
import type { ResponseHead } from './rules/message.ts'
import { varyOf } from './rules/vary.ts'
import type { Selector } from './store/selector.ts'
import { STRING_BODY_BYTES } from './stored.ts'
import { storabilityOf, tagsOf } from './storing.ts'
import { type OnWhole, TeeReply } from './tee-reply.ts'
import { resourcesAt } from './url-tags.ts'

/** Watches the answers to what may change something, on routes with a cache and without: what they outdate is purged. */
export class Mutations {
  readonly #context: CacheContext
  readonly #readable: Readable
  readonly #purge: (selectors: readonly Selector[]) => void

  /** @param purge in this process at once, and wherever else it is stored */
  constructor(context: CacheContext, purge: (selectors: readonly Selector[]) => void) {
    this.#context = context
    this.#purge = purge
    this.#readable = {
      policiesAt: context.policiesAt,
      find: (url) => resourcesAt(context.store, url),
    }
  }

  /** Called before the request is sent on. */
  observe(exchange: CacheExchange): void {
    const { now } = this.#context
    const requestedAt = now()
    if (exchange.method === 'POST' && exchange.plan?.cache?.policy.post === true) {
      this.#observeAndStore(exchange, requestedAt)
      return
    }
    exchange.reply = new ObservedReply(exchange.reply, (status, fields) => {
      this.#invalidate(exchange, { status, fields: endToEnd(fields), requestedAt, receivedAt: now() })
    })
  }

  /** What a POST says of itself is stored for GET (RFC 9110 §9.3.3). */
  #observeAndStore(exchange: CacheExchange, requestedAt: number): void {
    const { now, purges } = this.#context
    const { policy } = routeCacheOf(exchange)
    const mark = purges.mark()
    exchange.reply = new TeeReply(exchange.reply, (status, fields, length) => {
      const head: ResponseHead = { status, fields: endToEnd(fields), requestedAt, receivedAt: now() }
      const key = cacheKey(policy, exchange)
      // Asked before its own purge.
      const purged = purges.blocked(mark, key, policy.tags)
      this.#invalidate(exchange, head)
      return purged || (length ?? 0) > policy.maxEntryBytes ? undefined : this.#storing(exchange, key, head)
    })
  }

  /** @returns `undefined` where it is not to be stored */
  #storing(exchange: CacheExchange, key: string, head: ResponseHead): OnWhole | undefined {
    const { now, purges, store } = this.#context
    const { policy, counters } = routeCacheOf(exchange)
    const storable = storabilityOf(exchange, head, now())
    const vary = varyOf(head.fields, exchange.fields.kept, policy)
    if (!storable.store || storable.part || vary === '*') return undefined
    // Where the connection's end is the body's, nobody knows whether it is whole.
    if (exchange.unframed) return undefined
    const { fields, lifespan } = storable
    const since = purges.mark()
    return (bytes) => {
      const tags = tagsOf(exchange, fields)
      if (bytes.length > policy.maxEntryBytes || purges.blocked(since, key, tags)) return
      const body = bytes.length <= STRING_BODY_BYTES ? bytes.toString('latin1') : bytes
      counters.stores++
      const stored = { ...head, fields, body, part: null, vary, tags }
      keep(store, policy, { key, stored, times: timesOf(head, lifespan) })
    }
  }

  #invalidate(exchange: CacheExchange, head: ResponseHead): void {
    const selectors = invalidatedBy(exchange, head, this.#readable)
    if (selectors.length > 0) this.#purge(selectors)
  }
}
