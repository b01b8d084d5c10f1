import { open as openFile } from 'node:fs/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { type Database, openDatabase } from './cache-disk/database.ts'
import { Entries } from './cache-disk/entries.ts'
import { describe, isBusy, isCorrupt, isFull } from './cache-disk/errors.ts'
import { removeOutdated } from './cache-disk/outdated.ts'
import { Purges } from './cache-disk/purges.ts'
import { Writes } from './cache-disk/writes.ts'
import type { CacheDiskOptions, CacheDiskPurge, CacheDiskReply, CacheDiskRequest } from './protocol.ts'

/**
 * The thread that owns a process's connections to the cache's database, because SQLite's calls block. Reads are answered
 * as they come; all else waits and is done in short transactions, between which reads have their turn.
 *
 * Where the disk is full it reads on and stores nothing, but for a try now and then. Of what it cannot get over it tells
 * with {@link CacheDiskReply} `failed`, and ends: who started it starts another.
 */

/** Between two attempts while another process writes, and at most so many for a read. */
const RETRY_MS = 2
const READ_ATTEMPTS = 20
/** Slices of sweeping for each request to tidy. */
const SWEEPS = 10
/** Between two attempts to store something on a disk that is full. */
const FULL_MS = 250

type ReadRequest = Extract<CacheDiskRequest, { kind: 'read' }>

class CacheDisk {
  readonly #database: Database
  readonly #entries: Entries
  readonly #purges: Purges
  readonly #writes: Writes
  #purging: CacheDiskPurge[] = []
  #now = 0
  #sweeps = 0
  #tidy = false
  #closing = false
  #scheduled = false
  #retries = 0
  /** The disk is full; when it is tried again, on the clock of `performance.now()`. */
  #fullUntil: number | null = null
  #syncing: Promise<void> = Promise.resolve()

