import { type CacheExchange, routeCacheOf } from '../context.ts'
import { varyOf } from '../rules/vary.ts'
import type { Entry } from '../store/entry.ts'
import type { PurgeLog } from '../store/purge-log.ts'
import type { Errand } from './errand.ts'
import type { Flight, Waiter } from './flight.ts'

/** The requests to the origin that are under way and may be joined: one at a time for what is the same. */
export class FlightTable {
  readonly #flights = new Map<string, Flight>()
  readonly #purges: PurgeLog

  constructor(purges: PurgeLog) {
    this.#purges = purges
  }

  get size(): number {
    return this.#flights.size
  }

  has(flightKey: string): boolean {
    return this.#flights.has(flightKey)
  }

  /** The flight that goes by this key, unless a purge has come since it was sent. */
  find(flightKey: string): Flight | undefined {
    const flight = this.#flights.get(flightKey)
    return flight === undefined || this.#isOutdated(flight) ? undefined : flight
  }

  add(flight: Flight): void {
    this.#flights.set(flight.key, flight)
  }

  remove(flight: Flight): void {
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key)
  }

  /**
   * Has a client wait for what others have asked for, where that may answer it.
   *
   * @param known request fields by which the answer is known to be chosen
   * @returns by which request fields to look for others instead
   */
  join(exchange: CacheExchange, key: string, known: readonly string[]): 'joined' | readonly string[] {
    let names = known
    for (let tries = 0; tries < 2; tries++) {
      const flight = this.find(joinableKeyOf(key, names, exchange))
      if (flight?.open !== true) break
      // Before it joins: what is there already may answer it at once.
      exchange.cacheResult = 'collapsed'
      if (flight.join(exchange)) return 'joined'
      const { vary } = flight.errand
      names = vary === '*' ? names : variantNames(NO_ENTRIES, [...names, ...namesOf(vary)])
    }
    return names
  }

  /** Whoever asks after a purge gets what is there after it. */
  #isOutdated({ errand: { mark, key, tags } }: Flight): boolean {
    return this.#purges.blocked(mark, key, tags)
  }
}

/**
 * Whether a waiter may have come after a purge that covers the answer: by which tags it is purged, its head has said.
 * Which of several purges was the first, nobody remembers: who came after any of them asks again.
 */
export function isOutdatedFor({ mark }: Waiter, errand: Errand, purges: PurgeLog): boolean {
  return mark !== errand.mark && purges.blocked(errand.mark, errand.key, errand.tags)
}

export const NO_ENTRIES: readonly Entry[] = []

/** Names in a list of names and values. */
export function namesOf(vary: readonly string[]): string[] {
  return vary.filter((_, i) => i % 2 === 0)
}

/** The request fields that choose among what is stored, and more of them: sorted. */
export function variantNames(stored: readonly Entry[], more: readonly string[]): readonly string[] {
  if (more.length === 0 && stored.every((entry) => entry.stored.vary.length === 0)) return more
  return [...new Set([...more, ...stored.flatMap((entry) => namesOf(entry.stored.vary))])].toSorted()
}

/** Requests that are the same: the key, and where variants are known, the request fields that choose among them. */
export function flightKeyOf(key: string, names: readonly string[], exchange: CacheExchange): string {
  if (names.length === 0) return key
  const { policy } = routeCacheOf(exchange)
  return `${key}\n\n${JSON.stringify(varyOf(['vary', names.join(', ')], exchange.fields.kept, policy))}`
}

/**
 * The same for those who may wait for each other. A request that has passed more gateways than another may be that very one,
 * come round by an upstream that leads back here: it would wait for itself.
 */
export function joinableKeyOf(key: string, names: readonly string[], exchange: CacheExchange): string {
  const flightKey = flightKeyOf(key, names, exchange)
  return exchange.passes === 0 ? flightKey : `${flightKey}\n\n\n${exchange.passes}`
}
