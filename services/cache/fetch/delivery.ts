import { serverTiming } from '../../downstream/server-timing.ts'
import type { GatewayError } from '../../http/problem.ts'
import { answerStored, preconditionOf, send } from '../answer.ts'
import { type CacheContext, type CacheExchange, routeCacheOf } from '../context.ts'
import { servesOnFailure } from '../failure.ts'
import { cacheKey } from '../key.ts'
import { passOn } from '../passing.ts'
import { lifeOf } from '../retention.ts'
import { ageAt } from '../rules/age.ts'
import { forwardStatus } from '../rules/cache-status.ts'
import { notModifiedFields } from '../rules/conditional.ts'
import { fieldValue, type FieldList, type ResponseHead } from '../rules/message.ts'
import { without } from '../rules/partial-content.ts'
import { isShareable } from '../rules/storable.ts'
import { matches } from '../rules/vary.ts'
import { knownVariation } from '../search-variations.ts'
import type { Entry } from '../store/entry.ts'
import { toldOfAnswer } from '../telling.ts'
import { ClientReader } from './client-reader.ts'
import type { Errand } from './errand.ts'
import type { Flight, Waiter } from './flight.ts'
import { isOutdatedFor } from './flight-table.ts'
import type { SharedBody } from './shared-body.ts'

/** Answers those who wait for a flight: each with what is for it. */
export class Delivery {
  readonly #context: CacheContext
  /** Whether anything is stored at all. */
  readonly #stores: boolean

  constructor(context: CacheContext) {
    this.#context = context
    this.#stores = context.tier !== null || context.store.isOn
  }

  /** With what comes from the origin, head and body. @returns `false` where that is not for this one */
  share(flight: Flight, waiter: Waiter): boolean {
    const { client, storable } = flight.errand
    const answer = flight.answer as ResponseHead
    // The others get no more of it than who asks later gets from the store.
    const isOwn = waiter.exchange === client || storable?.store !== true
    return this.#try(flight, waiter, isOwn ? answer : { ...answer, fields: storable.fields })
  }

  /**
   * The same, for one who came when the head was there already: as from the store, with its age. @returns `false`, too,
   * where it is not fresh any more
   */
  shareLate(flight: Flight, waiter: Waiter): boolean {
    const { storable } = flight.errand
    const now = this.#context.now()
    if (storable?.store !== true || now >= storable.lifespan.freshUntil) return false
    const { bornAt } = storable.lifespan
    const fields = [...without(storable.fields, AGE), 'age', String(ageAt(bornAt, now))]
    return this.#try(flight, waiter, { ...(flight.answer as ResponseHead), fields })
  }

