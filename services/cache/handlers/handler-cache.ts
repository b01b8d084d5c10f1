import { answerStored } from '../answer.ts'
import { type CacheExchange, routeCacheOf } from '../context.ts'
import { NotCachedError } from '../errors.ts'
import { cacheKey } from '../key.ts'
import type { Readable } from '../invalidation.ts'
import { PassMemory } from '../pass-memory.ts'
import type { CachePolicy } from '../policy.ts'
import { select, statusOf } from '../response-cache.ts'
import { lifeOf } from '../retention.ts'
import type { ForwardReason } from '../rules/cache-status.ts'
import { isUnsafe } from '../rules/invalidation.ts'
import { forbidsStoring, reuse, usableOnFailure, wantsOnlyStored } from '../rules/reuse.ts'
import type { CacheStorage } from '../storage.ts'
import { SecondLook } from '../second-look.ts'
import { type Entry, type Resource, varyNames } from '../store/entry.ts'
import type { GatewayError } from '../../http/problem.ts'
import type { Answer, CollectedReply } from '../../downstream/collected-reply.ts'
import { HandlerFlights } from './handler-flights.ts'
import { type HandlerAnswer, HandlerRun, invalidateBy, type RunContext } from './handler-run.ts'

export type Found =
  /** Send this. */
  | { kind: 'answer'; answer: Answer }
  /** Nothing usable is stored, and the client wants nothing else. */
  | { kind: 'refused'; error: GatewayError }
  /** Run the handler, and say what it answered. */
  | { kind: 'run'; run: HandlerRun }

/** What is stored may answer; `over`: the origin has failed, and stale will do. */
type State = 'asked' | 'alone' | 'failed'

interface Look {
  key: string
  /** What is stored under it. */
  resource: Resource | undefined
  state: State
  /** How often it has waited for another's handler. */
  waited: number
}

/**
 * The cache before an application's own handlers: the rules of the HTTP cache (services/cache/rules), with a handler in
 * the place of an upstream. One request runs it, others for the same wait for what it stores. There is no background
 * refresh, since a handler belongs to a request: within `stale-while-revalidate` one client has the handler run, all
 * others are answered stale meanwhile.
 */
export class HandlerCache {
  readonly #context: RunContext
  readonly #flights: HandlerFlights
  readonly #passes = new PassMemory()
  /** Of the routes that read, one of all that write queries the same way. */
  readonly #policies = new Map<string, CachePolicy>()
  readonly #second: SecondLook

