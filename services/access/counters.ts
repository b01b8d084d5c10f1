import type { AccessScheme, Identity } from '../downstream/identity.ts'

const SCHEMES: readonly AccessScheme[] = ['key', 'jwt', 'oidc', 'basic', 'hmac', 'mtls', 'forward']

/** Callers that are counted one by one; for one more, the one that has been known longest gives way. */
const MOST_CALLERS = 1_000

/** What one caller has asked. */
export interface CallerCount {
  id: string
  scheme: AccessScheme
  allowed: number
  denied: number
  /** Milliseconds since 1970. */
  lastSeenAt: number
}

export interface DenialCount {
  step: string
  code: string
  count: number
}

export interface AccessCounts {
  allowed: { scheme: AccessScheme | 'anonymous'; count: number }[]
  denied: DenialCount[]
}

/** What gates have decided, and about whom. The way of a request adds to plain numbers. */
export class AccessCounters {
  readonly #allowed = new Map<AccessScheme, number>(SCHEMES.map((scheme) => [scheme, 0]))
  #anonymous = 0
  readonly #denied = new Map<string, DenialCount>()
  readonly #callers = new Map<string, CallerCount>()
  readonly #now: () => number

  /** @param now milliseconds since 1970 */
  constructor(now: () => number = Date.now) {
    this.#now = now
  }

  pass(identity: Identity): void {
    this.#allowed.set(identity.scheme, (this.#allowed.get(identity.scheme) ?? 0) + 1)
    this.#caller(identity).allowed++
  }

  passNobody(): void {
    this.#anonymous++
  }

  /** @param code of our own errors: there are only so many */
  deny(step: string, code: string, identity: Identity | undefined): void {
    const series = `${step} ${code}`
    const known = this.#denied.get(series)
    if (known === undefined) this.#denied.set(series, { step, code, count: 1 })
    else known.count++
    if (identity !== undefined) this.#caller(identity).denied++
  }

  counts(): AccessCounts {
    const allowed = [...this.#allowed].map(([scheme, count]) => ({ scheme, count }))
    return {
      allowed: [...allowed, { scheme: 'anonymous', count: this.#anonymous }],
      denied: [...this.#denied.values()].map((one) => ({ ...one })),
    }
  }

  /** The most active first. Goes through all: for people who ask. */
  callers(limit: number): CallerCount[] {
    return [...this.#callers.values()]
      .toSorted((a, b) => b.allowed + b.denied - (a.allowed + a.denied))
      .slice(0, limit)
      .map((one) => ({ ...one }))
  }

  #caller(identity: Identity): CallerCount {
    const { id, scheme } = identity
    let known = this.#callers.get(id)
    if (known === undefined) {
      if (this.#callers.size >= MOST_CALLERS) this.#forgetOne()
      known = { id, scheme, allowed: 0, denied: 0, lastSeenAt: 0 }
      this.#callers.set(id, known)
    }
    known.lastSeenAt = this.#now()
    return known
  }

  /** Whoever is active is back at once. */
  #forgetOne(): void {
    const [first] = this.#callers.keys()
    if (first !== undefined) this.#callers.delete(first)
  }
}
