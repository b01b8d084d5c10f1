import { test } from 'tap'
import type { Selector } from '../../../services/cache/store/selector.ts'
import type { Tier, TierFound } from '../../../services/cache/store/tier.ts'
import { offline } from './offline.ts'

const FRESH = ['cache-control', 'max-age=60']

void test('a hundred thousand URLs stay within the bounds of everything that remembers them', (t) => {
  const subject = offline(
    ({ target }) => {
      const kind = Number(target.slice(1)) % 4
      if (kind === 0) return { status: 200, fields: ['cache-control', 'private'], body: 'x' }
      if (kind === 1) return { status: 200, fields: [...FRESH, 'no-vary-search', 'params'], body: 'x' }
      if (kind === 2) return undefined
      return { status: 200, fields: [...FRESH, 'vary', 'x-a'], body: 'x' }
    },
    { store: { maxEntries: 1000, maxBytes: 1_000_000 } },
  )
  for (let i = 0; i < 100_000; i++) {
    subject.ask({ target: `/${i}` })
    subject.asked.length = 0
  }
  const stats = subject.store.stats()
  t.ok(stats.entries <= 1000 && stats.bytes <= 1_000_000, 'entries')
  t.ok(stats.entries > 500, 'and it keeps what it may')
  t.equal(subject.passes.size, 4096)
  t.equal(subject.cache.flights, 0)
  subject.store.close()
  t.end()
})

void test('variants of one URL are bounded', (t) => {
  const subject = offline(() => ({ status: 200, fields: [...FRESH, 'vary', 'x-a'], body: 'x' }))
  for (let i = 0; i < 1000; i++) subject.ask({ fields: { 'X-A': String(i) } })
  t.equal(subject.store.stats().entries, 32)
  subject.store.close()
  t.end()
})

void test('an answer that throws nobody off: an origin that cannot be named', (t) => {
  const subject = offline(() => ({ status: 200, fields: [...FRESH, 'cache-groups', '"a"'], body: 'x' }))
  for (const target of ['/', '//', '/x']) t.equal(subject.ask({ target }).status, 200)
  subject.store.close()
  t.end()
})

void test('what turns out private is not brought back by the second tier', async (t) => {
  const purged: [selector: Selector, mode: string][] = []
  const tier = {
    read: () => Promise.resolve([]),
    write: () => undefined,
    purge: (selector: Selector, mode: string) => {
      purged.push([selector, mode])
      return Promise.resolve(0)
    },
  } as unknown as Tier
  let control = 'max-age=1, stale-while-revalidate=600'
  const subject = offline(() => ({ status: 200, fields: ['cache-control', control], body: 'x' }), { tier })
  subject.ask({})
  // The tier's answer, and then the origin's.
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(subject.store.stats().entries, 1)
  subject.pass(10)
  control = 'private'
  subject.ask({})
  // The tier is asked before the refresh is sent.
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(subject.store.stats().entries, 0)
  t.match(purged, [[{ kind: 'key' }, 'hard']])
  subject.store.close()
})

void test('after a soft purge must-revalidate holds at once, also where the origin cannot be reached', async (t) => {
  let isThere = true
  const fields = ['cache-control', 'max-age=60, must-revalidate']
  const subject = offline(() => (isThere ? { status: 200, fields, body: 'x' } : undefined))
  t.equal(subject.ask({}).status, 200)
  await subject.cache.purge({ kind: 'all' }, 'soft')
  isThere = false
  t.equal(subject.ask({}).status, 502)
  subject.store.close()
})

void test('other processes hear of a mutation at once, and again when the second tier has it', async (t) => {
  const taken = Promise.withResolvers<number>()
  const tier = {
    read: () => Promise.resolve([]),
    write: () => undefined,
    purge: () => taken.promise,
  } as unknown as Tier
  const subject = offline(() => ({ status: 200, fields: FRESH, body: 'x' }), { tier })
  const heard: (readonly Selector[])[] = []
  subject.cache.announce = (selectors) => heard.push(selectors)
  subject.ask({ method: 'PUT', target: '/a' })
  const url = 'http://gateway.test/a'
  const told = [
    { kind: 'url', url },
    { kind: 'tag', tag: `url ${url}` },
  ]
  t.strictSame(heard, [told])
  taken.resolve(0)
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(heard, [told, told], 'it may have taken it from there meanwhile')
  subject.store.close()
})

void test('what another process tells of is dropped here, and not taken from the second tier', async (t) => {
  const purged: unknown[] = []
  let found: Promise<readonly TierFound[]> = Promise.resolve([])
  const tier = {
    read: () => found,
    write: () => undefined,
    purge: (selector: Selector) => purged.push(selector),
  } as unknown as Tier
  const subject = offline(() => ({ status: 200, fields: FRESH, body: 'x' }), { tier })
  const settled = (): Promise<unknown> => new Promise((resolve) => setImmediate(resolve))
  subject.ask({ target: '/a' })
  await settled()
  const old = subject.cache.find('http://gateway.test/a')[0]?.entries[0]?.stored
  const reading = Promise.withResolvers<readonly TierFound[]>()
  found = reading.promise
  subject.ask({ target: '/b' })
  subject.asked.length = 0
  subject.cache.heard(['/a', '/b'].map((path) => ({ kind: 'url', url: `http://gateway.test${path}` })))
  t.equal(subject.store.stats().entries, 0)
  reading.resolve([{ stored: old!, invalidated: false }])
  await settled()
  t.equal(subject.asked.length, 1, 'the origin is asked')
  t.strictSame(purged, [], 'the second tier has it already')
  subject.store.close()
})
