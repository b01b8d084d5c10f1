import type { GatewayError } from '../../http/problem.ts'
import { holdsRange } from '../answer.ts'
import { type CacheContext, type CacheExchange, routeCacheOf } from '../context.ts'
import { cacheKey } from '../key.ts'
import { clientLeft, passOn } from '../passing.ts'
import { isForOrigin } from '../rules/conditional.ts'
import type { ResponseHead } from '../rules/message.ts'
import { validationOf, withoutRange, withoutWishes, withValidation } from '../rules/revalidation.ts'
import { forbidsStoring } from '../rules/reuse.ts'
import { isLeftToShare } from '../rules/storable.ts'
import type { SearchVariations } from '../search-variations.ts'
import type { Entry } from '../store/entry.ts'
import type { PurgeMark } from '../store/purge-log.ts'
import { completingOf, completionFields } from './completion.ts'
import { Delivery } from './delivery.ts'
import type { Lookup } from './errand.ts'
import { FillBudget } from './fill-budget.ts'
import { Filling } from './filling.ts'
import { Flight, type FlightOwner, type Verdict, type Waiter } from './flight.ts'
import {
  flightKeyOf,
  FlightTable,
  isOutdatedFor,
  joinableKeyOf,
  namesOf,
  NO_ENTRIES,
  variantNames,
} from './flight-table.ts'
import { isForOthers, Judge } from './judge.ts'
import { originRequest, withoutOverrides } from './origin-request.ts'
import { SharedBody } from './shared-body.ts'

/** How a request follows others that it could not be answered with. */
interface Detour {
  /** Request fields that the others' answers were chosen by: those who send the same go together. */
  names: readonly string[]
  rounds: number
}

const DIRECT: Detour = { names: [], rounds: 0 }
/** An origin that changes its Vary with each answer would send its clients from one flight to the next for ever. */
const MOST_ROUNDS = 2

/** How a flight begins. */
interface Departure extends Lookup {
  flightKey: string
  /** Nobody joins it. */
  alone: boolean
  /** Nobody has to be waiting. */
  background: boolean
  rounds: number
}

/**
 * Brings what is not stored, or no longer good: one request to the origin at a time for what is the same, its answer to
 * all who wait, and into the store. In this order: a flight is joined, or started and sent; the head is judged ({@link Judge}), those who wait are answered ({@link Delivery}), and what has come
 * whole is stored ({@link Filling}).
 */
export class Fetcher implements FlightOwner {
  readonly #context: CacheContext
  /** A quarter of what the store may hold. */
  readonly #budget: FillBudget
  readonly #flights: FlightTable
  readonly #filling: Filling
  readonly #judge: Judge
  readonly #delivery: Delivery

  /** @param variations what answers say of the query is learnt there */
  constructor(context: CacheContext, variations: SearchVariations) {
    this.#context = context
    this.#budget = new FillBudget(context.store.stats().maxBytes / 4)
    this.#flights = new FlightTable(context.purges)
    this.#filling = new Filling(context, variations)
    this.#judge = new Judge(context, this.#filling)
    this.#delivery = new Delivery(context)
  }

  /** Requests to the origin that are under way and may be joined. */
  get flights(): number {
    return this.#flights.size
  }

  /** Whether one is under way that whoever has nothing stored for this key may join. */
  isUnderWay(key: string): boolean {
    return this.#flights.find(key) !== undefined
  }

  /** Answers a client with what the origin says. */
  fetch(exchange: CacheExchange, lookup: Lookup, detour: Detour = DIRECT): void {
    const { key, stored = NO_ENTRIES } = lookup
    let names = variantNames(stored, detour.names)
    if (!wantsItsOwn(exchange)) {
      const joined = this.#flights.join(exchange, key, names)
      if (joined === 'joined') return
      names = joined
    }
    exchange.cacheResult = 'miss'
    const alone = isForNobodyElse(exchange)
    const flightKey = joinableKeyOf(key, names, exchange)
    const started = this.#start(exchange, { ...lookup, flightKey, alone, background: false, rounds: detour.rounds })
    started.join(exchange)
    this.#send(started)
  }

  /** Answers a client that wants a part with what the origin says to that: others are not asked to wait for it. */
  fetchPart(exchange: CacheExchange, { key, reason, variation, stored, part }: Lookup): void {
    exchange.cacheResult = 'miss'
    const how = { flightKey: key, alone: true, background: false, rounds: 0 }
    const flight = this.#start(exchange, { key, reason, variation, ...how })
    flight.errand.part = true
    // What is stored of it may be combined with the answer; the origin is not asked about it.
    flight.errand.stored = stored ?? NO_ENTRIES
    // It stands in where the origin fails.
    if (part !== undefined && holdsRange(exchange, part.stored)) flight.errand.selected = part
    flight.join(exchange)
    this.#send(flight)
  }

