import type { OnPurge, PurgeSource, StopSource } from '../purge-source.ts'
import { CacheClosedError } from './errors.ts'
import type { ValuePurge } from './purge.ts'

/** The sources that tell of changes, until they are stopped. */
export class Followed {
  readonly #purge: (target: ValuePurge) => Promise<unknown>
  readonly #warn: (error: unknown, message: string) => void
  readonly #stops = new Set<StopSource>()
  #closed = false

  constructor(purge: (target: ValuePurge) => Promise<unknown>, warn: (error: unknown, message: string) => void) {
    this.#purge = purge
    this.#warn = warn
  }

  /** @throws HR_CACHE_CLOSED; what the source's `start` throws */
  async follow(source: PurgeSource): Promise<StopSource> {
    if (this.#closed) throw new CacheClosedError()
    let stopped = false
    const onPurge: OnPurge = (purge) => {
      if (stopped) return
      this.#purge(purge).catch((error: unknown) =>
        this.#warn(error, `The purge source '${source.name}' told of a change that cannot be purged`),
      )
    }
    const stopSource = await source.start(onPurge)
    const stop = async (): Promise<void> => {
      if (stopped) return
      stopped = true
      this.#stops.delete(stop)
      await stopSource()
    }
    this.#stops.add(stop)
    // It was closed while the source started.
    if (this.#closed) await stop()
    return stop
  }

  async close(): Promise<void> {
    this.#closed = true
    const stopped = await Promise.allSettled(Array.from(this.#stops, async (stop) => stop()))
    for (const result of stopped) {
      if (result.status === 'rejected') this.#warn(result.reason, 'A purge source failed to stop')
    }
  }
}
