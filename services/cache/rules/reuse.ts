import type { CachePolicy } from '../policy.ts'
import { parseCacheControl, type CacheControl } from './cache-control.ts'
import type { Lifespan } from './lifespan.ts'
import type { RequestConditions } from './message.ts'

/**
 * What a stored response is good for:
 * `fresh`: answer with it. `stale-while-revalidate`: answer with it and refresh it behind. `stale`: answer with it, the
 * client said `max-stale`. `unavailable`: answer 504, the client said `only-if-cached` (RFC 9111 §5.2.1.7).
 * `revalidate`: ask the origin, because it is stale, because the request wants it, or because the origin does
 * (`no-cache`); if that fails, {@link usableOnFailure} says whether it still serves.
 */
export type Reuse =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'stale-while-revalidate' }
  | { readonly kind: 'stale' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'revalidate'; readonly reason: 'stale' | 'request' | 'no-cache' }

// One object for each answer: a hit allocates nothing.
const FRESH: Reuse = Object.freeze({ kind: 'fresh' })
const STALE_WHILE_REVALIDATE: Reuse = Object.freeze({ kind: 'stale-while-revalidate' })
const STALE: Reuse = Object.freeze({ kind: 'stale' })
const UNAVAILABLE: Reuse = Object.freeze({ kind: 'unavailable' })
const REVALIDATE_STALE: Reuse = Object.freeze({ kind: 'revalidate', reason: 'stale' })
const REVALIDATE_REQUEST: Reuse = Object.freeze({ kind: 'revalidate', reason: 'request' })
const REVALIDATE_NO_CACHE: Reuse = Object.freeze({ kind: 'revalidate', reason: 'no-cache' })

/** RFC 9111 §4. Variant and conditions are matched elsewhere. */
export function reuse(life: Lifespan, request: RequestConditions, policy: CachePolicy, now: number): Reuse {
  if (request.cacheControl === undefined && request.pragma === undefined) {
    return now < life.freshUntil ? FRESH : withoutDirectives(life, now)
  }
  const wishes = requestDirectives(request, policy)
  if (wishes === null) return withoutDirectives(life, now)
  const decided = withDirectives(life, wishes, now)
  return wishes.onlyIfCached && decided.kind === 'revalidate' ? UNAVAILABLE : decided
}

/** A request that wants an answer from the store or none: 504 where nothing is stored (RFC 9111 §5.2.1.7). */
export function wantsOnlyStored(request: RequestConditions, policy: CachePolicy): boolean {
  if (request.cacheControl === undefined) return false
  return requestDirectives(request, policy)?.onlyIfCached === true
}

/** `no-store` of the request: the answer must not be stored; what is stored may still be used (RFC 9111 §5.2.1.5). */
export function forbidsStoring(request: RequestConditions, policy: CachePolicy): boolean {
  if (request.cacheControl === undefined) return false
  return requestDirectives(request, policy)?.noStore === true
}

/**
 * Whether a response that should have been validated may be used after all, now that the origin failed. Asked at the
 * time of the failure: a timeout may have outlasted the permission.
 *
 * @param failure `disconnected`: no answer at all, network error or timeout; `error`: 500, 502, 503 or 504
 */
export function usableOnFailure(
  life: Lifespan,
  request: RequestConditions,
  policy: CachePolicy,
  { failure, now }: { failure: 'disconnected' | 'error'; now: number },
): boolean {
  if (life.alwaysRevalidate) return false
  if (now < (failure === 'disconnected' ? life.staleIfDisconnectedUntil : life.staleIfErrorUntil)) return true
  if (life.mustRevalidate || request.cacheControl === undefined) return false
  const staleIfError = requestDirectives(request, policy)?.staleIfError ?? 0
  return now < life.staleAt + staleIfError * 1000
}

function withoutDirectives(life: Lifespan, now: number): Reuse {
  if (now < life.freshUntil) return FRESH
  if (life.alwaysRevalidate) return REVALIDATE_NO_CACHE
  return now < life.staleWhileRevalidateUntil ? STALE_WHILE_REVALIDATE : REVALIDATE_STALE
}

/** RFC 9111 §5.2.1. */
function withDirectives(life: Lifespan, wishes: CacheControl, now: number): Reuse {
  if (wishes.noCache) return REVALIDATE_REQUEST
  if (life.alwaysRevalidate) return REVALIDATE_NO_CACHE
  const fresh = now < life.freshUntil
  if (wishes.minFresh !== null && life.staleAt - now < wishes.minFresh * 1000) return REVALIDATE_REQUEST
  // A reload of something immutable asks for nothing new (RFC 8246 §2); no-cache does.
  if (wishes.maxAge !== null && !(fresh && life.immutable) && now - life.bornAt >= wishes.maxAge * 1000) {
    return fresh ? REVALIDATE_REQUEST : REVALIDATE_STALE
  }
  if (fresh) return FRESH
  // Who limits age or freshness wants nothing stale, unless max-stale says so.
  if (wishes.maxAge === null && now < life.staleWhileRevalidateUntil) return STALE_WHILE_REVALIDATE
  if (wishes.maxStale !== null && !life.mustRevalidate && now - life.staleAt <= wishes.maxStale * 1000) return STALE
  return REVALIDATE_STALE
}

/** `null` where the request asks for nothing, or the route does not listen. */
function requestDirectives(request: RequestConditions, policy: CachePolicy): CacheControl | null {
  if (policy.clientDirectives === 'ignore') return null
  if (request.cacheControl !== undefined) return parseCacheControl(request.cacheControl)
  // Pragma counts only where Cache-Control is missing (RFC 9111 §5.4).
  return request.pragma !== undefined && PRAGMA_NO_CACHE.test(request.pragma) ? parseCacheControl('no-cache') : null
}

const PRAGMA_NO_CACHE = /(?:^|,)\s*no-cache\s*(?:,|$)/i
