import { SteadyClock } from './clock.ts'
import { advance, paceOf, unitsLeft, waitFor } from './gcra.ts'
import { KeyTable } from './key-table.ts'

/** What @fastify/rate-limit takes for an answer. */
export interface CountedRequests {
  /** More than the route's `max`: the request is refused. */
  current: number
  /** Milliseconds until there is room for one more. */
  ttl: number
}

type Answered = (error: Error | null, result?: CountedRequests) => void

/** Of the plugin, and of a route: each path has its own buckets. */
interface StoreOptions {
  cache?: number
  routeInfo?: { method?: string | string[]; url?: string }
}

export interface CountingStore {
  incr(key: string, callback: Answered, timeWindow: number, max: number): void
  read(key: string, callback: Answered, timeWindow: number, max: number): void
  child(options: StoreOptions): CountingStore
}

const MOST_KEYS = 100_000

/**
 * A `store` for @fastify/rate-limit, which counts in fixed windows by itself: twice its `max` could pass about the end of
 * one. This is GCRA, with `max` as rate and burst: never more than `max` at once, and they come back evenly.
 *
 * `current` is what is used of `max`, and one more than that for who is refused; so `remaining` is right, and `ban`, which
 * counts refusals, has no effect. In this process alone.
 *
 * @returns the class that the plugin's `store` option takes
 */
export function countingStore(now?: () => number): new (options: StoreOptions) => CountingStore {
  return class GcraStore implements CountingStore {
    readonly #clock = new SteadyClock(now)
    readonly #table: KeyTable

    constructor({ cache = MOST_KEYS }: StoreOptions) {
      this.#table = new KeyTable({ maxKeys: cache })
    }

    incr(key: string, callback: Answered, timeWindow: number, max: number): void {
      callback(null, this.#count(key, { timeWindow, max, cost: 1 }))
    }

    read(key: string, callback: Answered, timeWindow: number, max: number): void {
      callback(null, this.#count(key, { timeWindow, max, cost: 0 }))
    }

    child(options: StoreOptions): CountingStore {
      return new GcraStore(options)
    }

    #count(key: string, { timeWindow, max, cost }: { timeWindow: number; max: number; cost: number }): CountedRequests {
      if (max === 0) return { current: 1, ttl: timeWindow }
      const pace = paceOf({ count: max, windowMs: Math.max(1, timeWindow) }, max)
      const at = this.#clock.now()
      const tat = this.#table.seek(String(key), at)
      const next = advance(pace, tat, at, cost)
      if (next < 0) return { current: max + 1, ttl: waitFor(pace, tat, at, cost) }
      if (cost > 0) this.#table.put(next)
      const left = unitsLeft(pace, next, at)
      return { current: max - left, ttl: waitFor(pace, next, at, Math.min(left + 1, max)) }
    }
  }
}