  #try(flight: Flight, waiter: Waiter, head: ResponseHead): boolean {
    try {
      return this.#share(flight, waiter, head)
    } catch (error) {
      this.#context.origin.broke(waiter.exchange, error)
      return true
    }
  }

  /** @param head what this one gets of the answer's */
  #share(flight: Flight, waiter: Waiter, head: ResponseHead): boolean {
    const { exchange, collapsed } = waiter
    const { errand } = flight
    const { purges } = this.#context
    if (isOutdatedFor(waiter, errand, purges)) return false
    if (!mayHave(errand, exchange, { vary: errand.vary, fields: head.fields })) return false
    const precondition = preconditionOf(exchange, head)
    if (precondition === 'failed' && exchange !== errand.client) {
      // The origin's to decide, which has not been told of it yet.
      exchange.work = undefined
      passOn(this.#context, exchange, 'request')
      return true
    }
    const body = flight.body as SharedBody
    this.#book(flight, exchange)
    exchange.cacheResult = collapsed ? 'collapsed' : 'miss'
    exchange.cacheStatus = this.#status(flight, {
      collapsed,
      stored:
        this.#stores &&
        errand.storable?.store === true &&
        body.kept &&
        !purges.blocked(errand.mark, errand.key, errand.tags),
    })
    const own = ['cache-status', exchange.cacheStatus, 'x-request-id', exchange.requestId]
    if (this.#context.serverTiming) own.push('server-timing', serverTiming(exchange, performance.now()))
    exchange.status = head.status
    const fields = toldOfAnswer(
      exchange,
      { head, tags: errand.tags, storable: errand.storable },
      { own, now: this.#context.now() },
    )
    if (precondition === 'not-modified') {
      exchange.work = undefined
      exchange.about = fields
      const age = fieldValue(fields, 'age')
      send(exchange, 304, [...notModifiedFields(fields), ...(age === undefined ? [] : ['age', age]), ...own])
      this.#context.origin.finish(exchange)
      return true
    }
    const reader = this.#reader(flight, exchange, body)
    exchange.reply.head(head.status, [...fields, ...own], flight.length)
    reader.start()
    return true
  }

  #reader(flight: Flight, exchange: CacheExchange, body: SharedBody): ClientReader {
    const { origin, deadlines, sendTimeoutMs } = this.#context
    return new ClientReader({
      exchange,
      body,
      deadlines,
      sendTimeoutMs,
      done: () => {
        if (body.state === 'failed') exchange.code ||= flight.request.code
        origin.finish(exchange)
        flight.abandonIfUnwanted()
      },
      broke: (error) => origin.broke(exchange, error),
    })
  }

  /** With what is stored, which the origin says still holds, or which stands in for it. @returns those it is not for */
  answerStored(flight: Flight, waiters: readonly Waiter[]): Waiter[] {
    const { errand, answer } = flight
    const entry = errand.updated ?? (errand.selected as Entry)
    const validated = answer?.status === 304
    const others: Waiter[] = []
    this.each(waiters, (waiter) => {
      const { exchange, collapsed } = waiter
      if (isOutdatedFor(waiter, errand, this.#context.purges) || !mayHave(errand, exchange, entry.stored)) {
        others.push(waiter)
        return
      }
      exchange.cacheResult = validated ? (collapsed ? 'collapsed' : 'revalidated') : 'stale'
      this.#send(flight, waiter, exchange === errand.client ? (errand.own ?? entry) : entry)
    })
    return others
  }

  /** With what is stored where that may stand in, else with the error. */
  fail(flight: Flight, waiters: readonly Waiter[], error: GatewayError): void {
    const { selected } = flight.errand
    const { now, origin } = this.#context
    this.each(waiters, (waiter) => {
      const { exchange, collapsed } = waiter
      if (selected !== undefined && servesOnFailure(selected, exchange, { failure: 'disconnected', now: now() })) {
        exchange.cacheResult = 'stale'
        this.#send(flight, waiter, selected)
      } else {
        exchange.work = undefined
        this.#book(flight, exchange)
        exchange.cacheResult = collapsed ? 'collapsed' : 'miss'
        exchange.cacheStatus = this.#status(flight, { collapsed, stored: false })
        origin.refuse(exchange, error)
      }
    })
  }

  /** What the gateway itself fails on with one client ends that client's request: the others get their answers. */
  each(waiters: readonly Waiter[], act: (waiter: Waiter) => void): void {
    for (const waiter of waiters) {
      try {
        act(waiter)
      } catch (error) {
        this.#context.origin.broke(waiter.exchange, error)
      }
    }
  }

  #send(flight: Flight, { exchange, collapsed }: Waiter, entry: Entry): void {
    const { origin, now } = this.#context
    exchange.work = undefined
    this.#book(flight, exchange)
    const status = this.#status(flight, { collapsed, stored: flight.errand.isKept, entry })
    if (answerStored(exchange, entry, status, now()) === 'answered') origin.finish(exchange)
    else passOn(this.#context, exchange, 'request')
  }

  /** What the origin took is said of all who waited for it. */
  #book({ request }: Flight, exchange: CacheExchange): void {
    exchange.upstreamMs = request.upstreamMs
    exchange.outcome = request.outcome
  }

  #status({ errand, answer }: Flight, how: { collapsed: boolean; stored: boolean; entry?: Entry }): string {
    const { storable, client } = errand
    const { policy } = routeCacheOf(client)
    const life =
      how.entry === undefined ? (storable?.store === true ? storable.lifespan : undefined) : lifeOf(how.entry, policy)
    const staleAt = life?.staleAt
    return forwardStatus({
      reason: errand.reason,
      status: answer?.status,
      ttl: staleAt === undefined ? undefined : Math.floor((staleAt - this.#context.now()) / 1000),
      stored: how.stored,
      collapsed: how.collapsed,
      key: policy.details ? errand.key : undefined,
      detail: policy.details && storable?.store === false ? storable.reason : undefined,
    })
  }
}

const AGE: ReadonlySet<string> = new Set(['age'])

/** Whether the answer to one client's request answers another's. */
function mayHave(
  errand: Errand,
  exchange: CacheExchange,
  answer: { vary: readonly string[] | '*'; fields: FieldList },
): boolean {
  const { client, storable, variation } = errand
  if (exchange === client) return true
  if ((storable !== undefined && !isShareable(storable)) || answer.vary === '*') return false
  const { policy } = routeCacheOf(exchange)
  if (variation !== undefined && exchange.query !== client.query) {
    const now = knownVariation(answer.fields)
    if (cacheKey(policy, exchange, now) !== cacheKey(policy, client, now)) return false
  }
  return matches(answer.vary, exchange.fields.kept, policy)
}
