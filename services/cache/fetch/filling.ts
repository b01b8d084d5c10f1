import { type CacheContext, routeCacheOf } from '../context.ts'
import { keep } from '../keep.ts'
import { cacheKey, pathOf } from '../key.ts'
import { timesOf } from '../retention.ts'
import { combine } from '../rules/combine.ts'
import { freshnessOf } from '../rules/freshness.ts'
import { type Lifespan, lifespanOf } from '../rules/lifespan.ts'
import type { FieldList, ResponseHead } from '../rules/message.ts'
import { partOf, without } from '../rules/partial-content.ts'
import { knownVariation, type SearchVariations } from '../search-variations.ts'
import { type Entry, sameVariant } from '../store/entry.ts'
import { STRING_BODY_BYTES, type StoredResponse } from '../stored.ts'
import type { Errand } from './errand.ts'
import type { Flight } from './flight.ts'
import { NO_ENTRIES } from './flight-table.ts'
import type { SharedBody } from './shared-body.ts'

const LENGTH: ReadonlySet<string> = new Set(['content-length'])

/**
 * The way of what a flight brings into the stores, and of what it proves wrong out of them. Nothing that began before a
 * purge gets in after it.
 */
export class Filling {
  readonly #context: CacheContext
  readonly #variations: SearchVariations

  /** @param variations what answers say of the query is learnt there */
  constructor(context: CacheContext, variations: SearchVariations) {
    this.#context = context
    this.#variations = variations
  }

  /** In memory. */
  storedFor(key: string): readonly Entry[] {
    return this.#context.store.get(key)?.entries ?? NO_ENTRIES
  }

  /** Stores an answer that has come whole: of another length than declared, it ends with an error in every protocol. */
  commit({ errand, answer }: Flight, body: SharedBody): void {
    const { storable, tags, vary } = errand
    if (storable?.store !== true || vary === '*') return
    const { status, requestedAt, receivedAt } = answer as ResponseHead
    const part = storable.part ? partOf(storable.fields, body.length) : null
    if (part === undefined) return
    const stored: StoredResponse = {
      status,
      fields: storable.fields,
      requestedAt,
      receivedAt,
      body: body.length <= STRING_BODY_BYTES ? body.text() : body.bytes(),
      part,
      vary,
      tags,
    }
    if (part === null) this.put(errand, storable.lifespan, stored)
    else this.#putPart(errand, stored)
  }

  /** With what is stored of the same representation, if that is larger together (RFC 9111 §3.4). */
  #putPart(errand: Errand, newer: StoredResponse): void {
    const { policy } = routeCacheOf(errand.client)
    const inMemory = this.storedFor(this.#keyFor(errand, newer.fields))
    const known = inMemory.length > 0 ? inMemory : errand.stored
    const older = known.find(({ stored }) => sameVariant(stored.vary, newer.vary))
    const combined = (older !== undefined && combine(older.stored, newer)) || newer
    const kept = combined.body.length > policy.maxEntryBytes ? newer : combined
    // The framing is the reply's to write.
    const stored = { ...kept, fields: without(kept.fields, LENGTH), tags: newer.tags }
    this.put(errand, lifespanOf(stored, freshnessOf(stored, policy)), stored)
  }

  /** @returns `undefined` where a purge has come meanwhile, or it is too large */
  put(errand: Errand, life: Lifespan, stored: StoredResponse): Entry | undefined {
    const { store, purges, passes, tier } = this.#context
    const { client, mark, selected } = errand
    const { policy, counters } = routeCacheOf(client)
    const key = this.#keyFor(errand, stored.fields)
    if (purges.blocked(mark, key, stored.tags) || purges.blocked(mark, errand.key, stored.tags)) return undefined
    if (selected !== undefined && selected.key !== key) this.forget(selected)
    counters.stores++
    passes.forget(errand.key)
    const variation = knownVariation(stored.fields)
    if (variation !== undefined) this.#variations.learn(pathOf(policy, client), variation)
    const times = timesOf(stored, life)
    tier?.write(key, stored, times.usableUntil)
    const entry = keep(store, policy, { key, stored, times })
    errand.isKept = entry !== undefined || tier !== null
    return entry
  }

  /** Where an answer is stored: it says itself what of the query it is for. */
  #keyFor({ key, client, variation }: Errand, fields: FieldList): string {
    const told = knownVariation(fields)
    if (told?.text === variation?.text) return key
    return cacheKey(routeCacheOf(client).policy, client, told)
  }

  drop(key: string, stored: StoredResponse): void {
    const entry = this.storedFor(key).find((other) => other.stored === stored)
    if (entry !== undefined) this.#context.store.deleteEntry(entry)
    this.#dropBehind(key)
  }

  /** What must not be used again. */
  forget(entry: Entry): void {
    this.#context.store.deleteEntry(entry)
    this.#dropBehind(entry.key)
  }

  /** The second tier would bring it back. */
  #dropBehind(key: string): void {
    void this.#context.tier?.purge({ kind: 'key', key }, 'hard')
  }
}
