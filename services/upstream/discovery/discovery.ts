import type { TargetOptions } from '../balance/options.ts'
import type { Clock } from '../clock.ts'
import { NoAddressError } from '../errors.ts'
import { httpOrigin } from '../prior-knowledge.ts'
import { addressSpec, at, priorityOf, type TargetSpec } from '../target-spec.ts'
import { isUsable, type Resolver, type ServiceRecord } from './resolver.ts'

export interface DiscoveryParts {
  resolver: Resolver
  clock: Clock
  /** The longest time between two looks. */
  refreshMs: number
  /** What the name leads to now: never nothing. */
  found: (specs: readonly TargetSpec[]) => void
  /** It could not be looked up. Called for the first of several failures in a row. */
  failed: (error: Error) => void
}

/** Between two looks, whatever the TTL says: a name server is no place to ask for each request. */
const SHORTEST_MS = 1_000
/** After a failure. */
const AGAIN_MS = 5_000
/** A weight of 0 means a very small share, where others have more (RFC 2782). */
const LEAST_WEIGHT = 0.01

/**
 * Looks a name up again and again, as often as its TTL says and at least each `refreshMs`. A failure, and an answer of
 * nothing, leave what was found before.
 */
export class Discovery {
  /** The first look is over, whatever came of it. */
  readonly ready: Promise<void>
  readonly target: TargetOptions
  /** Some look has brought something. */
  found = false
  /** Why the last look brought nothing; `null` where it did. */
  failure: { error: Error; at: number } | null = null
  readonly #parts: DiscoveryParts
  #callOff: (() => void) | undefined
  #closed = false

  constructor(target: TargetOptions, parts: DiscoveryParts) {
    this.target = target
    this.#parts = parts
    this.ready = this.#look()
  }

  close(): void {
    this.#closed = true
    this.#callOff?.()
  }

  async #look(): Promise<void> {
    const { clock, refreshMs, found, failed } = this.#parts
    let nextMs = Math.min(refreshMs, AGAIN_MS)
    try {
      const { specs, ttlMs } = await this.#resolve()
      if (this.#closed) return
      if (specs.length === 0) throw new NoAddressError(this.target.url)
      nextMs = Math.max(SHORTEST_MS, Math.min(ttlMs ?? refreshMs, refreshMs))
      this.failure = null
      this.found = true
      found(specs)
    } catch (error) {
      const isFirst = this.failure === null
      this.failure = { error: error as Error, at: Date.now() }
      if (isFirst && !this.#closed) failed(error as Error)
    }
    if (!this.#closed) this.#callOff = clock.after(nextMs, () => void this.#look())
  }

  async #resolve(): Promise<{ specs: TargetSpec[]; ttlMs: number | null }> {
    const { resolver } = this.#parts
    const { hostname } = new URL(httpOrigin(this.target.origin))
    if (this.target.via === 'srv') {
      const records = (await resolver.services(hostname)).filter(isUsable)
      return { specs: records.flatMap((record) => this.#serverSpecs(record)), ttlMs: null }
    }
    const { addresses, ttlMs } = await resolver.addresses(hostname)
    return { specs: addresses.map((address) => addressSpec(this.target, address)), ttlMs }
  }

  /** Where nobody says what its name leads to, that is looked up at each connection. */
  #serverSpecs({ name, port, weight, priority, addresses }: ServiceRecord): TargetSpec[] {
    const { origin, weight: share, backup } = this.target
    const url = `${new URL(origin).protocol}//${name.replace(/\.$/, '')}:${port}`
    const spec = {
      url,
      origin: url,
      address: null,
      weight: Math.max(weight, LEAST_WEIGHT) * share,
      priority: priority + priorityOf(backup),
    }
    if (addresses === undefined) return [spec]
    return addresses.map((address) => at(spec, address, spec.weight / addresses.length))
  }
}
