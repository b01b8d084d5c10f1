import { hash } from 'node:crypto'
import type { StatementSync } from 'node:sqlite'
import type { CacheDiskFound, CacheDiskKey, CacheDiskWrite } from '../protocol.ts'
import { type Database, pragma } from './database.ts'

/** Together under one key, in one answer: with large bodies, many variants would be more than a gateway can hold. */
const MAX_READ_BYTES = 32 * 1024 * 1024
/** Rows that are looked at in one search for something to evict, and in one for what has expired. */
const EVICT_ROWS = 64
const EVICT_STEP = 4
const SWEEP_ROWS = 1_000
/** Of the limit. What would pass the first evicts others until it stays below the second. */
const FULL_SHARE = 0.95
const ROOM_SHARE = 0.94
/** Ids of what was read, until they are noted. */
const MAX_USED = 10_000
/** A response that finds so few may need more. */
const FEW_PAGES = 2_048
/** Pages given back to the system at a time, and how many stay for what comes. */
const VACUUM_PAGES = 128
const SPARE_SHARE = 0.1

/** A row as far as it is needed to judge it. */
export interface Row {
  id: number
  key: CacheDiskKey
  tags: string | null
}

/** Which row may not be read any more, or only as invalidated, since a purge is still at work. */
export type Judge = (row: Row) => 'hard' | 'soft' | undefined

/** What is stored, and what goes. Writing methods are called within a transaction of the writer. */
export class Entries {
  readonly #database: Database
  readonly #maxPages: number
  readonly #maxVariants: number
  readonly #pageBytes: number
  readonly #find: StatementSync
  readonly #body: StatementSync
  readonly #same: StatementSync
  readonly #insert: StatementSync
  readonly #update: StatementSync
  readonly #setBody: StatementSync
  readonly #deleteEntry: StatementSync
  readonly #deleteBody: StatementSync
  readonly #addTag: StatementSync
  readonly #deleteTag: StatementSync
  readonly #tagsOf: StatementSync
  readonly #soften: StatementSync
  readonly #use: StatementSync
  readonly #unuse: StatementSync
  readonly #surplus: StatementSync
  readonly #after: StatementSync
  readonly #expired: StatementSync
  readonly #hand: StatementSync
  readonly #setHand: StatementSync
  readonly #count: StatementSync
  readonly #addCount: StatementSync
  readonly #pageCount: StatementSync
  readonly #freeCount: StatementSync
  readonly #used = new Set<number>()
  /** Since the last {@link flushCount}. */
  #added = 0
  #sweptTo = 0

