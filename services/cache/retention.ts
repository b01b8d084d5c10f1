import type { CachePolicy } from './policy.ts'
import { freshnessOf } from './rules/freshness.ts'
import { type Lifespan, lifespanOf } from './rules/lifespan.ts'
import { isValidatable } from './rules/storable.ts'
import type { ResponseHead } from './rules/message.ts'
import type { Entry, EntryTimes } from './store/entry.ts'

/** How long something stale is kept to be validated, or for an origin that cannot be reached. */
const KEPT_STALE_MS = 86_400_000

/** An entry's times in memory. */
export function timesOf(head: ResponseHead, life: Lifespan): EntryTimes {
  return { bornAt: life.bornAt, freshUntil: life.freshUntil, usableUntil: usableUntil(head, life) }
}

/** The lifespan of an entry, worked out again. After a soft purge its lifetime ends where the purge came. */
export function lifeOf(entry: Entry, policy: CachePolicy): Lifespan {
  const life = lifespanOf(entry.stored, freshnessOf(entry.stored, policy))
  if (!entry.invalidated) return life
  const earlier = Math.max(0, life.staleAt - entry.freshUntil)
  return {
    ...life,
    staleAt: life.staleAt - earlier,
    freshUntil: 0,
    staleWhileRevalidateUntil: life.staleWhileRevalidateUntil - earlier,
    staleIfErrorUntil: life.staleIfErrorUntil - earlier,
    staleIfDisconnectedUntil: life.staleIfDisconnectedUntil - earlier,
  }
}

/** From when on a stored response is of no use to anybody: milliseconds since 1970. */
export function usableUntil(head: ResponseHead, life: Lifespan): number {
  const { staleAt, staleWhileRevalidateUntil, staleIfErrorUntil, staleIfDisconnectedUntil } = life
  const stale = Math.max(staleAt, staleWhileRevalidateUntil, staleIfErrorUntil)
  const forLater = isValidatable(head) || staleIfDisconnectedUntil > stale
  return forLater ? Math.max(stale, staleAt + KEPT_STALE_MS) : stale
}
