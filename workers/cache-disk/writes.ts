import type { CacheDiskParcel, CacheDiskReply, CacheDiskWrite } from '../protocol.ts'
import type { Database } from './database.ts'
import type { Entries } from './entries.ts'
import { isFull } from './errors.ts'
import { unpack } from './parcel.ts'
import type { Purges } from './purges.ts'

type Written = Extract<CacheDiskReply, { kind: 'written' }>

interface Waiting {
  write: CacheDiskWrite
  value: Uint8Array
}

/** One transaction takes no longer than this, commit and checkpoint apart: the longest that a read waits for it. */
const SLICE_MS = 3
const SLICE_BYTES = 512 * 1024
/** Of what may be stored: room is made for a slice before it is written. */
const SLICE_SHARE = 0.04

/** Responses that wait to be written, and are in slices. */
export class Writes {
  readonly #database: Database
  readonly #entries: Entries
  readonly #purges: Purges
  readonly #sliceBytes: number
  readonly #waiting: Waiting[] = []
  /** Where in {@link Writes.#waiting} the next one is: taking the first out of a long array copies it. */
  #next = 0

  constructor(database: Database, parts: { entries: Entries; purges: Purges; maxBytes: number }) {
    this.#database = database
    this.#entries = parts.entries
    this.#purges = parts.purges
    this.#sliceBytes = Math.min(SLICE_BYTES, parts.maxBytes * SLICE_SHARE)
  }

  get isWaiting(): boolean {
    return this.#next < this.#waiting.length
  }

  add(writes: readonly CacheDiskWrite[], parcel: CacheDiskParcel): void {
    const values = unpack(writes, parcel)
    for (const [place, write] of writes.entries()) this.#waiting.push({ write, value: values[place] as Uint8Array })
  }

  /** Writes a slice, within a transaction. @returns to be called once it is committed: what has been done */
  work(now: number): () => Written | undefined {
    const slice = this.#slice()
    if (slice.length === 0) return () => undefined
    this.#entries.makeRoom(bytesOf(slice))
    const judge = this.#purges.judgeWrites(now)
    const until = performance.now() + SLICE_MS
    const done: Waiting[] = []
    let refused = 0
    for (const { write, value } of slice) {
      if (done.length > 0 && performance.now() >= until) break
      const verdict = judge(write)
      if (verdict === 'hard' || !this.#store(write, value, verdict === 'soft')) refused++
      done.push({ write, value })
    }
    return () => this.#done(done, refused)
  }

  /** Gives up on all that waits. */
  refuse(): Written {
    const all = this.#waiting.slice(this.#next)
    return this.#done(all, all.length)
  }

  #slice(): Waiting[] {
    let end = this.#next
    for (let bytes = 0; end < this.#waiting.length && bytes < this.#sliceBytes; end++) {
      bytes += (this.#waiting[end] as Waiting).value.length
    }
    return this.#waiting.slice(this.#next, end)
  }

  /** @returns whether there was room: with what else is in the file, one large response may not fit */
  #store(write: CacheDiskWrite, value: Uint8Array, soft: boolean): boolean {
    const { writer } = this.#database
    writer.exec('savepoint entry')
    try {
      this.#entries.write(write, value, soft)
      writer.exec('release entry')
      return true
    } catch (error) {
      // SQLite has rolled all back where the disk itself is full.
      if (!isFull(error) || !writer.isTransaction || !this.#entries.isFull()) throw error
      writer.exec('rollback to entry; release entry')
      return false
    }
  }

  #done(done: readonly Waiting[], refused: number): Written {
    this.#next += done.length
    if (this.#next >= this.#waiting.length / 2) {
      this.#waiting.splice(0, this.#next)
      this.#next = 0
    }
    return { kind: 'written', count: done.length, bytes: bytesOf(done), refused }
  }
}

function bytesOf(list: readonly Waiting[]): number {
  return list.reduce((sum, { value }) => sum + value.length, 0)
}
