import type { ValueCounters } from './counters.ts'
import { CacheClosedError, ValueTypeError } from './errors.ts'
import { type Make, Making } from './making.ts'
import type { ValuePolicy } from './options.ts'
import { bytesOf, toBytes } from './serialized.ts'
import type { ValueStore } from './value-store.ts'

/** A value that somebody asks for. */
export interface Wanted {
  /** As it was given, and as stores have it. */
  key: string
  kept: string
  make: Make<unknown>
  policy: ValuePolicy
  /** Something is stored, and no longer good. */
  replaces: boolean
}

export interface MakingsOptions {
  values: ValueStore
  counters: ValueCounters
  /** Told of what nobody waits for. */
  warn: (error: unknown, message: string) => void
  /** Milliseconds since 1970. */
  now: () => number
}

/** Values made anew at a time behind stale answers. With more, answers stay stale until one has its turn. */
const MOST_REFRESHES = 64

/** Makes values, each once for all who want it meanwhile, and stores them. */
export class Makings {
  readonly #options: MakingsOptions
  /** Those that who comes may join. */
  readonly #makings = new Map<string, Making>()
  /** Those that a purge has outdated too, and another has taken the place of. */
  readonly #underWay = new Set<Making>()
  #refreshing = 0
  #closed = false

  constructor(options: MakingsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#makings.size
  }

  /** Joins what is being made, or begins. @throws what the function throws, and what {@link Making} does */
  make(wanted: Wanted): Promise<Buffer> {
    const { counters } = this.#options
    const known = this.#joinable(wanted.kept)
    if (known === undefined) counters.misses++
    else counters.collapsed++
    return known ?? this.#begin(wanted, 'asked')
  }

  /** Makes a value anew that nobody waits for, unless it is being made, or another process has made it meanwhile. */
  refresh(wanted: Wanted): void {
    if (this.#refreshing >= MOST_REFRESHES || this.#closed || this.#joinable(wanted.kept) !== undefined) return
    const { counters, warn } = this.#options
    this.#refreshing++
    counters.refreshes++
    this.#begin(wanted, 'behind')
      .catch((error: unknown) => warn(error, `The value for '${wanted.key}' could not be made anew; it stays stale`))
      .finally(() => this.#refreshing--)
  }

  /** What is being made is of no use any more to those who come. */
  outdate(kept: string): void {
    const making = this.#makings.get(kept)
    if (making !== undefined) making.outdated = true
  }

  /** Ends the wait for what is being made; nothing is made afterwards. */
  close(): void {
    this.#closed = true
    for (const making of this.#underWay) making.close()
  }

  /** What is being made and would be good for a call that comes now: not what began before a purge. */
  #joinable(kept: string): Promise<Buffer> | undefined {
    const making = this.#makings.get(kept)
    return making === undefined || this.#isOutdated(making, kept) ? undefined : making.made
  }

  #isOutdated(making: Making, kept: string): boolean {
    return making.outdated || this.#options.values.isPurged(making.mark, kept, making.tags)
  }

  #begin(wanted: Wanted, how: 'asked' | 'behind'): Promise<Buffer> {
    if (this.#closed) return Promise.reject(new CacheClosedError())
    const { values, now } = this.#options
    const making = new Making({ mark: values.mark(), begunAt: now(), tags: wanted.policy.tags })
    this.#makings.set(wanted.kept, making)
    this.#underWay.add(making)
    making.made = this.#finish(making, wanted, how)
    return making.made
  }

  async #finish(making: Making, wanted: Wanted, how: 'asked' | 'behind'): Promise<Buffer> {
    const { key, kept, make, policy } = wanted
    const { counters, values, now } = this.#options
    try {
      const brought = how === 'behind' ? values.brought(kept) : undefined
      const there = brought === undefined ? undefined : await brought
      if (there !== undefined && now() < there.freshUntil) return bytesOf(there.stored)
      const value = await making.value(key, make, policy.timeoutMs)
      const bytes = serialized(key, value)
      if (this.#isOutdated(making, kept)) counters.outdated++
      else this.#store(making, wanted, { bytes, isNothing: value === null || value === undefined })
      return bytes
    } catch (error) {
      counters.failures++
      throw error
    } finally {
      this.#underWay.delete(making)
      if (this.#makings.get(kept) === making) this.#makings.delete(kept)
    }
  }

  #store({ begunAt }: Making, { kept, policy, replaces }: Wanted, made: { bytes: Buffer; isNothing: boolean }): void {
    const { counters, values } = this.#options
    const result = values.put(kept, { ...made, begunAt, replaces }, policy)
    if (result === 'stored') counters.stores++
    else if (result === 'oversized') counters.oversized++
  }
}

/** @throws HR_CACHE_VALUE_TYPE */
export function serialized(key: string, value: unknown): Buffer {
  try {
    return toBytes(value)
  } catch (cause) {
    throw Object.assign(new ValueTypeError(key, cause instanceof Error ? cause.message : String(cause)), { cause })
  }
}
