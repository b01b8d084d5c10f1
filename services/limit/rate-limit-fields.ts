import { dress } from '../downstream/dressed-reply.ts'
import type { Exchange } from '../downstream/exchange.ts'
import type { Decision } from './decision.ts'
import type { Limit } from './limit.ts'

/**
 * A limit as an item of RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-11 §3.1): its quota, its window where it has
 * one of fixed length, its unit, and as a parameter of our own the burst where that is another number.
 */
function policyItem({ name, options, period }: Limit): string {
  const { rate, burst, measured } = options
  let item = `${quoted(name)};q=${rate.count}`
  if (measured === 'response-bytes') item += ';qu="content-bytes"'
  if (period === null) item += `;w=${Math.ceil(rate.windowMs / 1000)}`
  else if (period === 'day') item += ';w=86400'
  if (measured === 'upstream-ms') item += ';headrace-unit="upstream-ms"'
  return burst === rate.count ? item : `${item};headrace-burst=${burst}`
}

/** What is the same on every answer. */
export interface Items {
  /** As a string of structured fields. */
  name: string
  policy: string
}

export function itemsOf(limit: Limit): Items {
  return { name: quoted(limit.name), policy: policyItem(limit) }
}

/** A name as a string of structured fields (RFC 9651 §3.3.3): what that cannot hold is left out. */
function quoted(name: string): string {
  return `"${name.replaceAll(/[^ -~]/g, '').replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/** Whole seconds, up: whoever waits so long is not too early. */
export function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000))
}

/**
 * The RateLimit fields of one answer: what its client is told of its limits.
 *
 * `t` of RateLimit is the time in which no more than `r` can be used: until one unit more comes back, and of a refusal until
 * there is enough, which is what Retry-After says too (§4.1.2, §6).
 */
export class RateLimitFields {
  #policies = ''
  #states = ''
  #tightest: Limit | null = null
  #left = 0
  #waitMs = 0

  add(limit: Limit, { name, policy }: Items, { left, waitMs }: Decision): void {
    const { headers } = limit.options
    if (headers === 'none') return
    if (headers !== 'legacy') {
      const state = waitMs > 0 ? `${name};r=${left};t=${seconds(waitMs)}` : `${name};r=${left}`
      this.#policies = this.#policies === '' ? policy : `${this.#policies}, ${policy}`
      this.#states = this.#states === '' ? state : `${this.#states}, ${state}`
    }
    if (headers === 'draft' || (this.#tightest !== null && left >= this.#left)) return
    this.#tightest = limit
    this.#left = left
    this.#waitMs = waitMs
  }

  /** Puts them on the answer. */
  putOn(exchange: Exchange): void {
    if (this.#states !== '') {
      dress(exchange, 'ratelimit-policy', this.#policies)
      dress(exchange, 'ratelimit', this.#states)
    }
    if (this.#tightest === null) return
    // These have room for one limit.
    dress(exchange, 'x-ratelimit-limit', String(this.#tightest.options.rate.count))
    dress(exchange, 'x-ratelimit-remaining', String(this.#left))
    dress(exchange, 'x-ratelimit-reset', String(Math.ceil(this.#waitMs / 1000)))
  }
}
