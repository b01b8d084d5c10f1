import type { StoredResponse } from '../stored.ts'
import type { Told } from '../rules/sending.ts'
import { type Entry, entryOf, type EntryTimes, type Resource, sameVariant } from './entry.ts'
import { EntryIndex } from './entry-index.ts'
import { footprint } from './footprint.ts'
import { resize, S3Fifo, use } from './s3-fifo.ts'
import type { Selector } from './selector.ts'
import { Strings } from './strings.ts'
import { Sweeper } from './sweeper.ts'
import { type TopKey, topKeys } from './top-keys.ts'

export interface MemoryStoreOptions {
  /** Stored responses, each variant counting; default 2,000. With 0 it is off, and takes nothing. */
  maxEntries?: number
  /** Memory that they may hold, overhead included; default 256 MiB. */
  maxBytes?: number
  /** Variants under one key; default 32. */
  maxVariants?: number
  /** Milliseconds since 1970. */
  now?: () => number
}

/** Entries, keys, tags and bytes are those held now; the rest is counted since the start. */
export interface MemoryStoreStats {
  entries: number
  keys: number
  tags: number
  bytes: number
  maxEntries: number
  maxBytes: number
  /** Stored for the first time, and in place of the same variant. */
  insertions: number
  replacements: number
  /** Larger than the whole store. */
  rejections: number
  /** Dropped for room, or for one variant more. */
  evictions: number
  /** Dropped because their time was up. */
  expirations: number
  /** Dropped by a hard purge; marked by a soft one. */
  purged: number
  invalidated: number
}

type Tell = (stored: StoredResponse) => Told | undefined

/**
 * The first tier: responses in the memory of this process, bounded by entries and by bytes. Looking up is one Map
 * lookup, noting a hit two additions. Who evicts whom is {@link S3Fifo}'s business. Expiry is the caller's: entries past
 * `usableUntil` may still be found until they are swept.
 */
export class MemoryStore {
  readonly #maxEntries: number
  readonly #maxBytes: number
  readonly #maxVariants: number
  readonly #now: () => number
  readonly #strings = new Strings()
  readonly #index = new EntryIndex(this.#strings)
  readonly #order: S3Fifo<Entry>
  readonly #sweeper: Sweeper
  #entries = 0
  #bytes = 0
  #insertions = 0
  #replacements = 0
  #rejections = 0
  #evictions = 0
  #expirations = 0
  #purged = 0
  #invalidated = 0