  constructor(options: CacheStorage & Pick<RunContext, 'invalidate' | 'now'>, flights = new HandlerFlights()) {
    const readable: Readable = {
      // Which route reads a path the framework alone could tell: a form too many purges nothing else.
      policiesAt: () => [...this.#policies.values()],
      find: (url) => options.store.byUrl(url),
    }
    this.#context = { ...options, passes: this.#passes, readable }
    this.#flights = flights
    this.#second = new SecondLook(options)
  }

  /** Handlers that others wait for, or could. */
  get running(): number {
    return this.#flights.size
  }

  /** Answers to GET are kept by this policy: what others change is found by how it writes queries. */
  add(policy: CachePolicy): void {
    this.#policies.set(JSON.stringify(policy.query), policy)
  }

  /** Whether anything is kept. */
  get isUsed(): boolean {
    return this.#policies.size > 0
  }

  /** A route without a cache has answered an unsafe request: what it changed may be stored by others. */
  changed(exchange: CacheExchange, { status, fields }: Pick<HandlerAnswer, 'status' | 'fields'>): void {
    const now = this.#context.now()
    invalidateBy(exchange, { status, fields, requestedAt: now, receivedAt: now }, this.#context)
  }

  /** Looks up a request, waiting for another's handler where that may answer it: for 10 s at most. */
  async look(exchange: CacheExchange): Promise<Found> {
    const { method } = exchange
    if (method !== 'GET' && method !== 'HEAD') {
      return this.#run(exchange, '', isUnsafe(method) ? 'mutation' : 'pass', { reason: 'method' })
    }
    const key = cacheKey(routeCacheOf(exchange).policy, exchange)
    let state: State = 'asked'
    let elsewhere = await this.#findElsewhere(exchange, key)
    // Given up twice, and it is no use to wait on.
    for (let waited = 0; ; waited++) {
      const resource = this.#context.store.get(key) ?? elsewhere
      const found = this.#lookUp(exchange, { key, resource, state: waited < 3 ? state : 'alone', waited })
      if (found !== 'wait') return found
      const { how, entry } = await this.#flights.wait(key)
      state = how === 'again' ? 'asked' : how
      elsewhere = entry === undefined ? undefined : { key, entries: [entry], vary: varyNames([entry]) }
    }
  }

  /** In the second tier, where memory has nothing that is fresh. */
  async #findElsewhere(exchange: CacheExchange, key: string): Promise<Resource | undefined> {
    const resource = this.#context.store.get(key)
    const entry = resource === undefined ? undefined : select(resource, exchange)
    const now = this.#context.now()
    if (!this.#second.isPossible || this.#flights.has(key) || this.#passes.has(key, now)) return undefined
    return entry !== undefined && now < entry.freshUntil ? undefined : await this.#second.find(exchange, key)
  }

  #lookUp(exchange: CacheExchange, { key, resource, state, waited }: Look): Found | 'wait' {
    const { policy } = routeCacheOf(exchange)
    const { fields } = exchange
    const entry = resource === undefined ? undefined : select(resource, exchange)
    if (entry === undefined) {
      if (wantsOnlyStored(fields, policy)) return refused(exchange)
      return this.#forward(exchange, key, { reason: resource === undefined ? 'uri-miss' : 'vary-miss', state })
    }
    const now = this.#context.now()
    const life = lifeOf(entry, policy)
    if (state === 'failed' && usableOnFailure(life, fields, policy, { failure: 'error', now })) {
      return this.#answer(exchange, entry, 'stale') ?? this.#pass(exchange, key)
    }
    const verdict = reuse(life, fields, policy, now)
    switch (verdict.kind) {
      case 'fresh':
        return this.#answer(exchange, entry, waited > 0 ? 'collapsed' : 'hit') ?? this.#pass(exchange, key)
      case 'stale':
        return this.#answer(exchange, entry, 'stale') ?? this.#pass(exchange, key)
      case 'stale-while-revalidate':
        if (this.#flights.has(key)) return this.#answer(exchange, entry, 'stale') ?? this.#pass(exchange, key)
        return this.#forward(exchange, key, { reason: 'stale', state, selected: entry, resource })
      case 'unavailable':
        return refused(exchange)
      case 'revalidate': {
        const reason = verdict.reason === 'stale' ? 'stale' : 'request'
        return this.#forward(exchange, key, { reason, state, selected: entry, resource })
      }
    }
  }

  #answer(exchange: CacheExchange, entry: Entry, result: 'hit' | 'stale' | 'collapsed'): Found | undefined {
    const now = this.#context.now()
    const { policy, counters } = routeCacheOf(exchange)
    if (answerStored(exchange, entry, statusOf(entry, policy, now), now) === 'unanswered') return undefined
    this.#context.store.touch(entry)
    counters.record(result)
    return { kind: 'answer', answer: (exchange.reply as CollectedReply).answer as Answer }
  }

  #forward(
    exchange: CacheExchange,
    key: string,
    how: { reason: ForwardReason; state: State; selected?: Entry; resource?: Resource | undefined },
  ): Found | 'wait' {
    const { policy } = routeCacheOf(exchange)
    const { fields, method } = exchange
    const unstorable =
      method === 'HEAD' ||
      fields.range !== undefined ||
      fields.ifMatch !== undefined ||
      fields.ifUnmodifiedSince !== undefined ||
      forbidsStoring(fields, policy)
    if (unstorable) return this.#run(exchange, key, 'pass', how)
    // Somebody who asked for a new answer does not get one that was asked for before.
    const alone =
      how.state !== 'asked' ||
      fields.cacheControl !== undefined ||
      fields.pragma !== undefined ||
      fields.authorization !== undefined ||
      this.#passes.has(key, this.#context.now())
    if (!alone && this.#flights.has(key)) return 'wait'
    const run = this.#run(exchange, key, 'store', how)
    if (!alone) run.run.ended = this.#flights.begin(key)
    return run
  }

  #pass(exchange: CacheExchange, key: string): Found {
    return this.#run(exchange, key, 'pass', { reason: 'request' })
  }

  #run(
    exchange: CacheExchange,
    key: string,
    purpose: HandlerRun['purpose'],
    { reason, selected }: { reason: ForwardReason; selected?: Entry },
  ): { kind: 'run'; run: HandlerRun } {
    return { kind: 'run', run: new HandlerRun(this.#context, exchange, { key, purpose, reason, selected }) }
  }
}

function refused(exchange: CacheExchange): Found {
  routeCacheOf(exchange).counters.record('miss')
  return { kind: 'refused', error: new NotCachedError() }
}
