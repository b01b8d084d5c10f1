import type { CachePolicy } from '../policy.ts'
import { MAX_DELTA_SECONDS, type CacheControl } from './cache-control.ts'
import { parseHttpDate } from './http-date.ts'
import { fieldValue, type ResponseHead } from './message.ts'
import { HEURISTICALLY_CACHEABLE, NEGATIVE } from './status.ts'
import { effectiveDirectives, type EffectiveDirectives } from './targeted.ts'
import { dateOf, lastModifiedOf } from './validators.ts'

/** What a response that names no lifetime gets of its own age since the last change, and at most (RFC 9111 §4.2.2). */
const HEURISTIC_FRACTION = 0.1
const MAX_HEURISTIC_SECONDS = 86_400

/** Where a lifetime comes from, the strongest first; `none`: nobody gave one. */
export type FreshnessSource =
  | 'targeted'
  | 's-maxage'
  | 'max-age'
  | 'expires'
  | 'negative'
  | 'ttl'
  | 'heuristic'
  | 'none'

export interface Freshness {
  /** Seconds; 0 for stale from the start. */
  lifetime: number
  source: FreshnessSource
  /** Seconds after the lifetime; 0 for none, or where it is forbidden (RFC 5861 §3). */
  staleWhileRevalidate: number
  /** Seconds after the lifetime; `null` where neither origin nor policy says (RFC 5861 §4). 0 where it is forbidden. */
  staleIfError: number | null
  /**
   * Once stale not used without validation, whatever the client or the connection to the origin (RFC 9111 §5.2.2.2,
   * §5.2.2.8, §5.2.2.10).
   */
  mustRevalidate: boolean
  /** Never used without validation, fresh or not (RFC 9111 §5.2.2.4). */
  alwaysRevalidate: boolean
  /** RFC 8246: a reload need not ask while it is fresh. */
  immutable: boolean
}

/** How long a response is fresh and what may happen afterwards (RFC 9111 §4.2.1). `Pragma` in responses means nothing. */
export function freshnessOf(head: ResponseHead, policy: CachePolicy): Freshness {
  return freshnessFrom(effectiveDirectives(head.fields), head, policy)
}

/** {@link freshnessOf} for directives that are parsed already. */
export function freshnessFrom(effective: EffectiveDirectives, head: ResponseHead, policy: CachePolicy): Freshness {
  const { directives } = effective
  const configured = configuredLifetime(head.status, directives, policy)
  const overruled = !policy.respectOrigin && configured !== null
  const { lifetime, source } = overruled
    ? configured
    : (explicitLifetime(effective, head) ?? configured ?? heuristicLifetime(directives, head))
  return {
    lifetime,
    source,
    ...staleness(directives, policy, overruled),
    alwaysRevalidate: directives.noCache && !overruled,
    immutable: directives.immutable,
  }
}

/**
 * What may be used once it is stale. `s-maxage` means proxy-revalidate (RFC 9111 §5.2.2.10), and nothing stale is used
 * against it. An origin that says how long something may be stale beside it means that, though: no content network reads
 * it otherwise, and frameworks send it so (`s-maxage=10, stale-while-revalidate=59`). By the letter, profile `rfc`, it has
 * no effect. What forbids in so many words always does.
 */
function staleness(
  directives: CacheControl,
  policy: CachePolicy,
  overruled: boolean,
): Pick<Freshness, 'staleWhileRevalidate' | 'staleIfError' | 'mustRevalidate'> {
  const { staleWhileRevalidate, staleIfError, mustRevalidate, proxyRevalidate, sMaxage } = directives
  if (mustRevalidate || proxyRevalidate) return FORBIDDEN
  if (sMaxage !== null && !overruled) {
    if (policy.profile === 'rfc') return FORBIDDEN
    return { staleWhileRevalidate: staleWhileRevalidate ?? 0, staleIfError: staleIfError ?? 0, mustRevalidate: true }
  }
  return {
    staleWhileRevalidate: staleWhileRevalidate ?? policy.staleWhileRevalidate ?? 0,
    staleIfError: staleIfError ?? policy.staleIfError,
    mustRevalidate: false,
  }
}

const FORBIDDEN = { staleWhileRevalidate: 0, staleIfError: 0, mustRevalidate: true }

interface Lifetime {
  lifetime: number
  source: FreshnessSource
}

/** RFC 9111 §4.2.1, with a targeted field before all (RFC 9213 §2.2). */
function explicitLifetime({ directives, targeted }: EffectiveDirectives, head: ResponseHead): Lifetime | null {
  const { sMaxage, maxAge } = directives
  if (sMaxage !== null) return { lifetime: sMaxage, source: targeted ? 'targeted' : 's-maxage' }
  if (maxAge !== null) return { lifetime: maxAge, source: targeted ? 'targeted' : 'max-age' }
  const expires = targeted ? undefined : fieldValue(head.fields, 'expires')
  if (expires === undefined) return null
  // What is no date, "0" above all, means already expired; so do several lines (§5.3).
  const at = parseHttpDate(expires, head.receivedAt)
  const lifetime = at === undefined ? 0 : Math.floor((at - dateOf(head)) / 1000)
  return { lifetime: Math.min(Math.max(lifetime, 0), MAX_DELTA_SECONDS), source: 'expires' }
}

/** The policy's lifetime. It needs a status that may be stored unasked, or one that the policy or the origin allows. */
function configuredLifetime(status: number, directives: CacheControl, policy: CachePolicy): Lifetime | null {
  const named = policy.statuses?.has(status) === true
  if (!named && !directives.public && !HEURISTICALLY_CACHEABLE.has(status)) return null
  if (policy.negativeTtl !== null && (NEGATIVE.has(status) || (status >= 500 && named))) {
    return { lifetime: policy.negativeTtl, source: 'negative' }
  }
  return policy.ttl === null ? null : { lifetime: policy.ttl, source: 'ttl' }
}

/** RFC 9111 §4.2.2. */
function heuristicLifetime(directives: CacheControl, head: ResponseHead): Lifetime {
  const modifiedAt = lastModifiedOf(head)
  if (modifiedAt === undefined || !(directives.public || HEURISTICALLY_CACHEABLE.has(head.status))) return NONE
  const lifetime = Math.floor(((dateOf(head) - modifiedAt) / 1000) * HEURISTIC_FRACTION)
  return { lifetime: Math.min(Math.max(lifetime, 0), MAX_HEURISTIC_SECONDS), source: 'heuristic' }
}

const NONE: Lifetime = { lifetime: 0, source: 'none' }
