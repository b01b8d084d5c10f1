import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import type { StoredResponse } from '../../../../services/cache/stored.ts'
import { MemoryStore } from '../../../../services/cache/store/memory.ts'
import { preparedHead } from '../../../../services/downstream/prepared.ts'
import { storedResponse } from './stored-response.ts'

setFlagsFromString('--expose_gc')
const collect = runInNewContext('gc') as () => void

const NEVER = Number.MAX_SAFE_INTEGER - 0.5
const fresh = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')
const usual = (i: number): string[] =>
  [
    ['content-type', 'application/json; charset=utf-8'],
    ['content-length', '1024'],
    ['cache-control', 'public, max-age=300, stale-while-revalidate=60'],
    ['date', new Date(1.8e12 + i * 10).toUTCString()],
    ['etag', `"${(i * 2_654_435_761).toString(36)}-1024"`],
    ['last-modified', new Date(1.7e12 + i * 1e6).toUTCString()],
    ['vary', 'accept-encoding'],
    ['server', 'nginx/1.26.2'],
  ].flatMap(([name = '', value = '']) => [fresh(name), fresh(value)])

/** After a turn of the event loop: what a WeakRef has given out is kept until then. */
async function held(): Promise<number> {
  await setImmediate()
  collect()
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** Bytes an entry: what V8 holds, and holds once each was served, and what the store counts. */
async function measure(count: number, keyOf: (i: number) => string, responseOf: (i: number) => StoredResponse) {
  const store = new MemoryStore({ maxEntries: count, maxBytes: 2 ** 31, maxVariants: count, now: () => 0 })
  const before = await held()
  for (let i = 0; i < count; i++) {
    store.put(fresh(keyOf(i)), responseOf(i), { bornAt: 0, freshUntil: NEVER, usableUntil: NEVER })
  }
  const stored = (await held()) - before
  for (let i = 0; i < count; i++) for (const entry of store.get(keyOf(i))!.entries) preparedHead(entry)
  const served = (await held()) - before
  const counted = store.stats().bytes
  store.close()
  return { stored: stored / count, served: served / count, counted: counted / count }
}

const shapes: Record<string, [keyOf: (i: number) => string, responseOf: (i: number) => StoredResponse]> = {
  'usual answers of an API': [
    (i) => `3f2a91c4https://api.example.com/vehicles/${i}?expand=owner`,
    (i) =>
      storedResponse({
        fields: usual(i),
        body: fresh('x'.repeat(1024)),
        vary: [fresh('accept-encoding'), fresh('gzip')],
        requestedAt: 1e12 + i + 0.5,
        receivedAt: 1e12 + i + 0.5,
      }),
  ],
  'nothing that repeats': [
    (i) => `https://a/${i}/${'p'.repeat(300)}`,
    (i) =>
      storedResponse({
        fields: Array.from({ length: 20 }, (_, j) =>
          j % 2 === 0 ? `name-${j}` : fresh(`${i}-${j}-${'v'.repeat(j * 4)}`),
        ),
        body: fresh(`${i}`),
        vary: [fresh('cookie'), fresh(`session=${i}`)],
        tags: Array.from({ length: 5 }, (_, j) => fresh(`tag-${i}-${j}`)),
        requestedAt: i + 0.5,
        receivedAt: i + 0.5,
      }),
  ],
  'tags of two entries each': [
    (i) => `https://a/${i}`,
    (i) => storedResponse({ tags: Array.from({ length: 5 }, (_, j) => fresh(`tag-${i >> 1}-${j}`)), body: '' }),
  ],
  'large bodies, cut from larger buffers': [
    (i) => `https://a/${i}`,
    () => storedResponse({ body: Buffer.allocUnsafeSlow(65_536).subarray(100, 20_100) }),
  ],
  'small bodies, cut from larger strings': [
    (i) => `https://a/${i}`,
    () => storedResponse({ body: fresh('x'.repeat(65_536)).slice(100, 1_100) }),
  ],
}

/** What the process has come to hold meanwhile for other reasons: a function that was compiled, a timer. */
const OWN_BYTES = 32_768

for (const [name, [keyOf, responseOf]] of Object.entries(shapes)) {
  void test(`what is counted is held, and not much less is: ${name}`, async (t) => {
    const count = name.startsWith('large') ? 1_000 : 4_000
    const { stored, served, counted } = await measure(count, keyOf, responseOf)
    t.comment(`stored ${stored.toFixed(0)}, served ${served.toFixed(0)}, counted ${counted.toFixed(0)}`)
    t.ok(served <= counted + OWN_BYTES / count, `${served} held, ${counted} counted`)
    t.ok(counted <= served * 1.6, `${served} held, ${counted} counted`)
    if (name.startsWith('usual')) t.ok(served - 1024 <= 1024, `overhead of ${served - 1024}`)
  })
}
