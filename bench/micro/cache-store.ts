/** What the store's operations cost: `node bench/micro/cache-store.ts`. 100,000 keys, 1 KiB bodies, ten fields. */
import type { StoredResponse } from '../../services/cache/stored.ts'
import { decode, encode } from '../../services/cache/store/codec.ts'
import { MemoryStore } from '../../services/cache/store/memory.ts'

const KEYS = 100_000
const times = { bornAt: 0, freshUntil: 2e12, usableUntil: 2e12 }
const keys = Array.from({ length: KEYS }, (_, i) =>
  Buffer.from(`3f2a91c4https://api.example.com/v1/vehicles/${i}`).toString(),
)

const response = (i: number): StoredResponse => ({
  status: 200,
  fields: [
    ['content-type', 'application/json; charset=utf-8'],
    ['content-length', '1024'],
    ['cache-control', 'public, max-age=300'],
    ['date', new Date(1.8e12 + i).toUTCString()],
    ['etag', `"${i}-1024"`],
    ['last-modified', new Date(1.7e12 + i * 1e6).toUTCString()],
    ['vary', 'accept-encoding'],
    ['server', 'nginx/1.26.2'],
    ['x-content-type-options', 'nosniff'],
    ['strict-transport-security', 'max-age=31536000; includeSubDomains'],
  ].flat(),
  requestedAt: 1.8e12,
  receivedAt: 1.8e12,
  body: Buffer.alloc(1024, 'x').toString('latin1'),
  part: null,
  vary: ['accept-encoding', 'gzip'],
  tags: ['vehicles', `vehicle-${i}`],
})

/** Median of the rounds. */
function measure(name: string, operations: number, round: () => void, rounds = 5): void {
  const spent: number[] = []
  for (let i = 0; i < rounds; i++) {
    const start = process.hrtime.bigint()
    round()
    spent.push(Number(process.hrtime.bigint() - start) / operations)
  }
  const ns = spent.sort((a, b) => a - b)[rounds >> 1]!
  const figure = ns < 1e5 ? `${ns.toFixed(0)} ns` : `${(ns / 1e6).toFixed(1)} ms`
  process.stdout.write(`${name.padEnd(56)} ${figure.padStart(9)}\n`)
}

const store = new MemoryStore({ maxEntries: KEYS, maxBytes: 2 ** 31 })
const responses = keys.slice(0, 1000).map((_, i) => response(i))
measure('put, new or in place of itself', KEYS, () => {
  for (let i = 0; i < KEYS; i++) store.put(keys[i]!, responses[i % 1000]!, times)
})
const full = new MemoryStore({ maxEntries: 2_000 })
measure('put that evicts', KEYS, () => {
  for (let i = 0; i < KEYS; i++) full.put(keys[i]!, responses[i % 1000]!, times)
})
for (const [name, count] of [
  ['1,000', 1_000],
  ['100,000', KEYS],
] as const) {
  measure(`get and touch, among ${name} keys in turn`, 1e6, () => {
    for (let i = 0; i < 1e6; i++) store.touch(store.get(keys[i % count]!)!.entries[0]!)
  })
}
measure('soft purge by tag, one entry', 1_000, () => {
  for (let i = 0; i < 1_000; i++) store.invalidate({ kind: 'tag', tag: `vehicle-x${i}` }, 'soft')
})
measure('soft purge by prefix, all of 100,000, the whole turn', 1, () => {
  store.invalidate({ kind: 'prefix', prefix: 'https://api.example.com/v1/' }, 'soft')
})
measure('soft purge by pattern, none of 100,000, the whole turn', 1, () => {
  store.invalidate({ kind: 'pattern', pattern: 'https://*.example.com/*/owners/*' }, 'soft')
})
measure('top 10 of 100,000, the whole turn', 1, () => void store.top(10))
let clock = Date.now()
const swept = new MemoryStore({ maxEntries: KEYS, maxBytes: 2 ** 31, now: () => clock })
for (let i = 0; i < KEYS; i++) swept.put(keys[i]!, responses[i % 1000]!, times)
measure('sweep of 200 keys, the whole turn', 400, () => {
  clock += 2_000
  for (let i = 0; i < 400; i++) swept.sweep()
})
const purgeAll = (): void => void swept.invalidate({ kind: 'all' }, 'hard')
measure('hard purge of all of 100,000, the whole turn', 1, purgeAll, 1)
const encoded = encode(response(1))
measure(`encode, ${encoded.length} bytes`, 1e5, () => {
  for (let i = 0; i < 1e5; i++) encode(responses[i % 1000]!)
})
measure('decode', 1e5, () => {
  for (let i = 0; i < 1e5; i++) decode(encoded)
})
for (const each of [store, full, swept]) each.close()