  /** Refreshes what is stored behind the clients' backs; one at a time. */
  refresh(exchange: CacheExchange, lookup: Lookup & { selected: Entry; stored: readonly Entry[] }): void {
    const { key, stored } = lookup
    // Of what this one brought nothing could be stored.
    if (forbidsStoring(exchange.fields, routeCacheOf(exchange).policy)) return
    if (exchange.fields.authorization !== undefined && !isLeftToShare(lookup.selected.stored.fields)) return
    const flightKey = flightKeyOf(key, variantNames(stored, []), exchange)
    if (this.#flights.find(flightKey) !== undefined) return
    this.#send(this.#start(exchange, { ...lookup, flightKey, alone: false, background: true, rounds: 0 }))
  }

  #start(client: CacheExchange, departure: Departure): Flight {
    const { key, flightKey, reason, selected, stored = NO_ENTRIES, variation, background, rounds } = departure
    const completing = completingOf(departure.part?.stored)
    const question =
      completing === undefined
        ? validationOf(
            stored.map((entry) => entry.stored),
            selected?.stored,
          )
        : undefined
    const flight = new Flight(this, {
      key: flightKey,
      requestedAt: this.#context.now(),
      background,
      errand: {
        client,
        key,
        reason,
        selected,
        question,
        stored,
        mark: this.#context.purges.mark(),
        variation,
        part: false,
        completing,
        rounds,
        storable: undefined,
        tags: selected?.stored.tags ?? routeCacheOf(client).policy.tags,
        vary: [],
        updated: undefined,
        own: undefined,
        isKept: false,
      },
    })
    if (!departure.alone) this.#flights.add(flight)
    return flight
  }

  #send(flight: Flight): void {
    this.#prepare(flight)
    this.#context.origin.fetch(flight.request)
  }

  #prepare(flight: Flight): void {
    const { client, question, part, completing, stored } = flight.errand
    const keyed = routeCacheOf(client).policy.varyBy.headers
    const own = withoutOverrides(client.fields.kept, keyed)
    const sent = flight.background ? withoutWishes(own, variantNames(stored, keyed)) : own
    const kept = withValidation(part ? sent : withoutRange(sent), question?.fields ?? [])
    if (completing !== undefined) kept.push(...completionFields(completing))
    flight.request = originRequest(client, kept, flight)
  }

  judge(flight: Flight, head: ResponseHead, length: number | null): Verdict {
    return this.#judge.verdict(flight, head, length)
  }

  createBody(limit: number): SharedBody {
    return new SharedBody(limit, this.#budget)
  }

  answerShared(flight: Flight, waiter: Waiter): boolean {
    return this.#delivery.share(flight, waiter)
  }

  answerLate(flight: Flight, waiter: Waiter): boolean {
    return this.#delivery.shareLate(flight, waiter)
  }

  answerStored(flight: Flight, waiters: readonly Waiter[]): void {
    const others = this.#delivery.answerStored(flight, waiters)
    if (others.length > 0) this.release(flight, others)
  }

  release(flight: Flight, waiters: readonly Waiter[]): void {
    const { errand } = flight
    const { vary, rounds, variation } = errand
    // Another variant of something shareable is worth asking for together; what is private is not.
    const together = isForOthers(errand) && rounds < MOST_ROUNDS
    this.#delivery.each(waiters, (waiter) => {
      const { exchange } = waiter
      exchange.work = undefined
      if (!together) {
        passOn(this.#context, exchange, 'miss')
        return
      }
      const detour = { names: namesOf(vary as readonly string[]), rounds: rounds + 1 }
      // Others than this query may have been taken for it, by what an earlier response said.
      const key = variation === undefined ? errand.key : cacheKey(routeCacheOf(exchange).policy, exchange)
      const reason = isOutdatedFor(waiter, errand, this.#context.purges) ? 'uri-miss' : 'vary-miss'
      this.fetch(exchange, { key, reason, stored: this.#filling.storedFor(key) }, detour)
    })
  }

  again({ errand, key: flightKey }: Flight, waiters: readonly Waiter[]): void {
    const { client, key, selected, reason, variation, rounds } = errand
    if (selected !== undefined) this.#filling.forget(selected)
    if (waiters.length === 0) return
    const alone = isForNobodyElse(client) || this.#flights.has(flightKey)
    const next = this.#start(client, { key, flightKey, reason, variation, alone, background: false, rounds })
    for (const { exchange } of waiters) next.join(exchange)
    this.#send(next)
  }

  fail(flight: Flight, waiters: readonly Waiter[], error: GatewayError): void {
    this.#delivery.fail(flight, waiters, error)
  }

  left({ exchange }: Waiter): void {
    clientLeft(this.#context.origin, exchange)
  }

  commit(flight: Flight, body: SharedBody): void {
    this.#filling.commit(flight, body)
  }

  landed(flight: Flight): void {
    this.#flights.remove(flight)
  }

  now(): number {
    return this.#context.now()
  }

  mark(): PurgeMark {
    return this.#context.purges.mark()
  }
}

/** Somebody who asked for a new answer does not get one that was asked for before. */
function wantsItsOwn(exchange: CacheExchange): boolean {
  const { fields } = exchange
  if (fields.authorization !== undefined) return true
  if (fields.cacheControl === undefined && fields.pragma === undefined) return false
  return routeCacheOf(exchange).policy.clientDirectives === 'honour'
}

/** Whether others are not to wait for it: the origin may refuse it for its precondition alone, and they would go one by one. */
function isForNobodyElse(exchange: CacheExchange): boolean {
  return wantsItsOwn(exchange) || isForOrigin(exchange.fields)
}
