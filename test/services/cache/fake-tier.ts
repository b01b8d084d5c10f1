import { sameVariant } from '../../../services/cache/store/entry.ts'
import { matcher, type Selector } from '../../../services/cache/store/selector.ts'
import type { Tier, TierFound, TierStats } from '../../../services/cache/store/tier.ts'
import type { StoredResponse } from '../../../services/cache/stored.ts'

/** A second tier in memory that keeps the promises of one, and that several caches may share. Its clock is the test's. */
export class FakeTier implements Tier {
  /** Keys that were asked for, in order. */
  readonly reads: string[] = []
  readonly purges: { selector: Selector; mode: 'hard' | 'soft' }[] = []
  /** Purges are taken, and answered, once it is back. */
  isAway = false
  readonly #now: () => number
  readonly #entries = new Map<string, (TierFound & { usableUntil: number })[]>()
  readonly #log: { at: number; covers: ReturnType<typeof matcher>; mode: 'hard' | 'soft' }[] = []
  #held: PromiseWithResolvers<void> | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  /** Reads wait from now on, until what is returned is called. */
  hold(): () => void {
    const held = Promise.withResolvers<void>()
    this.#held = held
    return () => {
      this.#held = undefined
      held.resolve()
    }
  }

  /** What is there, whoever may read it. */
  stored(key: string): StoredResponse[] {
    return (this.#entries.get(key) ?? []).map(({ stored }) => stored)
  }

  async read(key: string): Promise<readonly TierFound[]> {
    this.reads.push(key)
    const found = [...(this.#entries.get(key) ?? [])]
    await this.#held?.promise
    // As it comes from a thread: no Buffer among it.
    return structuredClone(found.filter(({ usableUntil }) => usableUntil > this.#now()))
  }

  write(key: string, stored: StoredResponse, usableUntil: number): void {
    let invalidated = false
    for (const { at, covers, mode } of this.#log) {
      if (stored.requestedAt > at || !covers(key, stored.tags)) continue
      if (mode === 'hard') return
      invalidated = true
    }
    const others = (this.#entries.get(key) ?? []).filter((entry) => !sameVariant(entry.stored.vary, stored.vary))
    this.#entries.set(key, [{ stored, usableUntil, invalidated }, ...others])
  }

  purge(selector: Selector, mode: 'hard' | 'soft'): Promise<number> {
    this.purges.push({ selector, mode })
    const covers = matcher(selector)
    this.#log.push({ at: this.#now(), covers, mode })
    let count = 0
    for (const [key, entries] of this.#entries) {
      const covered = entries.filter(({ stored }) => covers(key, stored.tags))
      count += covered.length
      for (const entry of covered) {
        if (mode === 'hard') entries.splice(entries.indexOf(entry), 1)
        else entry.invalidated = true
      }
    }
    return this.isAway ? new Promise(() => undefined) : Promise.resolve(count)
  }

  stats(): TierStats {
    throw new Error('not asked for')
  }

  async close(): Promise<void> {}
}
