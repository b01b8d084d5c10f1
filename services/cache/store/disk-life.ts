import { dirname } from 'node:path'
import type { CacheDiskOptions, CacheDiskReply } from '../../../workers/protocol.ts'
import { RestartPolicy } from '../../control/restart-policy.ts'
import { makeDataFolder, makeFolder } from '../../data-dir/folder.ts'
import type { DiskThread, StartDiskThread } from './disk-thread.ts'
import { FullLog } from './full-log.ts'
import { TIER_WAIT_MS } from './tier.ts'

export interface DiskLifeOptions {
  /** What the thread is started with. */
  disk: CacheDiskOptions
  log: Record<'info' | 'warn', (details: object, message: string) => void>
  /** Milliseconds since 1970, as the thread is told them. */
  now: () => number
  /** Milliseconds that only grow: the clock of waiting. */
  clock: () => number
  start: StartDiskThread
  /** Told of what the thread says, but for its start and how it does. */
  replied: (reply: CacheDiskReply) => void
  /** It can be asked: for the first time, or again. */
  up: () => void
  /** It is not to be asked any more. `lost`: nor will what it has been sent be done. */
  away: (how: 'slow' | 'lost') => void
}

/**
 * Reads that come too late or fail for so long, none in time between them, and the thread is left alone for a while. By
 * time and not by number: in one stall of 50 ms very many may come late.
 */
const LATE_MS = 200
/** A thread that says nothing for so long is ended. */
const STUCK_MS = 10_000
const CLOSE_WAIT_MS = 2_000
const ABSENCES = { firstMs: 200, longestMs: 60_000, stableMs: 60_000 }
/** Of the question how it does: it has no keys. Only one is under way at a time. */
const PROBE_ID = 0

const FULL_MESSAGES = {
  full: 'The disk is full: the cache on it is read, and stores nothing',
  again: 'The cache on disk stores again',
}

type State =
  /** The thread has been started. */
  | { kind: 'opening'; since: number; thread: DiskThread }
  | { kind: 'up'; since: number; thread: DiskThread }
  /** It was too slow; a probe tells when it no longer is. */
  | { kind: 'slow'; thread: DiskThread; probing: boolean; probeAt: number }
  /** It has been told to end. */
  | { kind: 'stopping'; thread: DiskThread }
  | { kind: 'down'; startAt: number }
  | { kind: 'closed' }

/**
 * Keeps a thread for the database running. Whatever fails ends the thread, and another is started after a while, longer
 * each time; one that does not keep up is left alone, and asked now and then how it does.
 */
export class DiskLife {
  readonly #options: DiskLifeOptions
  readonly #absences = new RestartPolicy(ABSENCES)
  #state: State = { kind: 'down', startAt: 0 }
  #reason: string | null = 'it is being opened'
  #hasBeenAway = false
  /** Why nothing is stored, though what is there is read. */
  #full: string | null = null
  readonly #fullLog: FullLog
  /** Since when nothing was in time. */
  #lateSince: number | null = null
  #closed: (() => void) | undefined

  /** Starts nothing yet: {@link watch} does. */
  constructor(options: DiskLifeOptions) {
    this.#options = options
    const { log, clock, disk } = options
    this.#fullLog = new FullLog({ log, clock, details: { file: disk.file }, messages: FULL_MESSAGES })
  }

  get isUp(): boolean {
    return this.#state.kind === 'up'
  }

  /** Why it is not, or stores nothing: for people. */
  get reason(): string | null {
    return this.#reason ?? this.#full
  }

  /** The thread, where it takes messages. */
  get thread(): DiskThread | undefined {
    const state = this.#state
    return state.kind === 'opening' || state.kind === 'up' || state.kind === 'slow' ? state.thread : undefined
  }

  /** Whether what is sent now may be stored: also before the file is open, but not where the thread is behind. */
  get takesWrites(): boolean {
    return this.#state.kind === 'up' || this.#state.kind === 'opening'
  }

  /** Sees to it that the thread runs. Called now and then. */
  watch(): void {
    const state = this.#state
    const now = this.#options.clock()
    if (state.kind === 'down' && now >= state.startAt) this.#open()
    else if (state.kind === 'opening' && now - state.since >= STUCK_MS) this.#stop(state.thread, 'it cannot be opened')
    else if (state.kind === 'slow') this.#probe(state, now)
  }

  /** Something was answered in time. */
  inTime(): void {
    this.#lateSince = null
  }

