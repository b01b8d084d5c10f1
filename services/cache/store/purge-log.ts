import { isAnyHost, type Match, matcher, type Selector, urlOf } from './selector.ts'

/** A moment in the order of purges of this process, made by {@link PurgeLog.mark}. */
export type PurgeMark = number

/** A power of two: half a megabyte, once a name has been purged. */
const SLOTS = 65_536

/** Seeds of hashes: a tag and a URL of one name are two names. */
const KEY = 0x811c9dc5
const URL_OF_KEY = 0x01000193
const TAG = 0x9e3779b1

/**
 * Remembers purges, so that what began before one is never stored as fresh after it: a fill or a promotion from another
 * tier takes a mark when it begins, and asks when it has something to store.
 *
 *     const mark = purges.mark()
 *     const response = await fetched()
 *     if (!purges.blocked(mark, key, response.tags)) store.put(…)
 *
 * Bounded, and quick however many mutations go by: of keys, URLs and tags it knows when a name was last purged, in a table
 * of fixed size. A name that meets others in both of its places may count as purged, which costs a fill: with a thousand
 * purges since it began, one in five hundred. Of what covers more (prefixes, patterns, everything) the last ones are remembered;
 * what began before the oldest of them counts as purged.
 */
export class PurgeLog {
  readonly #capacity: number
  /** The last ones that cover more than a name, in a ring. */
  readonly #broad: { covers: Match; number: number }[] = []
  #broads = 0
  /** The number of the last broad one that is forgotten. */
  #forgotten = 0
  /** By the hashes of a name: the number of its last purge. */
  #last: Float64Array | undefined
  #purges = 0

  /** @param options.capacity broad purges remembered */
  constructor(options: { capacity?: number } = {}) {
    this.#capacity = options.capacity ?? 1024
  }

  mark(): PurgeMark {
    return this.#purges
  }

  /** Called with each purge, before it is applied to the store. */
  record(selector: Selector): void {
    this.#purges++
    if (selector.kind === 'key') this.#note(selector.key, KEY)
    else if (selector.kind === 'tag') this.#note(selector.tag, TAG)
    else if (selector.kind === 'url' && !isAnyHost(selector.url)) this.#note(selector.url, URL_OF_KEY)
    else {
      const at = this.#broads++ % this.#capacity
      this.#forgotten = this.#broad[at]?.number ?? 0
      this.#broad[at] = { covers: matcher(selector), number: this.#purges }
    }
  }

  /** Whether a purge since `mark` covers a response with this key and these tags. */
  blocked(mark: PurgeMark, key: string, tags: readonly string[]): boolean {
    if (mark === this.#purges) return false
    if (mark < this.#forgotten) return true
    if (this.#isNoted(mark, key, KEY) || this.#isNoted(mark, urlOf(key), URL_OF_KEY)) return true
    for (const tag of tags) if (this.#isNoted(mark, tag, TAG)) return true
    for (const { covers, number } of this.#broad) if (number > mark && covers(key, tags)) return true
    return false
  }

  #note(name: string, seed: number): void {
    const last = (this.#last ??= new Float64Array(SLOTS))
    const value = hash(name, seed)
    last[value & (SLOTS - 1)] = this.#purges
    last[other(value)] = this.#purges
  }

  #isNoted(mark: PurgeMark, name: string, seed: number): boolean {
    const last = this.#last
    if (last === undefined) return false
    const value = hash(name, seed)
    return (last[value & (SLOTS - 1)] as number) > mark && (last[other(value)] as number) > mark
  }
}

/** FNV-1a. */
function hash(text: string, seed: number): number {
  let value = seed
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}

/** A second place, from bits that the first one has not seen. */
const other = (value: number): number => Math.imul(value ^ (value >>> 15), 0x2c1b3c6d) >>> 16
