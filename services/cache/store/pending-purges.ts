import { PurgeLog, type PurgeMark } from './purge-log.ts'
import type { Selector } from './selector.ts'

/** A purge that was asked for here and is not known to be applied everywhere. */
export interface PendingPurge {
  selector: Selector
  mode: 'hard' | 'soft'
  /** Before it. */
  mark: PurgeMark
  /** Told how many responses it covered. */
  settle: (covered: number) => void
}

/**
 * The purges that a shared store has not taken yet: nothing that they cover is read from it meanwhile. Bounded: too many
 * become one of everything.
 */
export class PendingPurges {
  readonly #log = new PurgeLog()
  readonly #purges = new Set<PendingPurge>()
  readonly #most: number

  constructor(options: { most?: number } = {}) {
    this.#most = options.most ?? 1_000
  }

  get size(): number {
    return this.#purges.size
  }

  /** In the order in which they were asked for; also those that are added meanwhile. */
  [Symbol.iterator](): IterableIterator<PendingPurge> {
    return this.#purges.values()
  }

  add(selector: Selector, mode: 'hard' | 'soft', settle: (covered: number) => void): PendingPurge {
    const oldest = this.#oldest()
    const mark = this.#log.mark()
    this.#log.record(selector)
    if (this.#purges.size >= this.#most) {
      for (const purge of this.#purges) purge.settle(0)
      this.#purges.clear()
      return this.#keep({ selector: { kind: 'all' }, mode: 'hard', mark: oldest, settle })
    }
    return this.#keep({ selector, mode, mark, settle })
  }

  /** It is applied: what is read from now on shows it. */
  delete(purge: PendingPurge): void {
    this.#purges.delete(purge)
  }

  /** Taken before something is read; what is found is checked with {@link blocked}. */
  mark(): PurgeMark {
    return this.#oldest()
  }

  blocked(mark: PurgeMark, key: string, tags: readonly string[]): boolean {
    return this.#log.blocked(mark, key, tags)
  }

  #keep(purge: PendingPurge): PendingPurge {
    this.#purges.add(purge)
    return purge
  }

  #oldest(): PurgeMark {
    const [oldest] = this.#purges
    return oldest?.mark ?? this.#log.mark()
  }
}