  constructor(options: MemoryStoreOptions = {}) {
    this.#maxEntries = options.maxEntries ?? 2_000
    this.#maxBytes = options.maxBytes ?? 256 * 1024 * 1024
    this.#maxVariants = options.maxVariants ?? 32
    this.#now = options.now ?? Date.now
    this.#order = new S3Fifo({ maxItems: this.#maxEntries, maxBytes: this.#maxBytes })
    this.#sweeper = new Sweeper({
      resources: () => this.#index.resources(),
      expired: (entry) => {
        this.#expirations++
        this.#drop(entry)
      },
      isEmpty: () => this.#entries === 0,
      now: this.#now,
    })
  }

  /** Whether it takes anything. */
  get isOn(): boolean {
    return this.#maxEntries > 0
  }

  get(key: string): Resource | undefined {
    return this.#index.get(key)
  }

  /** Notes that the entry was served. */
  touch(entry: Entry): void {
    entry.hits++
    use(entry)
  }

  /**
   * Stores a response, in place of the same variant of the same key. The store keeps copies of its lists and strings, and
   * of the body where that is a part of a larger buffer; a body with a buffer of its own is kept as it is.
   *
   * @param tell where clients are told something else than is stored: what
   * @returns `undefined` where it is larger than the store; what was there is dropped then as well: it is out of date
   */
  put(key: string, response: StoredResponse, times: EntryTimes, tell?: Tell): Entry | undefined {
    if (!this.isOn) return undefined
    const previous = this.#index.get(key)?.entries.find(({ stored }) => sameVariant(stored.vary, response.vary))
    const stored = this.#strings.response(response)
    const said = tell?.(stored)
    const bytes = footprint(key, stored, said)
    if (bytes > this.#maxBytes) {
      this.#rejections++
      if (previous !== undefined) this.#drop(previous)
      return undefined
    }
    const entry = entryOf(stored, { key: previous?.key ?? this.#strings.own(key), bytes, times, said })
    this.#makeRoom(entry, previous)
    // Making room may have taken it.
    if (previous === undefined || previous.queue === null) this.#insert(entry)
    else this.#replace(previous, entry)
    this.#sweeper.start()
    return entry
  }

  /**
   * Notes that an entry holds so many bytes more, or less: forms of it that were made since. Others go where that is too
   * much, in their turn.
   *
   * @returns `false` where it is in no store any more, or would be larger than the store: nothing is noted then
   */
  grow(entry: Entry, bytes: number): boolean {
    if (entry.queue == null || entry.bytes + bytes > this.#maxBytes) return false
    resize(entry, bytes)
    this.#bytes += bytes
    while (this.#bytes > this.#maxBytes) this.#evict()
    return true
  }

  /** @returns whether there was something */
  delete(key: string): boolean {
    const resource = this.#index.get(key)
    resource?.entries.forEach((entry) => this.#drop(entry))
    return resource !== undefined
  }

  /** Without effect on one that is gone already. */
  deleteEntry(entry: Entry): void {
    if (entry.queue !== null) this.#drop(entry)
  }

  byTag(tag: string): Entry[] {
    return this.#index.byTag(tag)
  }

  /** Resources whose key has this URL, with their variants; of a path alone, those of all schemes and hosts. */
  byUrl(url: string): Resource[] {
    return this.#index.byUrl(url)
  }

  /**
   * Purges what the selector covers: `hard` drops it, `soft` leaves it to be validated before it is used, or to be served
   * stale where the rules allow that. Prefixes and patterns go through all keys in one turn.
   *
   * @returns how many entries
   */
  invalidate(selector: Selector, mode: 'hard' | 'soft'): number {
    if (mode === 'hard' && selector.kind === 'all') return this.#clear()
    const entries = this.#index.selected(selector)
    if (mode === 'hard') {
      for (const entry of entries) this.#drop(entry)
      this.#purged += entries.length
    } else {
      const now = this.#now()
      for (const entry of entries) {
        entry.invalidated = true
        entry.freshUntil = Math.min(entry.freshUntil, now)
      }
      this.#invalidated += entries.length
    }
    return entries.length
  }

  /** Drops some of what has expired; see {@link Sweeper}. */
  sweep(): void {
    this.#sweeper.sweep()
  }

  stats(): MemoryStoreStats {
    return {
      entries: this.#entries,
      keys: this.#index.keys,
      tags: this.#index.tags,
      bytes: this.#bytes,
      maxEntries: this.#maxEntries,
      maxBytes: this.#maxBytes,
      insertions: this.#insertions,
      replacements: this.#replacements,
      rejections: this.#rejections,
      evictions: this.#evictions,
      expirations: this.#expirations,
      purged: this.#purged,
      invalidated: this.#invalidated,
    }
  }

  /** Of those stored now. */
  top(limit: number): TopKey[] {
    return topKeys(this.#index.resources(), limit)
  }

  /** Stops sweeping until something is stored again. */
  close(): void {
    this.#sweeper.stop()
  }

  #insert(entry: Entry): void {
    this.#index.add(entry)
    this.#order.add(entry)
    this.#entries++
    this.#bytes += entry.bytes
    this.#insertions++
  }

  /** The place among others goes over: a response that is refreshed is as popular as it was. */
  #replace(previous: Entry, entry: Entry): void {
    this.#index.replace(previous, entry)
    entry.hits = previous.hits
    this.#order.replace(previous, entry)
    this.#bytes += entry.bytes - previous.bytes
    this.#replacements++
  }

  #drop(entry: Entry): void {
    this.#order.remove(entry)
    this.#forget(entry)
  }

  /** Takes what has left the order out of everything else. */
  #forget(entry: Entry): void {
    this.#index.delete(entry)
    this.#entries--
    this.#bytes -= entry.bytes
  }

  /** Evicts until the entry fits, before it is there itself: so that it is not what goes. */
  #makeRoom(entry: Entry, previous: Entry | undefined): void {
    const variants = previous === undefined ? (this.#index.get(entry.key)?.entries ?? []) : []
    if (variants.length >= this.#maxVariants) {
      this.#drop((variants.findLast(({ uses }) => uses === 0) ?? variants.at(-1)) as Entry)
      this.#evictions++
    }
    while (!this.#fits(entry, previous)) this.#evict()
  }

  #evict(): void {
    const gone = this.#order.evict() as Entry
    this.#evictions++
    this.#forget(gone)
  }

  #fits(entry: Entry, previous: Entry | undefined): boolean {
    const left = previous === undefined || previous.queue === null ? undefined : previous
    const entries = this.#entries + (left === undefined ? 1 : 0)
    return entries <= this.#maxEntries && this.#bytes + entry.bytes - (left?.bytes ?? 0) <= this.#maxBytes
  }

  #clear(): number {
    const count = this.#entries
    this.#index.clear()
    this.#order.clear()
    this.#entries = this.#bytes = 0
    this.#purged += count
    return count
  }
}