  constructor(database: Database, options: CacheDiskOptions) {
    this.#database = database
    this.#entries = new Entries(database, options)
    this.#purges = new Purges(database, this.#entries)
    const parts = { entries: this.#entries, purges: this.#purges, maxBytes: options.maxBytes }
    this.#writes = new Writes(database, parts)
  }

  receive(request: CacheDiskRequest): void {
    switch (request.kind) {
      case 'read':
        this.#answer(request, READ_ATTEMPTS)
        return
      case 'write':
        this.#now = request.now
        this.#writes.add(request.writes, request.parcel)
        if (this.#fullUntil !== null && performance.now() < this.#fullUntil) post(this.#writes.refuse())
        break
      case 'purge':
        this.#purging.push(...request.purges)
        break
      case 'tidy':
        this.#now = request.now
        this.#tidy = true
        this.#sweeps = Math.max(this.#sweeps, SWEEPS)
        break
      case 'close':
        this.#closing = true
        this.#tidy = false
        this.#sweeps = 0
        break
    }
    this.#schedule()
  }

  #answer(request: ReadRequest, attempts: number): void {
    const { id, now, keys } = request
    const { reader } = this.#database
    try {
      // All of it, purges too, as of one moment.
      reader.exec('begin')
      const judge = this.#purges.judge()
      const found = keys.map((key) => this.#entries.read(key, now, judge))
      reader.exec('commit')
      const buffers = found.flatMap((list) => list.map(({ value }) => value.buffer as ArrayBuffer))
      post({ kind: 'found', id, found }, buffers)
    } catch (error) {
      if (reader.isTransaction) reader.exec('rollback')
      if (!isBusy(error)) return fail(error, this.#database)
      if (attempts === 0) post({ kind: 'found', id, found: null })
      else setTimeout(() => this.#answer(request, attempts - 1), RETRY_MS)
    }
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    // After a turn of the event loop, in which reads are answered.
    setImmediate(() => this.#work())
  }

  #work(): void {
    this.#scheduled = false
    try {
      if (this.#tidy) this.#lookAfterFile()
      if (this.#hasWork()) this.#transact()
      this.#retries = 0
    } catch (error) {
      if (isFull(error)) return this.#diskIsFull(error)
      if (!isBusy(error)) return fail(error, this.#database)
      this.#scheduled = true
      // At random, so that not always the same process comes late.
      const wait = RETRY_MS * (0.5 + Math.random()) * Math.min(4, ++this.#retries)
      setTimeout(() => this.#work(), wait)
      return
    }
    if (this.#hasWork()) this.#schedule()
    else this.#endWhereTold()
  }

  #hasWork(): boolean {
    const purges = this.#fullUntil === null ? this.#purges.isAtWork : this.#purges.isAwaited
    return this.#purging.length > 0 || this.#writes.isWaiting || purges || this.#tidy || this.#sweeps > 0
  }

  /** One transaction of all that waits, as much of it as a slice holds. Purges first: they judge what is written. */
  #transact(): void {
    const { writer } = this.#database
    writer.exec('begin immediate')
    let after: (() => void)[]
    try {
      after = [this.#recordPurges(), this.#writeSome(), this.#workOnPurges(), this.#tidySome()]
      this.#entries.flushCount()
      writer.exec('commit')
    } catch (error) {
      if (writer.isTransaction) writer.exec('rollback')
      this.#entries.forgetCount()
      throw error
    }
    // What has happened is told only once it has.
    for (const each of after) each()
  }

  #recordPurges(): () => void {
    if (this.#purging.length === 0) return NOTHING
    const jobs = this.#purges.record(this.#purging)
    return () => {
      this.#purges.begin(jobs)
      this.#purging = []
    }
  }

  #writeSome(): () => void {
    const commit = this.#writes.work(this.#now)
    return () => {
      const written = commit()
      if (written === undefined) return
      post(written)
      if (this.#fullUntil === null || written.refused === written.count) return
      this.#fullUntil = null
      post({ kind: 'full', reason: null })
    }
  }

  #workOnPurges(): () => void {
    const commit = this.#purges.work()
    return () => this.#purged(commit())
  }

  #purged(purges: { id: number; count: number }[]): void {
    if (purges.length > 0) this.#sync(() => post({ kind: 'purged', purges }))
  }

  #tidySome(): () => void {
    const tidy = this.#tidy
    if (tidy) {
      this.#entries.noteUsed()
      this.#purges.tidy(this.#now)
    }
    // What waits to be written goes before what nobody waits for.
    const sweeps = this.#sweeps > 0 && !this.#writes.isWaiting
    const ended = sweeps && this.#entries.sweep(this.#now)
    return () => {
      if (sweeps) this.#sweeps = ended ? 0 : this.#sweeps - 1
      if (tidy) post({ kind: 'size', ...this.#entries.size() })
      this.#tidy = false
    }
  }

  #lookAfterFile(): void {
    if (!this.#database.isInPlace()) throw new Error('the file was removed or replaced')
    this.#entries.shrink()
  }

  /** Reads go on. A purge that cannot be noted must not be forgotten, though: then all goes. */
  #diskIsFull(error: unknown): void {
    if (this.#purging.length > 0 && !this.#writes.isWaiting)
      return fail(error, this.#database, 'and a purge cannot be noted')
    if (this.#fullUntil === null) post({ kind: 'full', reason: describe(error) })
    this.#fullUntil = performance.now() + FULL_MS
    if (this.#writes.isWaiting) post(this.#writes.refuse())
    this.#purged(this.#purges.detach())
    this.#tidy = false
    this.#sweeps = 0
    if (this.#hasWork()) this.#schedule()
    else this.#endWhereTold()
  }

  /**
   * Calls back once all that is committed is on the disk. A commit alone is safe from crashes of the process only, and
   * what was purged must not be there again after a loss of power. Beside this thread, since it takes long.
   */
  #sync(done: () => void): void {
    this.#syncing = this.#syncing.then(() => syncFile(`${this.#database.file}-wal`)).then(done)
  }

  #endWhereTold(): void {
    if (!this.#closing) return
    void this.#syncing.then(() => {
      this.#database.close()
      parentPort?.close()
    })
  }
}

const NOTHING = (): void => {}

/** Closing a journal takes no locks away (they are on the file and on its index). */
async function syncFile(file: string): Promise<void> {
  try {
    await using handle = await openFile(file, 'r+')
    await handle.sync()
  } catch {
    // Gone, or no more than committed: what purges promise holds as far as this disk goes.
  }
}

function post(reply: CacheDiskReply, transfer: ArrayBuffer[] = []): void {
  parentPort?.postMessage(reply, transfer)
}

/**
 * Tells, and ends the thread. A database that is no good is out of the way then.
 * @param loss why what is in the database must not be read again
 */
function fail(error: unknown, database?: Database, loss?: string): void {
  let reason = loss === undefined ? describe(error) : `${describe(error)}, ${loss}: the file is removed`
  try {
    if (loss !== undefined) database?.remove()
    const aside = isCorrupt(error) ? database?.putAside() : undefined
    if (typeof aside === 'string') reason += `; it is ${aside} now`
    database?.close()
  } catch (second) {
    reason += `; then ${describe(second)}`
  }
  post({ kind: 'failed', reason })
  process.exit()
}

const options = workerData as CacheDiskOptions
try {
  const { database, setAside } = openDatabase(options)
  const disk = new CacheDisk(database, options)
  parentPort?.on('message', (request: CacheDiskRequest) => disk.receive(request))
  post({ kind: 'opened', setAside })
} catch (error) {
  fail(error)
}
try {
  removeOutdated(options.file, Date.now())
} catch {
  // They are another's, or on a disk that cannot be written: what matters here is this version's file.
}
