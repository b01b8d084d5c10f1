/** What {@link S3Fifo} keeps in order. The fields are its own, save `bytes` and `uses`. */
export interface Queued {
  /** By which it is recognised when it comes back. */
  readonly key: string
  /** Changes by {@link resize} alone. */
  bytes: number
  /** Uses since it was last looked at, at most {@link MOST_USES}: whoever uses it adds one ({@link use}). */
  uses: number
  queue: Queue | null
  newer: Queued | null
  older: Queued | null
}

const MOST_USES = 3

/** Notes a use. This is all that a hit costs: nothing moves, so hits need no order among themselves. */
export function use(item: Queued): void {
  if (item.uses < MOST_USES) item.uses++
}

/** What it holds has become larger, or smaller. Its place stays the same. */
export function resize(item: Queued, bytes: number): void {
  if (item.queue !== null) item.queue.bytes += bytes
  item.bytes += bytes
}

/** A first-in, first-out list, linked through its items. */
class Queue {
  bytes = 0
  length = 0
  newest: Queued | null = null
  oldest: Queued | null = null

  add(item: Queued): void {
    item.queue = this
    item.newer = null
    item.older = this.newest
    if (this.newest === null) this.oldest = item
    else this.newest.newer = item
    this.newest = item
    this.bytes += item.bytes
    this.length++
  }

  remove(item: Queued): void {
    if (item.newer === null) this.newest = item.older
    else item.newer.older = item.older
    if (item.older === null) this.oldest = item.newer
    else item.older.newer = item.newer
    item.newer = item.older = item.queue = null
    this.bytes -= item.bytes
    this.length--
  }
}

/** FNV-1a, 32 bits. */
export function hash(text: string): number {
  let value = 0x811c9dc5
  for (let i = 0; i < text.length; i++) value = Math.imul(value ^ text.charCodeAt(i), 0x01000193)
  return value >>> 0
}

/**
 * Names of what was let go of lately, as hashes in a table of a fixed size: what lies in a slot is overwritten, and what
 * is older than `window` insertions counts as forgotten. Two names with one hash cost nothing but an early promotion.
 */
class Ghosts {
  readonly #hashes: Uint32Array
  readonly #times: Uint32Array
  #time = 0

  constructor(capacity: number) {
    const slots = 2 ** Math.ceil(Math.log2(Math.max(capacity, 8) * 2))
    this.#hashes = new Uint32Array(slots)
    this.#times = new Uint32Array(slots)
  }

  add(name: string): void {
    const value = hash(name)
    // Zero means empty; time goes round after 4 thousand million insertions, which forgets at worst.
    this.#time = (this.#time + 1) >>> 0 || 1
    const slot = this.#slot(value)
    this.#hashes[slot] = value
    this.#times[slot] = this.#time
  }

  /** Whether it was among the last `window`; it is forgotten thereby. */
  take(name: string, window: number): boolean {
    const value = hash(name)
    const slot = this.#slot(value)
    const time = this.#times[slot] as number
    if (time === 0 || this.#hashes[slot] !== value || this.#time - time >= window) return false
    this.#times[slot] = 0
    return true
  }

  clear(): void {
    this.#times.fill(0)
  }

  #slot(value: number): number {
    return (value ^ (value >>> 15)) & (this.#hashes.length - 1)
  }
}

/**
 * The order of eviction: S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023). What is new
 * goes through a small queue, a tenth of the bytes; only what is used there more than once reaches the main queue, so a
 * crawler that asks for everything once pushes out only its own. Why this one: `bench/micro/eviction.ts`.
 */
export class S3Fifo<Item extends Queued> {
  readonly #small = new Queue()
  readonly #main = new Queue()
  readonly #ghosts: Ghosts
  readonly #smallBytes: number
  readonly #smallItems: number

  /** @param limits what the owner keeps to; they shape the queues, the owner enforces them */
  constructor(limits: { maxItems: number; maxBytes: number }) {
    this.#smallBytes = limits.maxBytes / 10
    this.#smallItems = limits.maxItems / 10
    this.#ghosts = new Ghosts(limits.maxItems)
  }

  add(item: Item): void {
    item.uses = 0
    const known = this.#ghosts.take(item.key, this.#main.length + this.#small.length)
    if (known) this.#main.add(item)
    else this.#small.add(item)
  }

  /** Puts `item` into the queue that `previous` leaves, with its uses: a refreshed copy is as popular as the one before. */
  replace(previous: Item, item: Item): void {
    const { queue } = previous
    if (queue === null) return this.add(item)
    queue.remove(previous)
    item.uses = previous.uses
    queue.add(item)
  }

  remove(item: Item): void {
    item.queue?.remove(item)
  }

  /** Takes out what is to go next; `undefined` when there is nothing. */
  evict(): Item | undefined {
    const small = this.#small
    while (small.length + this.#main.length > 0) {
      const full = small.bytes >= this.#smallBytes || small.length >= this.#smallItems
      const gone = small.length > 0 && (full || this.#main.length === 0) ? this.#fromSmall() : this.#fromMain()
      if (gone !== undefined) return gone as Item
    }
    return undefined
  }

  clear(): void {
    this.#ghosts.clear()
    for (const queue of [this.#small, this.#main]) while (queue.oldest !== null) queue.remove(queue.oldest)
  }

  #fromSmall(): Queued | undefined {
    const item = this.#small.oldest as Queued
    this.#small.remove(item)
    if (item.uses > this.#weight(item)) {
      item.uses = 0
      this.#main.add(item)
      return undefined
    }
    this.#ghosts.add(item.key)
    return item
  }

  /** Each look takes a use away at least, so this ends after {@link MOST_USES} rounds at the latest. */
  #fromMain(): Queued | undefined {
    const item = this.#main.oldest as Queued
    this.#main.remove(item)
    const weight = this.#weight(item)
    if (item.uses < weight) return item
    item.uses -= weight
    this.#main.add(item)
    return undefined
  }

  /** What is heavier than the average stands in for several others, and has to be used more to be worth them. */
  #weight(item: Queued): number {
    const length = this.#small.length + this.#main.length + 1
    return item.bytes * length > this.#small.bytes + this.#main.bytes + item.bytes ? 2 : 1
  }
}
