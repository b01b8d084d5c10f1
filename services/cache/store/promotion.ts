import type { StoredResponse } from '../stored.ts'
import { type Entry, type EntryTimes, type Resource, sameVariant, varyNames } from './entry.ts'
import type { MemoryStore } from './memory.ts'
import type { PurgeLog, PurgeMark } from './purge-log.ts'
import type { Tier, TierFound } from './tier.ts'

export interface PromotionOptions {
  store: MemoryStore
  tier: Tier
  purges: PurgeLog
  /** Milliseconds since 1970. */
  now: () => number
}

/** What those who ask for a key know of what is stored under it: the same for all of them. */
export interface Keeping {
  /** Until when a response is good. */
  timesOf(stored: StoredResponse): EntryTimes
  /** Puts it into memory; where that takes nothing, an entry that is in no store. */
  keep(key: string, stored: StoredResponse, times: EntryTimes): Entry
}

/**
 * Brings what the second tier has under a key into memory; once for all who ask meanwhile. Where memory takes nothing, what
 * was found is in no store, and answers those who asked.
 */
export class Promotion {
  readonly #options: PromotionOptions
  readonly #reads = new Map<string, Promise<Resource | undefined>>()

  constructor(options: PromotionOptions) {
    this.#options = options
  }

  /** What is there now under the key, in memory or not: never what a purge covers that came while it was read. Never rejects. */
  bring(key: string, keeping: Keeping): Promise<Resource | undefined> {
    const known = this.#reads.get(key)
    if (known !== undefined) return known
    const { tier, purges } = this.#options
    const mark = purges.mark()
    const read = tier.read(key).then((found) => {
      this.#reads.delete(key)
      return this.#take(key, found, { mark, keeping })
    })
    this.#reads.set(key, read)
    return read
  }

  #take(
    key: string,
    found: readonly TierFound[],
    { mark, keeping }: { mark: PurgeMark; keeping: Keeping },
  ): Resource | undefined {
    const { store, purges, now } = this.#options
    const entries: Entry[] = []
    for (const { stored, invalidated } of found) {
      const times = keeping.timesOf(stored)
      if (times.usableUntil <= now() || purges.blocked(mark, key, stored.tags)) continue
      const entry = this.#inMemory(key, stored) ?? keeping.keep(key, stored, times)
      if (invalidated) {
        entry.invalidated = true
        entry.freshUntil = Math.min(entry.freshUntil, now())
      }
      entries.push(entry)
    }
    const resource = store.get(key)
    if (resource !== undefined || entries.length === 0) return resource
    return { key, entries, vary: varyNames(entries) }
  }

  /** The same variant, where memory has come to have it as new and as whole: the tier is written to behind everybody's back. */
  #inMemory(key: string, found: StoredResponse): Entry | undefined {
    return this.#options.store.get(key)?.entries.find(({ stored }) => {
      if (!sameVariant(stored.vary, found.vary) || stored.requestedAt < found.requestedAt) return false
      return stored.requestedAt > found.requestedAt || stored.part === null || stored.body.length >= found.body.length
    })
  }
}
