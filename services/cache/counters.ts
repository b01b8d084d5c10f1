import type { CacheResult } from '../downstream/exchange.ts'

/** What the cache has done on one route since the start: plain integers, read when someone asks. */
export class CacheCounters {
  /** Answered from the store, fresh. */
  hits = 0
  /** Answered from the store, stale: while it was refreshed, because the origin failed, or the client takes it. */
  stale = 0
  /** Answered from the store after the origin said that it still holds. */
  revalidated = 0
  /** Nothing usable was stored: sent to the origin, or answered 504 where the client wants nothing else. */
  misses = 0
  /** Answered by what another request brought. */
  collapsed = 0
  /** Sent to the origin by itself: the method, a body, a part, or a resource known as not shareable. */
  passes = 0
  /** Responses put into the store, new or in place of others. */
  stores = 0

  /** Counts a request that is over. Each is counted once, by what became of it in the end. */
  record(result: CacheResult | undefined): void {
    switch (result) {
      case 'hit':
        this.hits++
        break
      case 'stale':
        this.stale++
        break
      case 'revalidated':
        this.revalidated++
        break
      case 'miss':
        this.misses++
        break
      case 'collapsed':
        this.collapsed++
        break
      case 'pass':
        this.passes++
        break
      case undefined:
    }
  }
}
