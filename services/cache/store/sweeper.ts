import type { Entry, Resource } from './entry.ts'

const SWEEP_EVERY_MS = 100
/** In one turn. A look at one costs some 50 ns: 10 µs in 100 ms, and 2,000 keys a second. */
const SWEEP_KEYS = 200
/** Between the beginnings of two rounds through all keys, at least. */
const SWEEP_ROUND_MS = 1_000

export interface SweeperParts {
  /** All that is there, gone through a few at a time while it changes. */
  resources: () => MapIterator<Resource>
  expired: (entry: Entry) => void
  isEmpty: () => boolean
  /** Milliseconds since 1970. */
  now: () => number
}

/** Finds expired entries. A timer calls it while there is something. */
export class Sweeper {
  readonly #parts: SweeperParts
  #timer: NodeJS.Timeout | undefined
  #sweptAt = 0
  #unswept: MapIterator<Resource> | undefined

  constructor(parts: SweeperParts) {
    this.#parts = parts
  }

  /** There is something. */
  start(): void {
    this.#timer ??= setInterval(this.sweep, SWEEP_EVERY_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#unswept = undefined
  }

  /** Looks at {@link SWEEP_KEYS} keys. */
  readonly sweep = (): void => {
    const { resources, expired, isEmpty } = this.#parts
    const now = this.#parts.now()
    if (this.#unswept === undefined) {
      if (Math.abs(now - this.#sweptAt) < SWEEP_ROUND_MS) return
      this.#sweptAt = now
      this.#unswept = resources()
    }
    for (let looked = 0; looked < SWEEP_KEYS; looked++) {
      const { value: resource } = this.#unswept.next()
      if (resource === undefined) {
        this.#unswept = undefined
        break
      }
      for (const entry of resource.entries) if (entry.usableUntil <= now) expired(entry)
    }
    if (isEmpty()) this.stop()
  }
}
