import { type Test, test } from 'tap'
import { MemoryStore, type MemoryStoreOptions } from '../../../../services/cache/store/memory.ts'
import { storedResponse } from './stored-response.ts'

const NEVER = Number.MAX_SAFE_INTEGER
const times = { bornAt: 0, freshUntil: NEVER, usableUntil: NEVER }

/** A store on a clock that the test moves; its timer is never waited for. */
function memory(t: Test, options: MemoryStoreOptions = {}) {
  const clock = { now: 1_000_000 }
  const store = new MemoryStore({ now: () => clock.now, ...options })
  t.teardown(() => store.close())
  const bodies = (key: string): unknown[] => store.get(key)?.entries.map(({ stored }) => stored.body) ?? []
  return { store, clock, bodies }
}

const english = ['accept-language', 'en']
const german = ['accept-language', 'de']

void test('what is put is found, with its times, and nothing else is', async (t) => {
  const { store } = memory(t)
  const response = storedResponse({ tags: ['a'], vary: english })
  const entry = store.put('k', response, { bornAt: 0, freshUntil: 5, usableUntil: 9 })
  t.equal(store.get('k')?.entries[0], entry)
  t.strictSame(entry?.stored, response)
  t.match(entry, { key: 'k', freshUntil: 5, usableUntil: 9, invalidated: false, hits: 0, head: undefined })
  t.equal(store.get('other'), undefined)
  t.equal(store.stats().bytes, entry?.bytes)
})

void test('variants live beside each other, latest first; the same variant replaces', async (t) => {
  const { store, bodies } = memory(t)
  store.put('k', storedResponse({ vary: english, body: 'hello', receivedAt: 2 }), times)
  store.put('k', storedResponse({ vary: german, body: 'hallo', receivedAt: 3 }), times)
  // From another tier, received before both.
  store.put('k', storedResponse({ vary: ['accept-encoding', 'br'], body: 'br', receivedAt: 1 }), times)
  t.strictSame(bodies('k'), ['hallo', 'hello', 'br'])
  t.strictSame(store.get('k')?.vary, ['accept-encoding', 'accept-language'])
  store.put('k', storedResponse({ vary: english, body: 'hello again', receivedAt: 4 }), times)
  t.strictSame(bodies('k'), ['hello again', 'hallo', 'br'])
  t.match(store.stats(), { entries: 3, keys: 1, insertions: 3, replacements: 1 })
})

void test('the names that choose among variants follow the variants', async (t) => {
  const { store } = memory(t)
  store.put('k', storedResponse({ receivedAt: 1 }), times)
  t.strictSame(store.get('k')?.vary, [])
  const varied = store.put('k', storedResponse({ vary: english, receivedAt: 2 }), times)
  t.strictSame(store.get('k')?.vary, ['accept-language'])
  store.deleteEntry(varied!)
  t.strictSame(store.get('k')?.vary, [])
})

void test('a list of variants that is being gone through does not change', async (t) => {
  const { store } = memory(t)
  store.put('k', storedResponse({ vary: english }), times)
  store.put('k', storedResponse({ vary: german }), times)
  const seen = store.get('k')!.entries
  store.delete('k')
  t.equal(seen.length, 2)
})

void test('a response refreshed in place keeps its hits and its place', async (t) => {
  const { store } = memory(t, { maxEntries: 10 })
  const first = store.put('kept', storedResponse(), times)!
  for (let i = 0; i < 3; i++) store.touch(first)
  const second = store.put('kept', storedResponse({ body: 'new' }), times)!
  t.equal(second.hits, 3)
  for (let i = 0; i < 15; i++) store.put(`scanned ${i}`, storedResponse(), times)
  t.equal(store.get('kept')?.entries[0], second)
})

void test('one variant too many drops the oldest that is not used', async (t) => {
  const { store, bodies } = memory(t, { maxVariants: 2 })
  const put = (body: string, receivedAt: number) =>
    store.put('k', storedResponse({ vary: ['accept-language', body], body, receivedAt }), times)!
  store.touch(put('en', 1))
  put('de', 2)
  put('fr', 3)
  t.strictSame(bodies('k'), ['fr', 'en'])
  t.match(store.stats(), { entries: 2, evictions: 1 })
})

