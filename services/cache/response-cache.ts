import { noteClientGone } from '../downstream/client-gone.ts'
import type { GatewayError } from '../http/problem.ts'
import { answerStored } from './answer.ts'
import { type CacheContext, type CacheExchange, routeCacheOf } from './context.ts'
import { NotCachedError } from './errors.ts'
import { isReadable, readContent } from './content.ts'
import type { Lookup } from './fetch/errand.ts'
import { Fetcher } from './fetch/fetcher.ts'
import { cacheKey, pathOf } from './key.ts'
import { Mutations } from './mutations.ts'
import { observeHead, watchPrivate } from './observers.ts'
import { clientLeft, passOn } from './passing.ts'
import type { CachePolicy } from './policy.ts'
import type { PurgeMode } from './purge-mode.ts'
import { lifeOf } from './retention.ts'
import { hitStatus } from './rules/cache-status.ts'
import { isForOrigin } from './rules/conditional.ts'
import { isUnsafe } from './rules/invalidation.ts'
import { forbidsStoring, type Reuse, reuse, wantsOnlyStored } from './rules/reuse.ts'
import { selectVariant } from './rules/vary.ts'
import type { KnownVariation, SearchVariations } from './search-variations.ts'
import { SecondLook } from './second-look.ts'
import { standIn } from './stand-in.ts'
import { type CacheStorage, purgeMemory, purgeStorage } from './storage.ts'
import type { Entry, Resource } from './store/entry.ts'
import type { MemoryStoreStats } from './store/memory.ts'
import { type Selector, withoutDefaultPort } from './store/selector.ts'
import type { TopKey } from './store/top-keys.ts'
import { countedAgain, resourcesAt, selectorsOfUrls } from './url-tags.ts'

/** What is stored for a request. */
interface Found {
  key: string
  /** What of the query the key has. */
  variation: KnownVariation | undefined
  resource: Resource | undefined
}

/**
 * The shared HTTP cache (RFC 9111) before the upstreams: what it has and may use answers at once; everything else is
 * fetched, once for all who want the same; what changes something on its way to the origin invalidates what it changes.
 */
export class ResponseCache {
  /** Told of what a mutation has invalidated here, so that other processes hear of it; where there are none, not set. */
  announce: ((selectors: readonly Selector[]) => void) | undefined
  readonly #context: CacheContext
  readonly #variations: SearchVariations
  readonly #fetcher: Fetcher
  readonly #second: SecondLook
  readonly #mutations: Mutations

  constructor(context: CacheContext) {
    this.#context = context
    this.#variations = context.variations
    this.#fetcher = new Fetcher(context, this.#variations)
    this.#second = new SecondLook(context)
    this.#mutations = new Mutations(context, (selectors) => this.invalidate(selectors))
  }

