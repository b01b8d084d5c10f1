import { bornAt } from './age.ts'
import type { Freshness } from './freshness.ts'
import type { ResponseHead } from './message.ts'

/**
 * When a stored response may be used for what: {@link Freshness} and age as points in time, so that a hit costs one
 * comparison. Milliseconds since 1970; made once, when the response is stored, validated or promoted.
 */
export interface Lifespan {
  /** Age is counted from here. */
  bornAt: number
  /** The end of the lifetime (RFC 9111 §4.2). */
  staleAt: number
  /** Used without asking before this: {@link staleAt}, or 0 where every use needs validation. */
  freshUntil: number
  /** Used at once before this, while it is refreshed behind the client's back (RFC 5861 §3). */
  staleWhileRevalidateUntil: number
  /** Used before this when the origin answers 500, 502, 503 or 504 (RFC 5861 §4). */
  staleIfErrorUntil: number
  /** Used before this when the origin cannot be reached (RFC 9111 §4.2.4). */
  staleIfDisconnectedUntil: number
  /** Once stale, no client's `max-stale` or `stale-if-error` releases it. */
  mustRevalidate: boolean
  alwaysRevalidate: boolean
  immutable: boolean
}

export function lifespanOf(head: ResponseHead, freshness: Freshness): Lifespan {
  const born = bornAt(head)
  const staleAt = born + freshness.lifetime * 1000
  const { mustRevalidate, alwaysRevalidate, staleIfError } = freshness
  const freshUntil = alwaysRevalidate ? 0 : staleAt
  const errorUntil = alwaysRevalidate || staleIfError === null ? freshUntil : staleAt + staleIfError * 1000
  return {
    bornAt: born,
    staleAt,
    freshUntil,
    staleWhileRevalidateUntil: alwaysRevalidate ? freshUntil : staleAt + freshness.staleWhileRevalidate * 1000,
    staleIfErrorUntil: errorUntil,
    // Disconnected, a cache may use what it has for as long as it has it, unless someone set a limit.
    staleIfDisconnectedUntil: alwaysRevalidate || staleIfError !== null ? errorUntil : Infinity,
    mustRevalidate,
    alwaysRevalidate,
    immutable: freshness.immutable,
  }
}