void test('entries and bytes stay within their limits, and what was just stored stays', async (t) => {
  const { store } = memory(t, { maxEntries: 100, maxBytes: 200_000 })
  for (let i = 0; i < 1_000; i++) {
    const entry = store.put(`k${i}`, storedResponse({ body: 'x'.repeat((i * 7919) % 40_000) }), times)
    if (entry !== undefined) store.touch(entry)
    if (store.get(`k${i}`)?.entries[0] !== entry) t.fail(`k${i} is gone`)
    const { entries, bytes } = store.stats()
    if (entries > 100 || bytes > 200_000) t.fail(`${entries} entries, ${bytes} bytes`)
  }
  t.ok(store.stats().evictions > 800)
})

void test('what is larger than the store is refused, and what it would have replaced is gone', async (t) => {
  const { store } = memory(t, { maxBytes: 10_000 })
  store.put('k', storedResponse(), times)
  t.equal(store.put('k', storedResponse({ body: new Uint8Array(20_000) }), times), undefined)
  t.equal(store.get('k'), undefined)
  t.match(store.stats(), { entries: 0, bytes: 0, rejections: 1 })
})

void test('a replacement that needs the room of all others gets it', async (t) => {
  const { store, bodies } = memory(t, { maxBytes: 10_000 })
  store.put('k', storedResponse({ tags: ['t'] }), times)
  store.put('other', storedResponse(), times)
  const entry = store.put('k', storedResponse({ body: 'x'.repeat(9_000), tags: ['t'] }), times)
  t.strictSame([bodies('k').length, bodies('other').length], [1, 0])
  t.match(store.stats(), { entries: 1, keys: 1, bytes: entry?.bytes, evictions: 2 })
  t.strictSame(store.byTag('t'), [entry])
})

void test('what an entry holds besides counts, makes others go, and goes with it', async (t) => {
  const { store } = memory(t, { maxBytes: 10_000 })
  const first = store.put('first', storedResponse({ body: 'x'.repeat(4_000) }), times)!
  const second = store.put('second', storedResponse({ body: 'x'.repeat(500) }), times)!
  const before = store.stats().bytes
  t.ok(store.grow(second, 1_000))
  t.equal(store.stats().bytes, before + 1_000)
  t.notOk(store.grow(second, 10_000), 'larger than the store')
  t.ok(store.grow(second, 5_000))
  t.strictSame([store.get('first'), store.stats().evictions], [undefined, 1])
  t.notOk(store.grow(first, 1), 'it is gone')
  t.ok(store.grow(second, -6_000))
  t.equal(store.stats().bytes, second.bytes)
  store.delete('second')
  t.equal(store.stats().bytes, 0)
})

void test('100,000 keys stay bounded, and leave nothing behind', async (t) => {
  const { store } = memory(t)
  for (let i = 0; i < 100_000; i++) {
    store.put(`https://a/${i}`, storedResponse({ tags: [`t${i}`, 'all'], vary: ['accept', `${i % 3}`] }), times)
  }
  t.match(store.stats(), { entries: 2_000, keys: 2_000, tags: 2_001, insertions: 100_000, evictions: 98_000 })
  t.equal(store.byTag('all').length, 2_000)
  t.strictSame(store.byTag('t0'), [])
  t.strictSame(store.byUrl('https://a/0'), [])
  t.equal(store.invalidate({ kind: 'tag', tag: 'all' }, 'hard'), 2_000)
  t.match(store.stats(), { entries: 0, keys: 0, tags: 0, bytes: 0, purged: 2_000 })
})

void test('the store keeps nothing of the lists and buffers that it was given', async (t) => {
  const { store } = memory(t)
  const fields = ['a', 'b']
  const whole = new Uint8Array(100_000)
  const body = whole.subarray(10, 20_010)
  const entry = store.put('k', storedResponse({ fields, body, tags: ['t'] }), times)!
  fields[1] = 'changed'
  whole.fill(7)
  t.strictSame(entry.stored.fields, ['a', 'b'])
  const kept = entry.stored.body as Uint8Array
  t.equal(kept.buffer.byteLength, 20_000)
  t.equal(kept[0], 0)
})

