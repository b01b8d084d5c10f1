import type { CacheDiskFound, CacheDiskKey } from '../../../workers/protocol.ts'
import type { StoredResponse } from '../stored.ts'
import { decode } from './codec.ts'
import type { DiskPurges } from './disk-purges.ts'
import { urlOf } from './selector.ts'
import { TIER_WAIT_MS, type TierFound } from './tier.ts'

export interface DiskReadsOptions {
  /** What the thread may not have been told of yet. */
  purges: Pick<DiskPurges, 'covering'>
  /** Milliseconds that only grow. */
  clock: () => number
  /** Told of each read that was answered in time. */
  inTime: () => void
  /** Told of each that was not. @param reason for people */
  late: (reason: string) => void
}

/** Reads of one turn of the event loop, or some of them. */
interface Batch {
  id: number
  askedAt: number
  readers: { key: string; resolve: (found: readonly TierFound[]) => void }[]
}

/** How often {@link DiskReads.expire} is called while there is something under way. */
export const TICK_MS = 10
/** Keys in one message: an answer comes only when all of it is read. */
const BATCH_KEYS = 32
const MAX_PENDING = 10_000

const NONE: readonly TierFound[] = []

/** Reads that wait for the thread: asked for together, answered one by one, and given up in time. */
export class DiskReads {
  readonly #options: DiskReadsOptions
  readonly #batches = new Map<number, Batch>()
  /** Of this turn. */
  #next: Batch | null = null
  #ids = 0
  #pending = 0
  #expiredAt = 0
  reads = 0
  hits = 0
  failures = 0
  broken = 0

  constructor(options: DiskReadsOptions) {
    this.#options = options
  }

  /** @returns `undefined` where too many wait already */
  add(key: string): Promise<readonly TierFound[]> | undefined {
    if (this.#pending >= MAX_PENDING) return undefined
    this.reads++
    this.#pending++
    this.#next ??= { id: ++this.#ids, askedAt: this.#options.clock(), readers: [] }
    const { readers } = this.#next
    return new Promise((resolve) => readers.push({ key, resolve }))
  }

  /** Whether one message holds no more than what has been added since the last {@link take}. */
  get isFull(): boolean {
    return this.#next !== null && this.#next.readers.length >= BATCH_KEYS
  }

  /** Whether {@link expire} has something to look at. */
  get isWaiting(): boolean {
    return this.#batches.size > 0
  }

  /** What has been added, to be asked for now; ids begin with 1. */
  take(): { id: number; keys: CacheDiskKey[] } | undefined {
    const batch = this.#next
    if (batch === null) return undefined
    this.#next = null
    if (!this.isWaiting) this.#expiredAt = this.#options.clock()
    this.#batches.set(batch.id, batch)
    return { id: batch.id, keys: batch.readers.map(({ key }) => ({ key, url: urlOf(key) })) }
  }

  /** @param found for each key, or `null` where the file was locked for too long */
  answered(id: number, found: readonly CacheDiskFound[][] | null): void {
    const batch = this.#batches.get(id)
    // It came too late.
    if (batch === undefined) return
    if (found === null) {
      this.#giveUp(batch)
      this.#options.late('the file was locked for too long')
      return
    }
    this.#options.inTime()
    this.#batches.delete(id)
    this.#pending -= batch.readers.length
    for (const [place, { key, resolve }] of batch.readers.entries()) {
      const list = this.#decoded(key, found[place] ?? [])
      if (list.length > 0) this.hits++
      resolve(list)
    }
  }

  /** Gives up on reads that have waited for long enough. */
  expire(): void {
    const now = this.#options.clock()
    const gap = now - this.#expiredAt
    this.#expiredAt = now
    // This thread itself was busy: what has been answered meanwhile is still to be looked at.
    if (gap > 3 * TICK_MS && gap < TIER_WAIT_MS * 3) return
    for (const batch of this.#batches.values()) {
      if (now - batch.askedAt < TIER_WAIT_MS - TICK_MS) break
      this.#giveUp(batch)
      this.#options.late(`no answer came within ${TIER_WAIT_MS} ms`)
    }
  }

  /** Gives up on all. */
  abandon(): void {
    if (this.#next !== null) this.#batches.set(this.#next.id, this.#next)
    this.#next = null
    for (const batch of this.#batches.values()) this.#giveUp(batch)
  }

  #decoded(key: string, found: readonly CacheDiskFound[]): readonly TierFound[] {
    if (found.length === 0) return NONE
    const list: TierFound[] = []
    for (const { value, invalidated } of found) {
      let stored: StoredResponse
      try {
        stored = decode(value)
      } catch {
        // Damaged on the disk: as if it were not there, until it is replaced.
        this.broken++
        continue
      }
      const purged = this.#options.purges.covering(key, stored)
      if (purged !== 'hard') list.push({ stored, invalidated: invalidated || purged === 'soft' })
    }
    return list
  }

  #giveUp(batch: Batch): void {
    this.#batches.delete(batch.id)
    this.#pending -= batch.readers.length
    this.failures += batch.readers.length
    for (const { resolve } of batch.readers) resolve(NONE)
  }
}
