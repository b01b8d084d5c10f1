import type { AccessScheme, Identity } from '../downstream/identity.ts'

const SCHEMES: readonly AccessScheme[] = ['key', 'jwt', 'oidc', 'basic', 'hmac', 'mtls', 'forward']

/** Callers that are told of; twice as many are counted one by one, and when they are more, the less active half is forgotten. */
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

/** What is kept of a caller. */
interface Known extends CallerCount {
  /** What it may have asked before, while nobody counted it: no more than this. */
  readonly before: number
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
  readonly #callers = new Map<string, Known>()
  /** The most that anybody had asked who was forgotten. */
  #forgotten = 0
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
      .toSorted((a, b) => asked(b) - asked(a))
      .slice(0, Math.min(limit, MOST_CALLERS))
      .map(({ id, scheme, allowed, denied, lastSeenAt }) => ({ id, scheme, allowed, denied, lastSeenAt }))
  }

  #caller(identity: Identity): CallerCount {
    const { id, scheme } = identity
    let known = this.#callers.get(id)
    if (known === undefined) {
      if (this.#callers.size >= 2 * MOST_CALLERS) this.#forgetHalf()
      known = { id, scheme, allowed: 0, denied: 0, lastSeenAt: 0, before: this.#forgotten }
      this.#callers.set(id, known)
    }
    known.lastSeenAt = this.#now()
    return known
  }

  /**
   * The least active. Who comes after them may be one of them, and stands where the most active of them stood, so that it is not
   * the next to go (Space-Saving, Metwally et al. 2005; half at a time, so that a request only adds to a number). Whoever has
   * asked more than a thousandth of all that was asked is never forgotten.
   */
  #forgetHalf(): void {
    const ranked = [...this.#callers.values()].toSorted((a, b) => b.before + asked(b) - (a.before + asked(a)))
    for (const one of ranked.slice(MOST_CALLERS)) {
      this.#callers.delete(one.id)
      this.#forgotten = Math.max(this.#forgotten, one.before + asked(one))
    }
  }
}

function asked({ allowed, denied }: CallerCount): number {
  return allowed + denied
}