void test('a body with a buffer of its own is not copied', async (t) => {
  const { store } = memory(t)
  const body = new Uint8Array(20_000)
  t.equal(store.put('k', storedResponse({ body }), times)?.stored.body, body)
})

const URLS = ['https://a/x', 'https://a/x?p=1', 'https://a/xy', 'https://b/x']
/** Each URL under two keys: as another policy, and with an extra. */
function filled(t: Test) {
  const made = memory(t)
  for (const url of URLS) {
    for (const key of [`F1${url}`, `F2${url}\nx-tenant: 1`]) {
      made.store.put(key, storedResponse({ tags: [url.slice(8, 9)], vary: english }), times)
      made.store.put(key, storedResponse({ tags: [url.slice(8, 9)], vary: german }), times)
    }
  }
  return made
}

const purges = [
  { selector: { kind: 'key', key: 'F1https://a/x' }, entries: 2, left: URLS },
  { selector: { kind: 'key', key: 'https://a/x' }, entries: 0, left: URLS },
  { selector: { kind: 'url', url: 'https://a/x' }, entries: 4, left: URLS.slice(1) },
  { selector: { kind: 'prefix', prefix: 'https://a/x' }, entries: 12, left: ['https://b/x'] },
  { selector: { kind: 'pattern', pattern: 'https://*/x' }, entries: 8, left: ['https://a/x?p=1', 'https://a/xy'] },
  { selector: { kind: 'tag', tag: 'b' }, entries: 4, left: URLS.slice(0, 3) },
  { selector: { kind: 'tag', tag: 'c' }, entries: 0, left: URLS },
  { selector: { kind: 'all' }, entries: 16, left: [] },
] as const

for (const { selector, entries, left } of purges) {
  void test(`a hard purge by ${JSON.stringify(selector)} drops all variants of what it covers`, async (t) => {
    const { store } = filled(t)
    t.equal(store.invalidate(selector, 'hard'), entries)
    t.strictSame(
      URLS.filter((url) => store.byUrl(url).length > 0),
      left,
    )
    t.match(store.stats(), { entries: 16 - entries, purged: entries, invalidated: 0 })
    t.equal(store.byTag('a').length + store.byTag('b').length, 16 - entries)
  })

  void test(`a soft purge by ${JSON.stringify(selector)} leaves it stale`, async (t) => {
    const { store, clock } = filled(t)
    t.equal(store.invalidate(selector, 'soft'), entries)
    t.match(store.stats(), { entries: 16, purged: 0, invalidated: entries })
    const all = URLS.flatMap((url) => store.byUrl(url)).flatMap((resource) => resource.entries)
    const stale = all.filter(({ invalidated, freshUntil }) => invalidated && freshUntil === clock.now)
    const untouched = all.filter(({ invalidated, freshUntil }) => !invalidated && freshUntil === NEVER)
    t.strictSame([stale.length, untouched.length], [entries, 16 - entries])
    t.ok(stale.every(({ usableUntil }) => usableUntil === NEVER))
  })
}

void test('a soft purge never makes anything fresher', async (t) => {
  const { store } = memory(t)
  const entry = store.put('k', storedResponse(), { bornAt: 0, freshUntil: 5, usableUntil: NEVER })
  store.invalidate({ kind: 'all' }, 'soft')
  t.equal(entry?.freshUntil, 5)
})

void test('what is stored after a soft purge is not stale', async (t) => {
  const { store } = memory(t)
  store.put('k', storedResponse(), times)
  store.invalidate({ kind: 'all' }, 'soft')
  t.match(store.put('k', storedResponse(), times), { invalidated: false, freshUntil: NEVER })
})

void test('dropping an entry twice, or one that was replaced or purged, changes nothing', async (t) => {
  const { store } = memory(t)
  const replaced = store.put('k', storedResponse(), times)!
  const entry = store.put('k', storedResponse(), times)!
  store.deleteEntry(replaced)
  t.equal(store.get('k')?.entries[0], entry)
  store.deleteEntry(entry)
  store.deleteEntry(entry)
  const purged = store.put('k', storedResponse(), times)!
  store.invalidate({ kind: 'all' }, 'hard')
  store.deleteEntry(purged)
  t.match(store.stats(), { entries: 0, bytes: 0 })
  t.equal(store.delete('k'), false)
})