  constructor(database: Database, { maxBytes, maxVariants }: { maxBytes: number; maxVariants: number }) {
    const { reader, writer } = database
    this.#database = database
    this.#maxVariants = maxVariants
    this.#pageBytes = pragma(writer, 'page_size')
    this.#maxPages = Math.ceil(maxBytes / this.#pageBytes)
    const arrays = (statement: StatementSync): StatementSync => {
      statement.setReturnArrays(true)
      return statement
    }
    this.#find = arrays(
      reader.prepare(
        `select id, used, soft, tags from entries where url = ? and name = ? and usable_until > ?
         order by requested_at desc limit ?`,
      ),
    )
    this.#body = arrays(reader.prepare('select value from bodies where id = ?'))
    this.#same = arrays(
      writer.prepare('select id, requested_at from entries where url = ? and name = ? and variant = ?'),
    )
    this.#insert = writer.prepare(
      `insert into entries (url, name, variant, requested_at, usable_until, used, soft, tags)
       values (?, ?, ?, ?, ?, 0, ?, ?)`,
    )
    this.#update = writer.prepare(
      'update entries set requested_at = ?, usable_until = ?, soft = ?, tags = ? where id = ?',
    )
    this.#setBody = writer.prepare('insert or replace into bodies (id, value) values (?, ?)')
    this.#deleteEntry = writer.prepare('delete from entries where id = ?')
    this.#deleteBody = writer.prepare('delete from bodies where id = ?')
    this.#addTag = writer.prepare('insert or ignore into tags (tag, id) values (?, ?)')
    this.#deleteTag = writer.prepare('delete from tags where tag = ? and id = ?')
    this.#tagsOf = arrays(writer.prepare('select tags from entries where id = ?'))
    this.#soften = writer.prepare('update entries set soft = 1 where id = ? and soft = 0')
    this.#use = writer.prepare('update entries set used = 1 where id = ?')
    this.#unuse = writer.prepare('update entries set used = 0 where id = ?')
    this.#surplus = arrays(
      writer.prepare('select id from entries where url = ? and name = ? order by requested_at desc limit -1 offset ?'),
    )
    this.#after = arrays(writer.prepare('select id, used from entries where id > ? order by id limit ?'))
    this.#expired = arrays(writer.prepare('select id, usable_until <= ? from entries where id > ? order by id limit ?'))
    this.#hand = arrays(writer.prepare('select hand from state'))
    this.#setHand = writer.prepare('update state set hand = ?')
    this.#count = arrays(writer.prepare('select entries from state'))
    this.#pageCount = arrays(writer.prepare('pragma page_count'))
    this.#freeCount = arrays(writer.prepare('pragma freelist_count'))
    this.#addCount = writer.prepare('update state set entries = entries + ?')
  }

  /** What is stored under a key, latest requested first. Within a transaction of the reader. */
  read(key: CacheDiskKey, now: number, judge: Judge): CacheDiskFound[] {
    const found: CacheDiskFound[] = []
    let bytes = 0
    for (const row of rows(this.#find.all(key.url, nameOf(key.key), now, this.#maxVariants))) {
      const [id, used, soft, tags] = row as [number, number, number, string | null]
      const verdict = judge({ id, key, tags })
      if (verdict === 'hard') continue
      const value = (this.#body.get(id) as unknown as [Uint8Array] | undefined)?.[0]
      if (value === undefined) continue
      bytes += value.length
      if (bytes > MAX_READ_BYTES && found.length > 0) break
      found.push({ value, invalidated: soft === 1 || verdict === 'soft' })
      if (used === 0 && this.#used.size < MAX_USED) this.#used.add(id)
    }
    return found
  }

  /** Stores a response in place of the same variant, unless that was requested later. */
  write({ key, url, variant, tags, requestedAt, usableUntil }: CacheDiskWrite, value: Uint8Array, soft: boolean): void {
    const name = nameOf(key)
    const kind = variantOf(variant)
    const [id, known] = (this.#same.get(url, name, kind) ?? []) as unknown as [number?, number?]
    if (known !== undefined && known > requestedAt) return
    const list = tags.length === 0 ? null : JSON.stringify(tags)
    const invalidated = soft ? 1 : 0
    if (id === undefined) {
      const { lastInsertRowid } = this.#insert.run(url, name, kind, requestedAt, usableUntil, invalidated, list)
      this.#setBody.run(lastInsertRowid, value)
      for (const tag of tags) this.#addTag.run(tag, lastInsertRowid)
      this.#added++
      if (kind.length > 0) this.#limitVariants(url, name)
    } else {
      this.#untag(id)
      this.#update.run(requestedAt, usableUntil, invalidated, list, id)
      this.#setBody.run(id, value)
      for (const tag of tags) this.#addTag.run(tag, id)
    }
  }

  remove(id: number): void {
    this.#untag(id)
    if (this.#deleteEntry.run(id).changes === 0) return
    this.#deleteBody.run(id)
    this.#used.delete(id)
    this.#added--
  }

  /** @returns whether it was not yet */
  soften(id: number): boolean {
    return this.#soften.run(id).changes !== 0
  }

  /** Evicts what was not read for long until there is room for so much more, or nothing is left. */
  makeRoom(bytes: number): void {
    const needed = Math.ceil(bytes / this.#pageBytes)
    if (this.#pages() + needed <= this.#maxPages * FULL_SHARE) return
    const target = this.#maxPages * ROOM_SHARE - needed
    // Everything is passed twice at most: once for what was read lately.
    for (let ends = 0; ends < 3 && this.#pages() > target; ) if (this.#evict(target)) ends++
  }

  /** Whether nothing can be added since the limit is reached; else it is the disk that is full. */
  isFull(): boolean {
    return numberOf(this.#pageCount) >= this.#maxPages && numberOf(this.#freeCount) < FEW_PAGES
  }

  /** One look at some rows, from the hand on. @returns whether it came to the end */
  #evict(target: number): boolean {
    let hand = numberOf(this.#hand)
    const list = rows(this.#after.all(hand, EVICT_ROWS)) as [number, number][]
    for (const [place, [id, used]] of list.entries()) {
      hand = id
      if (used === 0 && !this.#used.delete(id)) this.remove(id)
      else if (used === 1) this.#unuse.run(id)
      // Asking each time would cost more than what is evicted too much.
      if (place % EVICT_STEP === EVICT_STEP - 1 && this.#pages() <= target) break
    }
    this.#setHand.run(list.length === 0 ? 0 : hand)
    return list.length === 0
  }

  /** Notes what was read since the last time. */
  noteUsed(): void {
    for (const id of this.#used) this.#use.run(id)
    this.#used.clear()
  }

  /** Drops what has expired, of some rows. @returns whether this was the end of a round */
  sweep(now: number): boolean {
    const list = rows(this.#expired.all(now, this.#sweptTo, SWEEP_ROWS)) as [number, number][]
    for (const [id, expired] of list) if (expired === 1) this.remove(id)
    this.#sweptTo = list.length < SWEEP_ROWS ? 0 : (list.at(-1)?.[0] ?? 0)
    return this.#sweptTo === 0
  }

  /** Gives free pages back where there are more than will be used soon. Outside of a transaction. */
  shrink(): void {
    const { writer } = this.#database
    const excess = numberOf(this.#pageCount) - this.#maxPages
    const spare = numberOf(this.#freeCount) - this.#maxPages * SPARE_SHARE
    const pages = Math.min(VACUUM_PAGES, Math.floor(Math.max(excess, spare)))
    // The file gets shorter when the journal is moved into it.
    if (pages > 0) writer.exec(`pragma incremental_vacuum(${pages}); pragma wal_checkpoint(passive)`)
  }

  /** Within each transaction that adds or removes, at its end. */
  flushCount(): void {
    if (this.#added !== 0) this.#addCount.run(this.#added)
    this.#added = 0
  }

  /** After a transaction that was rolled back. */
  forgetCount(): void {
    this.#added = 0
  }

  size(): { entries: number; bytes: number } {
    return { entries: numberOf(this.#count), bytes: this.#pages() * this.#pageBytes }
  }

  /** Pages that hold something. */
  #pages(): number {
    return numberOf(this.#pageCount) - numberOf(this.#freeCount)
  }

  #untag(id: number): void {
    const tags = (this.#tagsOf.get(id) as unknown as [string | null] | undefined)?.[0]
    if (typeof tags !== 'string') return
    for (const tag of JSON.parse(tags) as string[]) this.#deleteTag.run(tag, id)
  }

  #limitVariants(url: string, name: Uint8Array): void {
    for (const [id] of rows(this.#surplus.all(url, name, this.#maxVariants)) as [number][]) this.remove(id)
  }
}

/** A key of any length as 32 bytes: never the same for two (SHA-256). */
export function nameOf(key: string): Uint8Array {
  return hash('sha256', key, 'buffer')
}

/** Eight bytes: the response itself says which variant it is, and one that is taken for another is only replaced. */
function variantOf(variant: string): Uint8Array {
  return variant === '' ? NO_VARIANT : hash('sha256', variant, 'buffer').subarray(0, 8)
}

const NO_VARIANT = new Uint8Array(0)

/** Rows of a statement that returns arrays. */
function rows(list: unknown): unknown[][] {
  return list as unknown[][]
}

/** The one value of the one row of a statement that returns arrays. */
function numberOf(statement: StatementSync): number {
  return (statement.get() as unknown as [number])[0]
}
