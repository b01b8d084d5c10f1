import { type Entry, type Resource, varyNames } from './entry.ts'
import { MultiIndex } from './multi-index.ts'
import { isAnyHost, type Selector, urlMatcher, urlOf } from './selector.ts'
import type { Strings } from './strings.ts'

/** Which entries there are: by key, by URL and by tag. */
export class EntryIndex {
  readonly #strings: Strings
  readonly #resources = new Map<string, Resource>()
  readonly #urls = new MultiIndex<Resource>()
  readonly #tags = new MultiIndex<Entry>()

  /** @param strings of whom lists are shared */
  constructor(strings: Strings) {
    this.#strings = strings
  }

  get keys(): number {
    return this.#resources.size
  }

  get tags(): number {
    return this.#tags.size
  }

  get(key: string): Resource | undefined {
    return this.#resources.get(key)
  }

  /** In the order in which their keys came. */
  resources(): MapIterator<Resource> {
    return this.#resources.values()
  }

  add(entry: Entry): void {
    const resource = this.#resources.get(entry.key)
    if (resource === undefined) {
      const made: Resource = { key: entry.key, entries: [entry], vary: this.#strings.list(varyNames([entry])) }
      this.#resources.set(entry.key, made)
      this.#urls.add(urlOf(entry.key), made)
    } else {
      this.#setEntries(resource, withEntry(resource.entries, entry))
    }
    this.#tag(entry)
  }

  /** The same variant of the same key. */
  replace(previous: Entry, entry: Entry): void {
    const resource = this.#resources.get(entry.key) as Resource
    const others = resource.entries.filter((other) => other !== previous)
    this.#setEntries(resource, withEntry(others, entry))
    this.#untag(previous)
    this.#tag(entry)
  }

  delete(entry: Entry): void {
    this.#untag(entry)
    const resource = this.#resources.get(entry.key) as Resource
    const entries = resource.entries.filter((other) => other !== entry)
    if (entries.length > 0) return this.#setEntries(resource, entries)
    this.#resources.delete(entry.key)
    this.#urls.delete(urlOf(entry.key), resource)
  }

  /** One by one would take 2 µs each. */
  clear(): void {
    this.#resources.clear()
    this.#urls.clear()
    this.#tags.clear()
  }

  byTag(tag: string): Entry[] {
    return this.#tags.get(tag)
  }

  /** Of a path alone, those of all schemes and hosts. */
  byUrl(url: string): Resource[] {
    return isAnyHost(url) ? this.#urls.matching(urlMatcher({ kind: 'url', url })) : this.#urls.get(url)
  }

  /** Prefixes and patterns go through all keys. */
  selected(selector: Selector): Entry[] {
    switch (selector.kind) {
      case 'key':
        return [...(this.#resources.get(selector.key)?.entries ?? [])]
      case 'url':
        return this.byUrl(selector.url).flatMap(({ entries }) => entries)
      case 'tag':
        return this.byTag(selector.tag)
      case 'prefix':
      case 'pattern':
        return this.#urls.matching(urlMatcher(selector)).flatMap(({ entries }) => entries)
      case 'all':
        return [...this.#resources.values()].flatMap(({ entries }) => entries)
    }
  }

  #setEntries(resource: Resource, entries: readonly Entry[]): void {
    resource.entries = entries
    resource.vary = this.#strings.list(varyNames(entries))
  }

  #tag(entry: Entry): void {
    for (const tag of entry.stored.tags) this.#tags.add(tag, entry)
  }

  #untag(entry: Entry): void {
    for (const tag of entry.stored.tags) this.#tags.delete(tag, entry)
  }
}

/** Latest received first (RFC 9111 §4.1 wants the most recent of several that fit). */
function withEntry(entries: readonly Entry[], entry: Entry): readonly Entry[] {
  const place = entries.findIndex(({ stored }) => stored.receivedAt <= entry.stored.receivedAt)
  return place < 0 ? [...entries, entry] : [...entries.slice(0, place), entry, ...entries.slice(place)]
}
