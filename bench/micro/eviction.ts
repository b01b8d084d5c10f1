/**
 * Which policy of eviction keeps the right things: hit ratios on Zipf traces, and what a get costs.
 * `node bench/micro/eviction.ts`: a minute. 100,000 objects, 1,000,000 requests, seeded: the ratios are the same each run.
 */
import { type Queued, S3Fifo, use } from '../../services/cache/store/s3-fifo.ts'

const OBJECTS = 100_000
const REQUESTS = 1_000_000

interface Policy {
  /** Whether it was there; counts as a use. */
  get(id: number): boolean
  /** Called after a miss. */
  put(id: number, bytes: number): void
}
type PolicyClass = new (maxBytes: number, maxItems: number) => Policy

/** Item of the doubly linked lists below. */
class Node {
  readonly id: number
  readonly bytes: number
  newer: Node | null = null
  older: Node | null = null
  used = false
  list: List | null = null
  constructor(id: number, bytes: number) {
    this.id = id
    this.bytes = bytes
  }
}

class List {
  bytes = 0
  newest: Node | null = null
  oldest: Node | null = null
  add(node: Node): void {
    node.list = this
    node.newer = null
    node.older = this.newest
    if (this.newest === null) this.oldest = node
    else this.newest.newer = node
    this.newest = node
    this.bytes += node.bytes
  }
  remove(node: Node): void {
    if (node.newer === null) this.newest = node.older
    else node.newer.older = node.older
    if (node.older === null) this.oldest = node.newer
    else node.older.newer = node.newer
    this.bytes -= node.bytes
  }
}

class Lru implements Policy {
  readonly #nodes = new Map<number, Node>()
  readonly #list = new List()
  readonly #maxBytes: number
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }
  get(id: number): boolean {
    const node = this.#nodes.get(id)
    if (node === undefined) return false
    if (node !== this.#list.newest) {
      this.#list.remove(node)
      this.#list.add(node)
    }
    return true
  }
  put(id: number, bytes: number): void {
    if (bytes > this.#maxBytes) return
    while (this.#list.bytes + bytes > this.#maxBytes) {
      const gone = this.#list.oldest!
      this.#list.remove(gone)
      this.#nodes.delete(gone.id)
    }
    const node = new Node(id, bytes)
    this.#nodes.set(id, node)
    this.#list.add(node)
  }
}

/** Zhang et al., "SIEVE is simpler than LRU", NSDI 2024. */
class Sieve implements Policy {
  readonly #nodes = new Map<number, Node>()
  readonly #list = new List()
  readonly #maxBytes: number
  #hand: Node | null = null
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }
  get(id: number): boolean {
    const node = this.#nodes.get(id)
    if (node === undefined) return false
    node.used = true
    return true
  }
  put(id: number, bytes: number): void {
    if (bytes > this.#maxBytes) return
    while (this.#list.bytes + bytes > this.#maxBytes) {
      let node = this.#hand ?? this.#list.oldest!
      while (node.used) {
        node.used = false
        node = node.newer ?? this.#list.oldest!
      }
      this.#hand = node.newer
      this.#list.remove(node)
      this.#nodes.delete(node.id)
    }
    const node = new Node(id, bytes)
    this.#nodes.set(id, node)
    this.#list.add(node)
  }
}

