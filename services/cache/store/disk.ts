import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { CacheDiskReply } from '../../../workers/protocol.ts'
import type { StoredResponse } from '../stored.ts'
import { CODEC_VERSION } from './codec.ts'
import { DiskLife } from './disk-life.ts'
import { isStorableKey, purgeOf } from './disk-messages.ts'
import { DiskPurges } from './disk-purges.ts'
import { DiskReads, TICK_MS } from './disk-reads.ts'
import { type StartDiskThread, startDiskThread } from './disk-thread.ts'
import { DiskWrites } from './disk-writes.ts'
import type { Selector } from './selector.ts'
import { PURGE_WAIT_MS, type Tier, type TierFound, type TierStats } from './tier.ts'

export interface DiskTierOptions {
  /** Absolute; made where it is missing. */
  folder: string
  maxBytes: number
  /** Responses under one key; default 50. */
  maxVariants?: number
  log: Record<'info' | 'warn', (details: object, message: string) => void>
  /** Milliseconds since 1970: the clock of purges and lifetimes. */
  now?: () => number
  /** Milliseconds that only grow: the clock of waiting. */
  clock?: () => number
  /** `manual`: no timers, who made it calls {@link DiskTier.tick} and {@link DiskTier.watch}. Default `automatic`. */
  timers?: 'automatic' | 'manual'
  start?: StartDiskThread
}

/** Of the tables in workers/cache-disk/database.ts: to be raised with every change to them. */
const TABLES_VERSION = 1
/** How often it is seen to that the thread runs, and (every fifth time) that the file is tidy. */
const WATCH_MS = 200
const TIDY_MS = 1_000

const NOTHING = Promise.resolve<readonly TierFound[]>([])

/**
 * The second tier on this machine's disk: a SQLite file in WAL mode that the processes of a gateway share. A thread of
 * each process owns the connections, since SQLite's calls block (workers/cache-disk.ts). Here is what is asked of it, and
 * sent at the end of each turn of the event loop; {@link DiskLife} keeps it running.
 *
 * While the thread is away the tier is. Purges that it has not acknowledged are kept, hold for reads of this process at
 * once, and are told to the next thread.
 */
export class DiskTier implements Tier {
  /** Settled once it can be read from, or has failed for the first time. */
  readonly ready: Promise<void>
  readonly #file: string
  readonly #log: DiskTierOptions['log']
  readonly #now: () => number
  readonly #clock: () => number
  readonly #hasTimers: boolean
  readonly #life: DiskLife
  readonly #reads: DiskReads
  readonly #writes: DiskWrites
  readonly #purges = new DiskPurges(PURGE_WAIT_MS)
  readonly #watch: NodeJS.Timeout | undefined
  #tick: NodeJS.Timeout | undefined
  #purgeIds = 0
  #skipped = 0
  #flushing = false
  #tidiedAt = 0
  #closed = false
  #size: { entries: number; bytes: number } | null = null