  /** Something was not. */
  late(reason: string): void {
    const now = this.#options.clock()
    this.#lateSince ??= now
    if (this.#state.kind !== 'up' || now - this.#lateSince < LATE_MS) return
    const { thread, since } = this.#state
    const probeAt = now + this.#absences.delayAfter(now - since)
    this.#state = { kind: 'slow', thread, probing: false, probeAt }
    this.#tell(reason)
    this.#options.away('slow')
  }

  /** Lets the thread write what it has been sent, as far as that takes no longer than two seconds, and ends it. */
  async close(): Promise<void> {
    const thread = 'thread' in this.#state ? this.#state.thread : undefined
    if (thread !== undefined) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#closed = resolve
      thread.post({ kind: 'close' })
      const timer = setTimeout(() => thread.stop(), CLOSE_WAIT_MS)
      await promise
      clearTimeout(timer)
    }
    this.#state = { kind: 'closed' }
    this.#reason = 'it is closed'
  }

  #open(): void {
    const { disk, clock, start } = this.#options
    const folder = dirname(disk.file)
    let ended = false
    try {
      makeDataFolder(dirname(folder))
      makeFolder(folder)
      const thread = start(disk, {
        replied: (reply) => this.#replied(reply),
        ended: (reason) => {
          ended = true
          this.#ended(reason)
        },
      })
      if (!ended) this.#state = { kind: 'opening', since: clock(), thread }
    } catch (error) {
      this.#ended((error as Error).message)
    }
  }

  #replied(reply: CacheDiskReply): void {
    if (reply.kind === 'opened') this.#opened(reply.setAside)
    else if (reply.kind === 'full') this.#isFull(reply.reason)
    else if (reply.kind === 'found' && reply.id === PROBE_ID) this.#probed(reply.found !== null)
    else this.#options.replied(reply)
  }

  #opened(setAside: { reason: string; file: string } | null): void {
    if (this.#state.kind !== 'opening') return
    const { log, disk } = this.#options
    if (setAside !== null) {
      const message = 'The cache on disk was no good and is set aside; a new one is begun. The old one may be deleted'
      log.warn({ file: disk.file, reason: setAside.reason, setAside: setAside.file }, message)
    }
    this.#isUp(this.#state.thread)
  }

  #isFull(reason: string | null): void {
    this.#full = reason
    this.#fullLog.told(reason)
  }

  #isUp(thread: DiskThread): void {
    const { log, disk, clock, up } = this.#options
    if (this.#hasBeenAway) log.info({ file: disk.file }, 'The cache on disk is back')
    this.#hasBeenAway = false
    this.#lateSince = null
    this.#reason = null
    this.#state = { kind: 'up', since: clock(), thread }
    up()
  }

  #probe(state: Extract<State, { kind: 'slow' }>, now: number): void {
    if (state.probing && now - state.probeAt >= STUCK_MS) {
      this.#stop(state.thread, `it did not answer for ${STUCK_MS / 1000} s`)
    } else if (!state.probing && now >= state.probeAt) {
      state.probing = true
      state.probeAt = now
      state.thread.post({ kind: 'read', id: PROBE_ID, now: this.#options.now(), keys: [] })
    }
  }

  #probed(good: boolean): void {
    const state = this.#state
    if (state.kind !== 'slow') return
    const now = this.#options.clock()
    if (good && now - state.probeAt <= TIER_WAIT_MS) {
      this.#isUp(state.thread)
    } else {
      state.probing = false
      state.probeAt = now + this.#absences.delayAfter(0)
    }
  }

  #stop(thread: DiskThread, reason: string): void {
    this.#state = { kind: 'stopping', thread }
    this.#tell(reason)
    thread.stop()
  }

  #ended(reason: string): void {
    const state = this.#state
    this.#full = null
    if (this.#closed === undefined) {
      const served = state.kind === 'up' ? this.#options.clock() - state.since : 0
      this.#state = { kind: 'down', startAt: this.#options.clock() + this.#absences.delayAfter(served) }
      // It was told to end for another reason.
      if (state.kind !== 'stopping') this.#tell(reason)
    }
    this.#options.away('lost')
    this.#closed?.()
  }

  #tell(reason: string): void {
    this.#hasBeenAway = true
    if (this.#reason === reason) return
    this.#reason = reason
    const { log, disk } = this.#options
    log.warn({ file: disk.file, reason }, 'The cache on disk is away: the gateway serves without it')
  }
}
