import { createHash } from 'node:crypto'
import type { StoredResponse } from '../stored.ts'
import type { Told } from '../rules/sending.ts'
import { type Entry, entryOf, type EntryTimes, type Resource, sameVariant, varyNames } from './entry.ts'
import { footprint } from './footprint.ts'
import { MultiIndex } from './multi-index.ts'
import { resize, S3Fifo, use } from './s3-fifo.ts'
import { isAnyHost, type Selector, urlMatcher, urlOf } from './selector.ts'
import { Strings } from './strings.ts'

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

export interface TopKey {
  /** First 16 hexadecimal digits of the key's SHA-256: URLs are not for everybody who may see figures. */
  name: string
  hits: number
  bytes: number
  variants: number
}

type Tell = (stored: StoredResponse) => Told | undefined

const SWEEP_EVERY_MS = 100
/** In one turn. A look at one costs some 50 ns: 10 µs in 100 ms, and 2,000 keys a second. */
const SWEEP_KEYS = 200
/** Between the beginnings of two rounds through all keys, at least. */
const SWEEP_ROUND_MS = 1_000

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
  readonly #resources = new Map<string, Resource>()
  readonly #urls = new MultiIndex<Resource>()
  readonly #tags = new MultiIndex<Entry>()
  readonly #order: S3Fifo<Entry>
  readonly #strings = new Strings()
  #entries = 0
  #bytes = 0
  #insertions = 0
  #replacements = 0
  #rejections = 0
  #evictions = 0
  #expirations = 0
  #purged = 0
  #invalidated = 0
  #timer: NodeJS.Timeout | undefined
  #sweptAt = 0
  #unswept: MapIterator<Resource> | undefined

  constructor(options: MemoryStoreOptions = {}) {
    this.#maxEntries = options.maxEntries ?? 2_000
    this.#maxBytes = options.maxBytes ?? 256 * 1024 * 1024
    this.#maxVariants = options.maxVariants ?? 32
    this.#now = options.now ?? Date.now
    this.#order = new S3Fifo({ maxItems: this.#maxEntries, maxBytes: this.#maxBytes })
  }

  /** Whether it takes anything. */
  get isOn(): boolean {
    return this.#maxEntries > 0
  }

  get(key: string): Resource | undefined {
    return this.#resources.get(key)
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
    const previous = this.#resources.get(key)?.entries.find(({ stored }) => sameVariant(stored.vary, response.vary))
    const stored = this.#kept(response)
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
    this.#timer ??= setInterval(this.sweep, SWEEP_EVERY_MS).unref()
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
    const resource = this.#resources.get(key)
    resource?.entries.forEach((entry) => this.#drop(entry))
    return resource !== undefined
  }

  /** Without effect on one that is gone already. */
  deleteEntry(entry: Entry): void {
    if (entry.queue !== null) this.#drop(entry)
  }

  byTag(tag: string): Entry[] {
    return this.#tags.get(tag)
  }

  /** Resources whose key has this URL, with their variants; of a path alone, those of all schemes and hosts. */
  byUrl(url: string): Resource[] {
    return isAnyHost(url) ? this.#urls.matching(urlMatcher({ kind: 'url', url })) : this.#urls.get(url)
  }

  /**
   * Purges what the selector covers: `hard` drops it, `soft` leaves it to be validated before it is used, or to be served
   * stale where the rules allow that. Prefixes and patterns go through all keys in one turn.
   *
   * @returns how many entries
   */
  invalidate(selector: Selector, mode: 'hard' | 'soft'): number {
    if (mode === 'hard' && selector.kind === 'all') return this.#clear()
    const entries = this.#selected(selector)
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

  /**
   * Drops expired entries, and header blocks, which are out of date after a second and cost as much as the fields. Looks
   * at {@link SWEEP_KEYS} keys in each call. Called by a timer while there is something.
   */
  sweep = (): void => {
    const now = this.#now()
    if (this.#unswept === undefined) {
      if (Math.abs(now - this.#sweptAt) < SWEEP_ROUND_MS) return
      this.#sweptAt = now
      this.#unswept = this.#resources.values()
    }
    for (let looked = 0; looked < SWEEP_KEYS; looked++) {
      const { value: resource } = this.#unswept.next()
      if (resource === undefined) {
        this.#unswept = undefined
        break
      }
      for (const entry of resource.entries) {
        if (entry.usableUntil > now) entry.head = undefined
        else {
          this.#expirations++
          this.#drop(entry)
        }
      }
    }
    if (this.#entries === 0) this.close()
  }

  stats(): MemoryStoreStats {
    return {
      entries: this.#entries,
      keys: this.#resources.size,
      tags: this.#tags.size,
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

  /** The keys with most hits, of those stored now; variants together. Goes through all keys: for people who ask. */
  top(limit: number): TopKey[] {
    const best: { resource: Resource; hits: number }[] = []
    for (const resource of this.#resources.values()) {
      let hits = 0
      for (const entry of resource.entries) hits += entry.hits
      if (best.length === limit && hits <= (best.at(-1)?.hits ?? Number.POSITIVE_INFINITY)) continue
      const place = best.findIndex((other) => other.hits < hits)
      best.splice(place < 0 ? best.length : place, 0, { resource, hits })
      if (best.length > limit) best.pop()
    }
    return best.map(({ resource: { key, entries }, hits }) => ({
      name: createHash('sha256').update(key).digest('hex').slice(0, 16),
      hits,
      bytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
      variants: entries.length,
    }))
  }

  /** Stops sweeping until something is stored again. */
  close(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#unswept = undefined
  }

  /** A copy that holds nothing beyond itself. */
  #kept(response: StoredResponse): StoredResponse {
    const { status, fields, requestedAt, receivedAt, body, part, vary, tags } = response
    return {
      status,
      fields: fields.map((text) => this.#strings.share(text)),
      requestedAt,
      receivedAt,
      body: this.#keptBody(body),
      part,
      vary: this.#strings.list(vary),
      tags: this.#strings.list(tags),
    }
  }

  #keptBody(body: string | Uint8Array): string | Uint8Array {
    if (typeof body === 'string') return this.#strings.own(body)
    return body.byteLength === body.buffer.byteLength ? body : Uint8Array.prototype.slice.call(body)
  }

  #insert(entry: Entry): void {
    const resource = this.#resources.get(entry.key)
    if (resource === undefined) {
      const made: Resource = { key: entry.key, entries: [entry], vary: this.#strings.list(varyNames([entry])) }
      this.#resources.set(entry.key, made)
      this.#urls.add(urlOf(entry.key), made)
    } else {
      this.#setEntries(resource, withEntry(resource.entries, entry))
    }
    this.#order.add(entry)
    this.#count(entry)
    this.#insertions++
  }

  /** The place among others goes over: a response that is refreshed is as popular as it was. */
  #replace(previous: Entry, entry: Entry): void {
    const resource = this.#resources.get(entry.key) as Resource
    const others = resource.entries.filter((other) => other !== previous)
    this.#setEntries(resource, withEntry(others, entry))
    entry.hits = previous.hits
    this.#order.replace(previous, entry)
    this.#discount(previous)
    this.#count(entry)
    this.#replacements++
  }

  #setEntries(resource: Resource, entries: readonly Entry[]): void {
    resource.entries = entries
    resource.vary = this.#strings.list(varyNames(entries))
  }

  #count(entry: Entry): void {
    for (const tag of entry.stored.tags) this.#tags.add(tag, entry)
    this.#entries++
    this.#bytes += entry.bytes
  }

  #discount(entry: Entry): void {
    for (const tag of entry.stored.tags) this.#tags.delete(tag, entry)
    this.#entries--
    this.#bytes -= entry.bytes
  }

  #drop(entry: Entry): void {
    this.#order.remove(entry)
    this.#forget(entry)
  }

  /** Takes what has left the order out of everything else. */
  #forget(entry: Entry): void {
    this.#discount(entry)
    const resource = this.#resources.get(entry.key) as Resource
    const entries = resource.entries.filter((other) => other !== entry)
    if (entries.length > 0) return this.#setEntries(resource, entries)
    this.#resources.delete(entry.key)
    this.#urls.delete(urlOf(entry.key), resource)
  }

  /** Evicts until the entry fits, before it is there itself: so that it is not what goes. */
  #makeRoom(entry: Entry, previous: Entry | undefined): void {
    const variants = previous === undefined ? (this.#resources.get(entry.key)?.entries ?? []) : []
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

  #selected(selector: Selector): Entry[] {
    switch (selector.kind) {
      case 'key':
        return [...(this.#resources.get(selector.key)?.entries ?? [])]
      case 'url':
        return this.byUrl(selector.url).flatMap(({ entries }) => entries)
      case 'tag':
        return this.#tags.get(selector.tag)
      case 'prefix':
      case 'pattern':
        return this.#urls.matching(urlMatcher(selector)).flatMap(({ entries }) => entries)
      case 'all':
        return [...this.#resources.values()].flatMap(({ entries }) => entries)
    }
  }

  /** One by one would take 2 µs each. */
  #clear(): number {
    const count = this.#entries
    this.#resources.clear()
    this.#urls.clear()
    this.#tags.clear()
    this.#order.clear()
    this.#entries = this.#bytes = 0
    this.#purged += count
    return count
  }
}

/** Latest received first (RFC 9111 §4.1 wants the most recent of several that fit). */
function withEntry(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  const place = entries.findIndex(({ stored }) => stored.receivedAt <= entry.stored.receivedAt)
  return place < 0 ? [...entries, entry] : [...entries.slice(0, place), entry, ...entries.slice(place)]
}