  constructor(options: DiskTierOptions) {
    const { folder, maxBytes, maxVariants = 50, log, now = Date.now, start = startDiskThread } = options
    this.#file = join(folder, `cache-v${CODEC_VERSION}.${TABLES_VERSION}.sqlite`)
    this.#log = log
    this.#now = now
    this.#clock = options.clock ?? (() => performance.now())
    this.#hasTimers = options.timers !== 'manual'
    const { promise, resolve: readied } = Promise.withResolvers<void>()
    this.ready = promise
    this.#life = new DiskLife({
      disk: { file: this.#file, version: TABLES_VERSION, maxBytes, maxVariants },
      log,
      now,
      clock: this.#clock,
      start,
      replied: (reply) => this.#replied(reply),
      up: () => {
        this.#tidy()
        readied()
      },
      away: (how) => {
        if (how === 'lost') this.#lost()
        this.#reads.abandon()
        readied()
      },
    })
    this.#reads = new DiskReads({
      purges: this.#purges,
      clock: this.#clock,
      inTime: () => this.#life.inTime(),
      late: (reason) => this.#life.late(reason),
    })
    this.#writes = new DiskWrites(maxBytes)
    if (this.#hasTimers) this.#watch = setInterval(this.watch, WATCH_MS).unref()
    this.#life.watch()
  }

  read(key: string): Promise<readonly TierFound[]> {
    const found = this.#life.isUp && isStorableKey(key) ? this.#reads.add(key) : undefined
    if (found === undefined) {
      this.#skipped++
      return NOTHING
    }
    if (this.#reads.isFull) this.#flush()
    else this.#flushSoon()
    return found
  }

  write(key: string, stored: StoredResponse, usableUntil: number): void {
    if (!this.#life.takesWrites) this.#writes.dropped++
    else if (this.#writes.add(key, stored, usableUntil)) this.#flushSoon()
  }

  purge(selector: Selector, mode: 'hard' | 'soft'): Promise<number> {
    if (this.#closed) return Promise.resolve(0)
    const purge = { id: ++this.#purgeIds, ...purgeOf(selector), mode, at: this.#now() }
    const done = this.#purges.add(purge, selector, this.#clock())
    this.#flushSoon()
    return done
  }

  get isAway(): boolean {
    return !this.#life.takesWrites
  }

  stats(): TierStats {
    const { reads, hits, failures, broken } = this.#reads
    const { writes, dropped, queued } = this.#writes
    return {
      name: 'disk',
      state: this.#life.isUp ? 'up' : 'away',
      reason: this.#life.reason,
      reads,
      hits,
      failures,
      skipped: this.#skipped,
      broken,
      writes,
      dropped,
      queued,
      purging: this.#purges.size,
      entries: this.#size?.entries ?? null,
      bytes: this.#size?.bytes ?? null,
    }
  }

  /**
   * Writes what is waiting, as far as that takes no longer than two seconds. Where a purge could not be noted the file
   * goes: what was purged must not be there for whoever opens it next.
   */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#flush()
    clearInterval(this.#tick)
    clearInterval(this.#watch)
    this.#reads.abandon()
    await this.#life.close()
    if (this.#purges.size > 0) this.#remove()
    this.#purges.settle()
  }

  /** Gives up on reads that have waited for long enough. Called by a timer while there are any. */
  tick = (): void => {
    this.#reads.expire()
    if (this.#reads.isWaiting) return
    clearInterval(this.#tick)
    this.#tick = undefined
  }

  /** Sees to it that the tier comes back, and is tidy. Called by a timer. */
  watch = (): void => {
    this.#purges.expire(this.#clock())
    this.#life.watch()
    if (this.#life.isUp && this.#clock() - this.#tidiedAt >= TIDY_MS) this.#tidy()
  }

  #replied(reply: CacheDiskReply): void {
    switch (reply.kind) {
      case 'found':
        this.#reads.answered(reply.id, reply.found)
        break
      case 'written':
        this.#writes.written(reply)
        break
      case 'purged':
        for (const { id, count } of reply.purges) this.#purges.done(id, count)
        break
      case 'size':
        this.#size = { entries: reply.entries, bytes: reply.bytes }
        break
      case 'opened':
      case 'full':
      case 'failed':
        // Not for this: see DiskLife and DiskThread.
        break
    }
  }

  /** The thread has ended: what it was sent and has not acknowledged is not done. */
  #lost(): void {
    this.#writes.lost()
    this.#purges.unsend()
  }

  #remove(): void {
    const file = this.#file
    try {
      for (const side of ['', '-wal', '-shm']) rmSync(`${file}${side}`, { force: true })
      this.#log.warn({ file }, 'The cache on disk is removed: a purge could not be noted in it')
    } catch (error) {
      this.#log.warn({ file, err: error }, 'A purge could not be noted in the cache on disk: remove the file')
    }
  }

  #tidy(): void {
    this.#tidiedAt = this.#clock()
    this.#life.thread?.post({ kind: 'tidy', now: this.#now() })
  }

  /** At the end of this turn of the event loop. */
  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  #flush(): void {
    const { thread } = this.#life
    if (thread === undefined) return
    const purges = this.#purges.unsent()
    if (purges.length > 0) thread.post({ kind: 'purge', purges })
    const asked = this.#reads.take()
    if (asked !== undefined) {
      thread.post({ kind: 'read', now: this.#now(), ...asked })
      if (this.#hasTimers) this.#tick ??= setInterval(this.tick, TICK_MS)
    }
    const written = this.#writes.take()
    if (written !== undefined) {
      const { transfer, ...sent } = written
      thread.post({ kind: 'write', now: this.#now(), ...sent }, transfer)
    }
  }
}
