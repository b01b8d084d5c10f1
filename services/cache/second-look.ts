import type { Cancellable } from '../downstream/exchange.ts'
import { type CacheContext, type CacheExchange, routeCacheOf } from './context.ts'
import { keep, loose } from './keep.ts'
import type { CachePolicy } from './policy.ts'
import { timesOf } from './retention.ts'
import { freshnessOf } from './rules/freshness.ts'
import { lifespanOf } from './rules/lifespan.ts'
import type { Resource } from './store/entry.ts'
import { type Keeping, Promotion } from './store/promotion.ts'
import type { MemoryStore } from './store/memory.ts'

/** One of these is called, once. */
interface Told {
  found: (resource: Resource | undefined) => void
  left: () => void
  /** The gateway itself has failed on it. */
  broke: (error: unknown) => void
}

/**
 * Looks into the second tier for what memory has not, or not any more, before the origin is asked: for 50 ms at most, and
 * once for all who want the same.
 */
export class SecondLook {
  readonly #store: MemoryStore
  readonly #promotion: Promotion | undefined

  constructor({ store, tier, purges, now }: Pick<CacheContext, 'store' | 'tier' | 'purges' | 'now'>) {
    this.#store = store
    if (tier !== null) this.#promotion = new Promotion({ store, tier, purges, now })
  }

  /** Whether there is a second tier. */
  get isPossible(): boolean {
    return this.#promotion !== undefined
  }

  /** Calls back with what there is under a key now, in memory or not, or where the client has left meanwhile. */
  look(exchange: CacheExchange, key: string, told: Told): void {
    const looking = new Looking(told.left)
    exchange.work = looking
    this.find(exchange, key)
      .then((resource) => {
        if (looking.isOver) return
        looking.isOver = true
        exchange.work = undefined
        told.found(resource)
      })
      .catch((error: unknown) => told.broke(error))
  }

  /** The same, whoever waits for it. Never rejects. */
  async find(exchange: CacheExchange, key: string): Promise<Resource | undefined> {
    return await this.#promotion?.bring(key, keepingOf(this.#store, routeCacheOf(exchange).policy))
  }
}

/** A client that waits for it. */
class Looking implements Cancellable {
  isOver = false
  readonly #left: () => void

  constructor(left: () => void) {
    this.#left = left
  }

  cancel(): void {
    if (this.isOver) return
    this.isOver = true
    this.#left()
  }
}

function keepingOf(store: MemoryStore, policy: CachePolicy): Keeping {
  return {
    timesOf: (stored) => timesOf(stored, lifespanOf(stored, freshnessOf(stored, policy))),
    keep: (key, stored, times) =>
      keep(store, policy, { key, stored, times }) ?? loose(policy, { key, stored, times }, true),
  }
}
