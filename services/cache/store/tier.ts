import type { StoredResponse } from '../stored.ts'
import type { Selector } from './selector.ts'

/** What a tier has done since the start, and how it does. Each read is a hit, a failure, or else a miss. */
export interface TierStats {
  name: 'disk' | 'redis'
  /** `away`: it fails or is too slow, and is not asked for a while. */
  state: 'up' | 'away'
  /** Why it is away, or is read and stores nothing: for people. */
  reason: string | null
  reads: number
  hits: number
  /** Reads that came too late or failed. */
  failures: number
  /** It was not asked: it is away, or too many wait for it. */
  skipped: number
  /** Responses that were found and could not be read: damaged, or not ours. */
  broken: number
  writes: number
  /** Writes that were given up: the queue or the disk was full, the tier away, or a purge came over what was to be written. */
  dropped: number
  /** Waiting to be written. */
  queued: number
  /** Purges that it has not taken yet: nothing that they cover is read from it here. */
  purging: number
  /** Stored now, where the tier knows. */
  entries: number | null
  bytes: number | null
}

/** A response that was found in a tier. */
export interface TierFound {
  stored: StoredResponse
  /** A soft purge came over it: stale whatever its times say, to be validated before use. */
  invalidated: boolean
}

/**
 * A second tier behind the memory of a process: shared by processes (disk) or machines (Redis), and there after a restart.
 * It may be slow or away at any time, and never makes a request wait for more than {@link TIER_WAIT_MS}.
 */
export interface Tier {
  /** It fails or is too slow, and takes nothing until it is back. Not while it starts, where that takes but a moment. */
  readonly isAway: boolean
  /** All variants stored under a key. Never rejects: what fails or takes too long is empty. */
  read(key: string): Promise<readonly TierFound[]>
  /**
   * Stores a response, in place of the same variant. Returns at once; the queue is bounded. `usableUntil`: milliseconds
   * since 1970, after which it may be dropped.
   */
  write(key: string, stored: StoredResponse, usableUntil: number): void
  /**
   * Drops what the selector covers; URLs are compared as `matcher` does. Nothing whose request was sent before this is called is read as good again: neither
   * what is stored, nor what is written later but was fetched before (`requestedAt`), by any process or machine. In this
   * process that holds at once, elsewhere when it resolves: with how many responses it covered. Never rejects. A tier that
   * is away gets it later, and until then the promise resolves with 0 after {@link PURGE_WAIT_MS}.
   */
  purge(selector: Selector, mode: 'hard' | 'soft'): Promise<number>
  stats(): TierStats
  close(): Promise<void>
}

/** How long a request waits for a tier. */
export const TIER_WAIT_MS = 50

/** How long a purge waits for a tier that does not answer. It stays in force, and is passed on as soon as that is possible. */
export const PURGE_WAIT_MS = 5_000
