import type { Finding } from './finding.ts'

/**
 * What became of a request or an answer on a route that validates.
 *
 * - `valid`: it is as the document says
 * - `noted`: it is not, and has passed
 * - `refused`: it is not, and has not passed
 * - `unread`: nothing was said of its body: it is too large, coded, or of several parts (multipart)
 * - `unknown`: the document has no operation for it, or cannot be had
 */
export const VALIDATION_RESULTS = ['valid', 'noted', 'refused', 'unread', 'unknown'] as const
export type ValidationResult = (typeof VALIDATION_RESULTS)[number]
export type ValidationCounts = Record<ValidationResult, number>
export type ValidationSide = 'request' | 'response'

/** Messages that are not as a document says, all that are alike in one. */
export interface Disagreement {
  side: ValidationSide
  upstream: string
  /** `GET /vehicles/{id}` */
  operation: string
  /** Of answers; 0 of requests. */
  status: number
  in: Finding['in']
  /** Of a list, `*` stands for each place in it. */
  pointer: string
  message: string
  count: number
  /** Milliseconds since 1970. */
  firstSeen: number
  lastSeen: number
}

/** What differs, once a kind. */
export type Seen = Pick<Disagreement, 'side' | 'upstream' | 'operation' | 'status'>

/** Disagreements that are kept; further ones are counted only. */
const MOST = 1_000
/** Of one operation: one that says anything must not keep the others out. */
const MOST_OF_ONE = 50
/** How often the same is logged again. */
const LOG_AGAIN_MS = 600_000

/**
 * What validation has found: counters by route, and which messages disagree with their specification. Bounded: places in a
 * list are taken together, and what is beyond {@link MOST} is counted only.
 */
export class ValidationRecord {
  /** Disagreements for which there was no room. */
  dropped = 0
  readonly #routes = new Map<string, Record<ValidationSide, ValidationCounts>>()
  readonly #seen = new Map<string, Disagreement & { loggedAt: number }>()
  readonly #ofOne = new Map<string, number>()
  readonly #log: (told: Disagreement) => void
  readonly #now: () => number

  /** @param log told of a disagreement when it is first seen, and again every ten minutes while it goes on */
  constructor(log: (told: Disagreement) => void, now: () => number = Date.now) {
    this.#log = log
    this.#now = now
  }

  /** The counters of a route, made at the first call. */
  counts(route: string): Record<ValidationSide, ValidationCounts> {
    let known = this.#routes.get(route)
    if (known === undefined) this.#routes.set(route, (known = { request: zeros(), response: zeros() }))
    return known
  }

  routes(): ReadonlyMap<string, Record<ValidationSide, ValidationCounts>> {
    return this.#routes
  }

  /** Notes what is not as it should be in one message: what is alike in it counts once. */
  note(seen: Seen, findings: readonly Finding[]): void {
    const one = `${seen.side} ${seen.upstream} ${seen.operation}`
    const byKey = new Map<string, Finding>()
    for (const found of findings) {
      const pointer = found.pointer.replaceAll(/\/\d+(?=\/|$)/g, '/*')
      byKey.set(`${one} ${seen.status} ${found.in} ${pointer} ${found.message}`, { ...found, pointer })
    }
    for (const [key, found] of byKey) this.#noteKind(key, { seen, one, found })
  }

  #noteKind(key: string, { seen, one, found }: { seen: Seen; one: string; found: Finding }): void {
    const now = this.#now()
    let known = this.#seen.get(key)
    if (known === undefined) {
      const already = this.#ofOne.get(one) ?? 0
      if (this.#seen.size >= MOST || already >= MOST_OF_ONE) {
        this.dropped++
        return
      }
      this.#ofOne.set(one, already + 1)
      const { side, upstream, operation, status } = seen
      const what = { side, upstream, operation, status, ...found }
      this.#seen.set(key, (known = { ...what, count: 0, firstSeen: now, lastSeen: now, loggedAt: -Infinity }))
    }
    known.count++
    known.lastSeen = now
    if (now - known.loggedAt < LOG_AGAIN_MS) return
    known.loggedAt = now
    this.#log(known)
  }

  disagreements(): Disagreement[] {
    return [...this.#seen.values()].map(({ loggedAt: _logged, ...told }) => told)
  }
}

function zeros(): ValidationCounts {
  return { valid: 0, noted: 0, refused: 0, unread: 0, unknown: 0 }
}