  /** Answers a request of a route that is cached, from the store or from its upstream. */
  handle(exchange: CacheExchange): void {
    const { method, body } = exchange
    if (method === 'GET' || method === 'HEAD') {
      // Content of a GET may shape the answer and is in no key: nothing stored answers it, and it is not stored.
      if (body === null) this.#lookUp(exchange)
      else passOn(this.#context, exchange, 'bypass')
    } else if (method === 'QUERY' && routeCacheOf(exchange).policy.queries && isReadable(exchange)) {
      readContent(exchange)
        .then(
          () => this.#lookUp(exchange),
          (error: GatewayError) => this.#unread(exchange, error),
        )
        .catch((error: unknown) => this.#context.origin.broke(exchange, error))
    } else {
      passOn(this.#context, exchange, 'method', isUnsafe(method) ? () => this.#mutations.observe(exchange) : undefined)
    }
  }

  /**
   * Answers a GET or HEAD without a body where memory has a fresh answer to it.
   *
   * @returns `false`, having done nothing, for everything else: `handle` it then
   */
  hit(exchange: CacheExchange): boolean {
    const { policy } = routeCacheOf(exchange)
    const { resource } = this.#find(exchange)
    const entry = resource === undefined ? undefined : select(resource, exchange)
    if (entry === undefined) return false
    const now = this.#context.now()
    return verdictOf(entry, exchange, policy, now).kind === 'fresh' && this.#answerFresh(exchange, entry, policy, now)
  }

  /** An unsafe request of a route without a cache is about to be sent on: what it changes may be stored by other routes. */
  watch(exchange: CacheExchange): void {
    this.#mutations.observe(exchange)
  }

  /** For others that keep something to be purged with what is kept here. */
  get storage(): CacheStorage {
    const { store, tier, purges } = this.#context
    return { store, tier, purges }
  }

  /** Purges what is stored, and what is on its way, here and in the second tier. @returns how many entries that covered */
  async purge(selector: Selector, mode: PurgeMode): Promise<number> {
    return selector.kind === 'url' ? this.purgeUrls([selector.url], mode) : this.#purgeOne(selector, mode)
  }

  /** The same for what answers any of these URLs. */
  async purgeUrls(urls: readonly string[], mode: PurgeMode): Promise<number> {
    const selectors = selectorsOfUrls(new Set(urls.map(withoutDefaultPort)))
    const twice = mode === 'soft' ? countedAgain(this.#context.store, selectors) : 0
    const covered = await Promise.all(selectors.map((selector) => this.#purgeOne(selector, mode)))
    return covered.reduce((total, one) => total + one, 0) - twice
  }

  /** Purges what a mutation has made invalid: here at once, and in other processes. */
  invalidate(selectors: readonly Selector[]): void {
    const { tier } = this.#context
    this.heard(selectors)
    const taken = tier === null ? [] : selectors.map((selector) => tier.purge(selector, 'hard'))
    this.announce?.(selectors)
    if (tier === null) return
    Promise.all(taken)
      // Until the second tier has it, another process may take what is outdated from there into its memory.
      .then(() => this.announce?.(selectors))
      .catch((error: unknown) => this.#context.origin.failed(error))
  }

  /** Another process has invalidated this, in the second tier too. */
  heard(selectors: readonly Selector[]): void {
    for (const selector of selectors) purgeMemory(this.#context, selector, 'hard')
  }

  /** What is stored for a URL; of a path alone, whatever the scheme and host. */
  find(url: string): Resource[] {
    return resourcesAt(this.#context.store, withoutDefaultPort(url))
  }

  stats(): MemoryStoreStats {
    return this.#context.store.stats()
  }

  /** The keys with most hits. Goes through all keys: for people who ask. */
  top(limit: number): TopKey[] {
    return this.#context.store.top(limit)
  }

  /** Requests to the origin that are under way and may be joined. */
  get flights(): number {
    return this.#fetcher.flights
  }

  /** @param looked what there is after a look into the second tier; without it there has been none */
  #lookUp(exchange: CacheExchange, looked?: Found): void {
    const { policy } = routeCacheOf(exchange)
    const { store, origin } = this.#context
    const found = looked ?? this.#find(exchange)
    const { key, variation, resource } = found
    const entry = resource === undefined ? undefined : select(resource, exchange)
    const now = this.#context.now()
    if (resource === undefined || entry === undefined) {
      if (this.#looksFurther(exchange, found, looked)) return
      if (wantsOnlyStored(exchange.fields, policy)) this.#refuse(exchange)
      else this.#miss(exchange, { key, variation, stored: resource?.entries })
      return
    }
    const verdict = verdictOf(entry, exchange, policy, now)
    switch (verdict.kind) {
      case 'fresh':
        if (this.#answerFresh(exchange, entry, policy, now)) return
        break
      case 'stale':
      case 'stale-while-revalidate':
        if (answerStored(exchange, entry, statusOf(entry, policy, now), now) === 'unanswered') break
        exchange.cacheResult = 'stale'
        store.touch(entry)
        if (verdict.kind === 'stale-while-revalidate') this.#refresh(exchange, { ...found, resource }, entry)
        origin.finish(exchange)
        return
      case 'unavailable':
        if (!this.#looksFurther(exchange, found, looked)) this.#refuse(exchange)
        return
      case 'revalidate':
        // Another process may have had it validated since.
        if (verdict.reason === 'stale' && this.#looksFurther(exchange, found, looked)) return
        if (exchange.method === 'HEAD' || entry.stored.part !== null) break
        this.#fetcher.fetch(exchange, {
          key,
          variation,
          reason: verdict.reason === 'request' ? 'request' : 'stale',
          selected: entry,
          stored: resource.entries,
        })
        return
    }
    if (wantsOnlyStored(exchange.fields, policy)) {
      if (!this.#looksFurther(exchange, found, looked)) this.#refuse(exchange)
      return
    }
    if (exchange.method === 'HEAD') {
      const { reply } = exchange
      passOn(this.#context, exchange, 'request', () => {
        standIn(this.#context, exchange, entry, reply)
        observeHead(this.#context, exchange, entry)
      })
    } else if (entry.stored.part !== null) {
      if (this.#looksFurther(exchange, found, looked)) return
      this.#miss(exchange, { key, variation, stored: resource.entries, part: entry })
    } else {
      passOn(this.#context, exchange, 'request')
    }
  }

  /** @returns `false`, having written nothing, where the entry is not what is asked for */
  #answerFresh(exchange: CacheExchange, entry: Entry, policy: CachePolicy, now: number): boolean {
    if (answerStored(exchange, entry, statusOf(entry, policy, now), now) === 'unanswered') return false
    exchange.cacheResult = 'hit'
    this.#context.store.touch(entry)
    this.#context.origin.finish(exchange)
    return true
  }

  /** Begins a look into the second tier, where there is a point in it and there has been none. @returns whether it has */
  #looksFurther(exchange: CacheExchange, { key, variation }: Found, looked: Found | undefined): boolean {
    const { passes, now } = this.#context
    if (looked !== undefined || !this.#second.isPossible) return false
    if (forbidsStoring(exchange.fields, routeCacheOf(exchange).policy)) return false
    // What is not shared is stored nowhere; what is on its way will be here sooner.
    if (passes.has(key, now()) || this.#fetcher.isUnderWay(key)) return false
    this.#second.look(exchange, key, {
      found: (resource) => this.#lookUp(exchange, { key, variation, resource }),
      left: () => clientLeft(this.#context.origin, exchange),
      broke: (error) => this.#context.origin.broke(exchange, error),
    })
    return true
  }

  /** Refreshes what was answered stale, where no other process has done so. */
  #refresh(
    exchange: CacheExchange,
    { key, variation, resource }: Found & { resource: Resource },
    selected: Entry,
  ): void {
    const refresh = (stored: readonly Entry[], best: Entry): void => {
      this.#fetcher.refresh(exchange, { key, variation, reason: 'stale', selected: best, stored })
    }
    if (!this.#second.isPossible) return refresh(resource.entries, selected)
    this.#second
      .find(exchange, key)
      .then((brought = resource) => {
        const best = select(brought, exchange) ?? selected
        if (this.#context.now() >= best.freshUntil) refresh(brought.entries, best)
      })
      .catch((error: unknown) => this.#context.origin.broke(exchange, error))
  }

  async #purgeOne(selector: Selector, mode: PurgeMode): Promise<number> {
    return purgeStorage(this.#context, selector, mode)
  }

  #refuse(exchange: CacheExchange): void {
    exchange.cacheResult = 'miss'
    // What is stored was looked at, and is not the answer; nor did the request go forward (RFC 9211 §2).
    exchange.cacheStatus = ''
    this.#context.origin.refuse(exchange, new NotCachedError())
  }

  /** The content broke off, or is not what its head says. */
  #unread(exchange: CacheExchange, error: GatewayError): void {
    if (!exchange.reply.gone) {
      if (!error.code?.startsWith('HR_')) throw error
      return this.#context.origin.refuse(exchange, error)
    }
    noteClientGone(exchange)
    this.#context.origin.finish(exchange)
  }

  /** What is stored for a request, and under which key: by what matters of the query, or by all of it. */
  #find(exchange: CacheExchange): Found {
    const { policy } = routeCacheOf(exchange)
    const { store } = this.#context
    const key = cacheKey(policy, exchange)
    const variations = this.#variations
    const variation = variations.size === 0 ? undefined : variations.get(pathOf(policy, exchange))
    if (variation === undefined) return { key, variation, resource: store.get(key) }
    const varied = cacheKey(policy, exchange, variation)
    const resource = store.get(varied)
    if (resource !== undefined) return { key: varied, variation, resource }
    const exact = store.get(key)
    return exact === undefined
      ? { key: varied, variation, resource: undefined }
      : { key, variation: undefined, resource: exact }
  }

  #miss(exchange: CacheExchange, lookup: Omit<Lookup, 'reason'>): void {
    const { policy } = routeCacheOf(exchange)
    const { fields, method } = exchange
    const { passes, now } = this.#context
    const part = lookup.stored?.some(({ stored }) => stored.part !== null) === true
    const reason = lookup.stored === undefined ? 'uri-miss' : part ? 'partial' : 'vary-miss'
    if (method === 'HEAD' || isForOrigin(fields) || forbidsStoring(fields, policy)) {
      passOn(this.#context, exchange, reason)
    } else if (passes.has(lookup.key, now())) {
      passOn(this.#context, exchange, reason, () => watchPrivate(this.#context, exchange, lookup.key))
    } else if (fields.range !== undefined && method === 'GET') {
      this.#fetcher.fetchPart(exchange, { ...lookup, reason })
    } else {
      this.#fetcher.fetch(exchange, { ...lookup, reason })
    }
  }
}

const FRESH = { kind: 'fresh' } as const

/** Whether, and how, what is stored may answer. @param now milliseconds since 1970 */
function verdictOf(entry: Entry, { fields }: CacheExchange, policy: CachePolicy, now: number): Reuse {
  const isPlain = fields.cacheControl === undefined && fields.pragma === undefined
  return isPlain && now < entry.freshUntil ? FRESH : reuse(lifeOf(entry, policy), fields, policy, now)
}

/** The variant that a request selects. */
export function select(resource: Resource, exchange: CacheExchange): Entry | undefined {
  const { entries } = resource
  const [only] = entries
  if (entries.length === 1 && only !== undefined && only.stored.vary.length === 0) return only
  const { policy } = routeCacheOf(exchange)
  const stored = selectVariant(
    entries.map((entry) => entry.stored),
    exchange.fields.kept,
    policy,
  )
  return stored === undefined ? undefined : entries.find((entry) => entry.stored === stored)
}

/** What Cache-Status says of a hit. */
export function statusOf({ key, freshUntil }: Entry, { details }: CachePolicy, now: number): string {
  return hitStatus(Math.floor((freshUntil - now) / 1000), details ? key : undefined)
}
