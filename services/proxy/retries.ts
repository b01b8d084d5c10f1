import type { Exchange } from '../downstream/exchange.ts'
import type { RequestBody } from '../downstream/request-body.ts'
import type { RetryCause, RetryOptions } from '../upstream/retry/options.ts'
import type { BalancedRequest } from '../upstream/balance/balancer.ts'
import type { Outcome } from '../upstream/snapshot.ts'
import type { Target } from '../upstream/target.ts'
import type { Upstream } from '../upstream/upstream.ts'

/** Methods whose repetition does no harm (RFC 9110 §9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY'])

export const isIdempotent = (method: string): boolean => IDEMPOTENT.has(method)

/** However often it doubles. */
const LONGEST_BACKOFF_MS = 2_000

/** What of an attempt's end a retry may be for; `undefined` for ends that none is for. */
export function causeOf(outcome: Outcome): RetryCause | undefined {
  switch (outcome) {
    case 'connect_error':
    case 'connect_timeout':
    // Another target has ports of its own, or a connection that is open.
    case 'out_of_resources':
      return 'connect'
    case 'reset':
      return 'reset'
    case 'first_byte_timeout':
      return 'timeout'
    case 'response':
      return 'status'
    default:
      return undefined
  }
}

/**
 * Whether a request may be sent again for this. Where nothing was sent, any may whose body nobody has begun to take; else what
 * has no body and may be repeated.
 */
export function mayRepeat(cause: RetryCause, { reply, method }: Exchange, body: RequestBody | null): boolean {
  if (reply.gone) return false
  if (cause === 'connect') return body === null || !body.touched
  return body === null && isIdempotent(method)
}

/** Where a request goes next, and when. */
export interface NextAttempt {
  target: Target
  /** Milliseconds from now; 0: at once. */
  waitMs: number
}

interface Question {
  request: BalancedRequest
  until: number
}

/** The further attempts of one request, made when the first has failed. */
export class Retries {
  readonly #options: RetryOptions
  readonly #upstream: Upstream
  readonly #tried: Target[] = []

  constructor(options: RetryOptions, upstream: Upstream) {
    this.#options = options
    this.#upstream = upstream
  }

  /**
   * The next attempt after one at `failed`: at another target where there is one, within the budget of the upstream.
   * `undefined`: there is none.
   *
   * @param until when it has to begin at the latest, on the clock of `performance.now()`
   */
  next(failed: Target, cause: RetryCause, { request, until }: Question): NextAttempt | undefined {
    const { attempts, sameTarget } = this.#options
    this.#tried.push(failed)
    if (this.#tried.length >= attempts) return undefined
    const other = this.#upstream.pickNext(request, this.#tried)
    const target = other ?? (sameTarget ? this.#upstream.pickOther(request, []) : undefined)
    // Nothing was sent, and another target knows nothing of it.
    const waitMs = cause === 'connect' && other !== undefined ? 0 : this.#backoff()
    const now = performance.now()
    if (target === undefined || now + waitMs >= until) return undefined
    if (!this.#upstream.budget.spend(now)) {
      failed.retriesDenied++
      return undefined
    }
    failed.retries[cause]++
    return { target, waitMs }
  }

  #backoff(): number {
    const ms = Math.min(this.#options.backoffMs * 2 ** (this.#tried.length - 1), LONGEST_BACKOFF_MS)
    return this.#upstream.jitter(ms)
  }
}