/** The store's own. */
class S3 implements Policy {
  readonly #items = new Map<number, Queued & { id: number }>()
  readonly #order: S3Fifo<Queued & { id: number }>
  readonly #maxBytes: number
  #bytes = 0
  constructor(maxBytes: number, maxItems: number) {
    this.#maxBytes = maxBytes
    this.#order = new S3Fifo({ maxBytes, maxItems })
  }
  get(id: number): boolean {
    const item = this.#items.get(id)
    if (item === undefined) return false
    use(item)
    return true
  }
  put(id: number, bytes: number): void {
    if (bytes > this.#maxBytes) return
    while (this.#bytes + bytes > this.#maxBytes) {
      const gone = this.#order.evict()!
      this.#items.delete(gone.id)
      this.#bytes -= gone.bytes
    }
    const item = { id, key: String(id), bytes, uses: 0, queue: null, newer: null, older: null }
    this.#items.set(id, item)
    this.#order.add(item)
    this.#bytes += bytes
  }
}

/** Counts uses in four bits, of all that is asked for, kept or not; halved after every ten times `items` uses. */
class Sketch {
  readonly #counts: Uint8Array
  readonly #sample: number
  #uses = 0
  constructor(items: number) {
    this.#counts = new Uint8Array(2 ** Math.ceil(Math.log2(items * 4)))
    this.#sample = items * 10
  }
  add(id: number): void {
    for (let row = 0; row < 4; row++) {
      const slot = this.#slot(id, row)
      if (this.#counts[slot]! < 15) this.#counts[slot]!++
    }
    if (++this.#uses < this.#sample) return
    this.#uses = 0
    for (let i = 0; i < this.#counts.length; i++) this.#counts[i]! >>= 1
  }
  estimate(id: number): number {
    let least = 15
    for (let row = 0; row < 4; row++) least = Math.min(least, this.#counts[this.#slot(id, row)]!)
    return least
  }
  #slot(id: number, row: number): number {
    const mixed = Math.imul(id ^ (row * 0x9e3779b9), 0x85ebca6b)
    return ((mixed ^ (mixed >>> 13)) >>> 0) & (this.#counts.length - 1)
  }
}

/** Einziger et al., "TinyLFU", 2017: a window of 1 % before a segmented LRU, which it enters past a less used victim. */
class TinyLfu implements Policy {
  readonly #nodes = new Map<number, Node>()
  readonly #window = new List()
  readonly #trial = new List()
  readonly #kept = new List()
  readonly #sketch: Sketch
  readonly #windowBytes: number
  readonly #mainBytes: number
  constructor(maxBytes: number, maxItems: number) {
    this.#windowBytes = maxBytes * 0.01
    this.#mainBytes = maxBytes - this.#windowBytes
    this.#sketch = new Sketch(maxItems)
  }
  get(id: number): boolean {
    this.#sketch.add(id)
    const node = this.#nodes.get(id)
    if (node === undefined) return false
    node.list!.remove(node)
    if (node.list === this.#window) this.#window.add(node)
    else this.#kept.add(node)
    while (this.#kept.bytes > this.#mainBytes * 0.8) {
      const demoted = this.#kept.oldest!
      this.#kept.remove(demoted)
      this.#trial.add(demoted)
    }
    return true
  }
  put(id: number, bytes: number): void {
    const node = new Node(id, bytes)
    this.#nodes.set(id, node)
    this.#window.add(node)
    while (this.#window.bytes > this.#windowBytes && this.#window.oldest !== null) this.#leaveWindow()
  }
  #leaveWindow(): void {
    const candidate = this.#window.oldest!
    this.#window.remove(candidate)
    const frequency = this.#sketch.estimate(candidate.id)
    while (this.#trial.bytes + this.#kept.bytes + candidate.bytes > this.#mainBytes) {
      const victim = this.#trial.oldest ?? this.#kept.oldest
      if (victim === null || frequency <= this.#sketch.estimate(victim.id)) {
        this.#nodes.delete(candidate.id)
        return
      }
      victim.list!.remove(victim)
      this.#nodes.delete(victim.id)
    }
    this.#trial.add(candidate)
  }
}

/** Mulberry32: the same numbers in each run. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let value = Math.imul(state ^ (state >>> 15), 1 | state)
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32
  }
}

function zipf(alpha: number, next: () => number): () => number {
  const cumulative = new Float64Array(OBJECTS)
  let sum = 0
  for (let i = 0; i < OBJECTS; i++) cumulative[i] = sum += 1 / (i + 1) ** alpha
  return () => {
    const wanted = next() * sum
    let low = 0
    let high = OBJECTS - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (cumulative[middle]! < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

interface Trace {
  ids: Uint32Array
  sizes: Uint32Array
}

type Shape = 'plain' | 'scans' | 'shift' | 'sizes'

/**
 * `scans`: a quarter of the requests are crawlers', in runs of 5,000, each object once. `shift`: other objects are the
 * popular ones after each fifth. `sizes`: log-normal around 4 KiB up to 1 MiB, whatever the popularity.
 */
function trace(alpha: number, shape: Shape): Trace {
  const next = random(42)
  const draw = zipf(alpha, next)
  const ids = new Uint32Array(REQUESTS)
  let crawled = OBJECTS
  for (let i = 0; i < REQUESTS; i++) {
    if (shape === 'scans' && Math.floor(i / 5000) % 4 === 3) ids[i] = crawled++
    else if (shape === 'shift') ids[i] = (draw() + Math.floor((i * 5) / REQUESTS) * 20_000) % OBJECTS
    else ids[i] = draw()
  }
  const sizes = new Uint32Array(crawled).fill(1)
  if (shape === 'sizes' || shape === 'scans') {
    for (let i = 0; i < sizes.length; i++) {
      const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next())
      sizes[i] = Math.min(1 << 20, Math.ceil(4096 * Math.exp(1.5 * normal)))
    }
  }
  return { ids, sizes }
}

/** Hits of all requests, after a tenth to warm up; and CPU of a request. */
function replay(Kind: PolicyClass, { ids, sizes }: Trace, share: number): { ratio: number; ns: number } {
  let total = 0
  for (let i = 0; i < OBJECTS; i++) total += sizes[i]!
  const policy = new Kind(total * share, OBJECTS * share)
  let hits = 0
  const warm = REQUESTS / 10
  const { user, system } = process.cpuUsage()
  for (let i = 0; i < REQUESTS; i++) {
    const id = ids[i]!
    if (policy.get(id)) hits += i >= warm ? 1 : 0
    else policy.put(id, sizes[id]!)
  }
  const after = process.cpuUsage()
  return { ratio: hits / (REQUESTS - warm), ns: ((after.user + after.system - user - system) * 1000) / REQUESTS }
}

/** CPU of a get that hits, 1,000 objects in the cache, median of seven rounds. */
function hitCost(Kind: PolicyClass): number {
  const policy = new Kind(100_000, 100_000)
  const draw = zipf(0.9, random(7))
  const ids = Uint32Array.from({ length: 65_536 }, () => draw() % 1000)
  for (let id = 0; id < 1000; id++) policy.put(id, 1)
  const rounds: number[] = []
  for (let round = 0; round < 7; round++) {
    const start = process.cpuUsage()
    for (let i = 0; i < 5_000_000; i++) policy.get(ids[i & 65_535]!)
    const { user, system } = process.cpuUsage(start)
    rounds.push((user + system) / 5000)
  }
  return rounds.sort((a, b) => a - b)[3]!
}

const POLICIES: Record<string, PolicyClass> = { LRU: Lru, SIEVE: Sieve, 'S3-FIFO': S3, 'W-TinyLFU': TinyLfu }
const names = Object.keys(POLICIES)
const line = (cells: string[]): void => void process.stdout.write(`| ${cells.join(' | ')} |\n`)

line(['trace', 'cache', ...names])
line(['---', '---', ...names.map(() => '---')])
const sums = names.map(() => ({ ratio: 0, ns: 0 }))
let rows = 0
for (const shape of ['plain', 'sizes', 'scans', 'shift'] as const) {
  for (const alpha of [0.7, 0.9, 1.1]) {
    const made = trace(alpha, shape)
    for (const share of [0.01, 0.1]) {
      const results = names.map((name) => replay(POLICIES[name]!, made, share))
      results.forEach(({ ratio, ns }, i) => {
        sums[i]!.ratio += ratio
        sums[i]!.ns += ns
      })
      rows++
      line([`${shape}, α ${alpha}`, `${share * 100} %`, ...results.map(({ ratio }) => (ratio * 100).toFixed(1))])
    }
  }
}
line(['mean hit ratio, %', '', ...sums.map(({ ratio }) => ((ratio / rows) * 100).toFixed(2))])
line(['CPU of a request, ns', '', ...sums.map(({ ns }) => (ns / rows).toFixed(0))])
line(['CPU of a hit, ns', '', ...names.map((name) => hitCost(POLICIES[name]!).toFixed(1))])
