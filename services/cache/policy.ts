import { createHash } from 'node:crypto'
import type { IdentityKey } from './identity-key.ts'
import type { CacheOptions, RouteCacheOptions } from './options.ts'
import { compileSend, type SendPolicy } from './rules/sending.ts'

/**
 * What the configuration makes of a route's `cache`: everything the rules need to know beyond the messages themselves.
 * Compiled at boot; times in seconds, as in the protocol.
 */
export interface CachePolicy {
  /**
   * `rfc`: all that RFC 9111 allows a shared cache, by the letter. `secure`: the same, less what has leaked data in practice
   * (docs/caching.md lists the differences): Set-Cookie is never stored, for one.
   */
  profile: 'secure' | 'rfc'
  /** Lifetime where the origin gives no explicit one, before the heuristic; `null` for the origin's rules alone. */
  ttl: number | null
  /** `false`: `ttl` wins over what the origin says of freshness (never over no-store, private and Authorization). */
  respectOrigin: boolean
  /** Used where the origin gives none; `null`: only what the origin gives (RFC 5861). */
  staleWhileRevalidate: number | null
  staleIfError: number | null
  /** Statuses that may be stored; `null` for those of the RFC. */
  statuses: ReadonlySet<number> | null
  /** Lifetime of 404, 405, 410, 414, 501 and of 5xx named in `statuses`, where the origin gives none; `null`: as others. */
  negativeTtl: number | null
  maxEntryBytes: number
  /** Added to every entry of the route. */
  tags: readonly string[]
  /** Tags that a successful unsafe request of the route purges. */
  invalidates: readonly string[]
  /** What a client's Cache-Control and Pragma may do: `ignore` for nothing. */
  clientDirectives: 'honour' | 'ignore'
  /** POST answers with a same-URI Content-Location are stored for GET (RFC 9110 §9.3.3). */
  post: boolean
  /** QUERY answers are stored, keyed by the request's content (RFC 10008). */
  queries: boolean
  /** Refuses to store what an extension in the path and the Content-Type disagree on (web cache deception). */
  guard: boolean
  /** What goes into the key beyond method class, scheme, host, path and query; names in lower case. */
  varyBy: { headers: readonly string[]; cookies: readonly string[] }
  /** What of the caller goes into the key; `null`: nothing, for nobody is asked, or all get the same. */
  identity: IdentityKey | null
  /** Parameters left out of the key (`utm_*`), and whether the rest is sorted. */
  query: { ignore: readonly string[]; sort: boolean }
  /** Languages that the origin can answer, for normalising Accept-Language; `null`: as sent. */
  languages: readonly string[] | null
  /** What clients are told in place of what the origin says; `null`: what it says. */
  send: SendPolicy | null
  /** Cache-Status has the key, and why an answer is not stored (RFC 9211 §2.7, §2.8). */
  details: boolean
  /** Part of every key: changes with whatever guards the route or shapes what is stored. */
  fingerprint: string
}

/**
 * All of it goes into the fingerprint, so that no reload serves what other rules have stored: `send` too, for what clients
 * are told is made once, when an answer is stored.
 *
 * @param shape what else decides about stored answers of the route: its upstream, how the path is rewritten, what guards it
 * @param isGuarded callers are told apart, and what is stored for one is not for another
 * @param claims of the caller that shape answers of the route
 */
export function compilePolicy(
  route: RouteCacheOptions,
  shared: CacheOptions,
  { shape, isGuarded, claims = [] }: { shape: unknown; isGuarded: boolean; claims?: readonly string[] },
): CachePolicy {
  const { details, ...stored } = route
  const { send, methods, maxEntryBytes, statuses, profile, ...same } = stored
  return {
    ...same,
    profile: profile ?? shared.profile,
    maxEntryBytes: maxEntryBytes ?? shared.maxEntryBytes,
    statuses: statuses === null ? null : new Set(statuses),
    identity: identityKey(route, isGuarded, claims),
    post: methods.includes('POST'),
    queries: methods.includes('QUERY'),
    send: compileSend(send, route.varyBy),
    details,
    fingerprint: createHash('sha256')
      .update(JSON.stringify([stored, shared.profile, shape, isGuarded]))
      .digest('base64url')
      .slice(0, 8),
  }
}

function identityKey(
  { varyBy }: RouteCacheOptions,
  isGuarded: boolean,
  shaping: readonly string[],
): IdentityKey | null {
  const { consumer } = varyBy
  const claims = isGuarded ? [...new Set([...varyBy.claims, ...shaping])].toSorted() : varyBy.claims
  return isGuarded || consumer || claims.length > 0 ? { whole: isGuarded, consumer, claims } : null
}
