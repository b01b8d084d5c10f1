/** What a {@link ValueCache} has done since the start: plain integers, read when someone asks. */
export class ValueCounters {
  /** Answered from the store, fresh. */
  hits = 0
  /** Answered from the store, stale: while the value was made anew, or because that failed. */
  stale = 0
  /** Calls that had a value made. */
  misses = 0
  /** Calls that waited for a value which another call had made. */
  collapsed = 0
  /** Values made anew behind a stale answer. */
  refreshes = 0
  /** Functions that threw, or took too long. */
  failures = 0
  stores = 0
  /** Not stored: purged, set or deleted since the function began. */
  outdated = 0
  /** Not stored: larger than an entry may be. */
  oversized = 0
}