void test('expired entries are swept, some keys a turn; what is usable stays', async (t) => {
  const { store, clock } = memory(t)
  for (let i = 0; i < 1_000; i++)
    store.put(`old ${i}`, storedResponse(), { bornAt: 0, freshUntil: 0, usableUntil: clock.now + 10 })
  store.put('mixed', storedResponse({ vary: english }), { bornAt: 0, freshUntil: 0, usableUntil: clock.now + 10 })
  store.put('mixed', storedResponse({ vary: german }), times)
  clock.now += 10
  const left: number[] = []
  for (let turn = 0; turn < 6; turn++) {
    store.sweep()
    left.push(store.stats().entries)
  }
  t.strictSame(left, [802, 602, 402, 202, 2, 1])
  t.equal(store.stats().expirations, 1_001)
  t.equal(store.get('mixed')?.entries.length, 1)
})

void test('a round through all keys begins once a second at most', async (t) => {
  const { store, clock } = memory(t)
  store.put('k', storedResponse(), times)
  store.sweep()
  store.put('gone', storedResponse(), { bornAt: 0, freshUntil: 0, usableUntil: clock.now })
  clock.now += 999
  store.sweep()
  t.equal(store.stats().entries, 2)
  clock.now += 1
  store.sweep()
  t.equal(store.stats().entries, 1)
})

void test('keys that come and go during a round do not end it', async (t) => {
  const { store, clock } = memory(t)
  for (let i = 0; i < 500; i++)
    store.put(`a${i}`, storedResponse(), { bornAt: 0, freshUntil: 0, usableUntil: clock.now })
  store.sweep()
  store.invalidate({ kind: 'all' }, 'hard')
  for (let i = 0; i < 300; i++)
    store.put(`b${i}`, storedResponse(), { bornAt: 0, freshUntil: 0, usableUntil: clock.now })
  for (let turn = 0; turn < 6; turn++) {
    store.sweep()
    clock.now += 1_000
  }
  t.equal(store.stats().entries, 0)
})

void test('the timer runs while there is something, and holds no process', async (t) => {
  const timers: { unref(): unknown; cleared: boolean }[] = []
  const { setInterval, clearInterval } = globalThis
  let referenced = 0
  t.teardown(() => Object.assign(globalThis, { setInterval, clearInterval }))
  Object.assign(globalThis, {
    setInterval: () => {
      referenced++
      const timer = {
        cleared: false,
        unref: () => {
          referenced--
          return timer
        },
      }
      timers.push(timer)
      return timer
    },
    clearInterval: (timer: { cleared: boolean } | undefined) => {
      if (timer !== undefined) timer.cleared = true
    },
  })
  const { store, clock } = memory(t)
  t.equal(timers.length, 0)
  store.put('a', storedResponse(), { bornAt: 0, freshUntil: 0, usableUntil: 0 })
  store.put('b', storedResponse(), { bornAt: 0, freshUntil: 0, usableUntil: 0 })
  t.strictSame([timers.length, referenced], [1, 0])
  store.sweep()
  t.strictSame([timers.length, timers[0]?.cleared], [1, true])
  clock.now += 5_000
  store.put('c', storedResponse(), times)
  t.equal(timers.length, 2)
})

void test('the top keys are those with most hits, under hashed names', async (t) => {
  const { store } = memory(t)
  for (let i = 0; i < 20; i++) {
    const entry = store.put(`secret ${i}`, storedResponse(), times)!
    for (let hit = 0; hit < (i * 7) % 20; hit++) store.touch(entry)
  }
  const top = store.top(3)
  t.strictSame(
    top.map(({ hits }) => hits),
    [19, 18, 17],
  )
  t.match(top[0], { name: /^[0-9a-f]{16}$/, variants: 1 })
  t.equal(store.top(100).length, 20)
  t.strictSame(store.top(0), [])
})
