import { test } from 'tap'
import type { PurgeMode } from '../../../../services/cache/purge-mode.ts'
import type { PurgeSource } from '../../../../services/cache/purge-source.ts'
import { purgeStorage } from '../../../../services/cache/storage.ts'
import type { Selector } from '../../../../services/cache/store/selector.ts'
import { FakeTier } from '../fake-tier.ts'
import { storedResponse } from '../store/stored-response.ts'
import { held, MINUTE, settled, type Started, startCache } from './start.ts'

const HOUR = 60 * MINUTE

void test('what is not there is made once, and kept for an hour', async (t) => {
  const { cache, pass } = startCache()
  let calls = 0
  const make = () => ++calls
  t.equal(await cache.getOrSet('n', make), 1)
  pass(HOUR - 1)
  t.equal(await cache.getOrSet('n', make), 1)
  pass(1)
  t.equal(await cache.getOrSet('n', make), 2)
  t.match(cache.stats(), { hits: 1, misses: 2, stores: 2 })
})

void test('a thousand who ask at once have it made once', async (t) => {
  const { cache } = startCache()
  const { make, calls } = held<number>()
  const asked = Array.from({ length: 1000 }, () => cache.getOrSet('n', make))
  await settled()
  t.equal(calls.length, 1)
  calls[0]?.resolve(7)
  t.same(new Set(await Promise.all(asked)), new Set([7]))
  t.match(cache.stats(), { misses: 1, collapsed: 999, making: 0 })
})

void test('everybody gets a copy: nobody changes what is stored, or what others have', async (t) => {
  const { cache } = startCache()
  const original = { list: [1], bytes: Buffer.from('abc'), at: new Date(0), names: new Map([['a', 1n]]) }
  const make = () => original
  const [one, other] = await Promise.all([cache.getOrSet('v', make), cache.getOrSet('v', make)])
  original.list.push(2)
  one.list.push(3)
  one.bytes[0] = 0
  t.same(other, { ...original, list: [1] })
  t.ok(Buffer.isBuffer(other.bytes))
  t.same(await cache.getOrSet('v', make), { ...original, list: [1] })
})

void test('bytes too large for a string are as safe from their readers', async (t) => {
  const { cache } = startCache()
  await cache.set('bytes', Buffer.alloc(50_000, 'a'))
  const first = (await cache.get<Buffer>('bytes')) as Buffer
  first.fill('b')
  t.same(await cache.get('bytes'), Buffer.alloc(50_000, 'a'))
})

void test('a function that fails is told to all who wait, keeps nothing, and is called again by the next', async (t) => {
  const { cache } = startCache()
  const { make, calls } = held<number>()
  const asked = [cache.getOrSet('n', make), cache.getOrSet('n', make)]
  await settled()
  calls[0]?.reject(new Error('down'))
  for (const { status } of await Promise.allSettled(asked)) t.equal(status, 'rejected')
  const again = cache.getOrSet('n', make)
  await settled()
  calls[1]?.resolve(1)
  t.equal(await again, 1)
  await t.rejects(
    cache.getOrSet('sync', () => {
      throw new Error('at once')
    }),
    { message: 'at once' },
  )
  t.equal(cache.stats().making, 0)
})

void test('a function that never settles holds nobody up after its time, and what it brings later is nothing', async (t) => {
  const { cache } = startCache()
  const { make, calls, signals } = held<string>()
  const asked = cache.getOrSet('n', make, { timeout: '5ms' })
  await t.rejects(asked, { code: 'HR_CACHE_VALUE_TIMEOUT', statusCode: 504, message: /'n'.*5ms/ })
  t.equal(signals[0]?.aborted, true)
  t.equal(cache.stats().making, 0)
  t.equal(await cache.getOrSet('n', () => 'new'), 'new')
  calls[0]?.resolve('late')
  await settled()
  t.equal(await cache.get('n'), 'new')
})

void test('stale is served at once while exactly one call makes it anew', async (t) => {
  const { cache, pass } = startCache()
  const options = { ttl: '1m', staleWhileRevalidate: '1m' }
  await cache.getOrSet('n', () => 'old', options)
  const { make, calls } = held<string>()
  pass(MINUTE)
  for (let i = 0; i < 5; i++) t.equal(await cache.getOrSet('n', make, options), 'old')
  t.equal(calls.length, 1)
  calls[0]?.resolve('new')
  await settled()
  t.equal(await cache.getOrSet('n', make, options), 'new')
  pass(2 * MINUTE)
  const asked = cache.getOrSet('n', make, options)
  await settled()
  calls[1]?.resolve('newer')
  t.equal(await asked, 'newer', 'past both times it is waited for')
  t.match(cache.stats(), { stale: 5, refreshes: 1 })
})

void test('a refresh that fails is warned of, and leaves what is stale', async (t) => {
  const { cache, pass, warnings } = startCache()
  const options = { ttl: '1m', staleWhileRevalidate: '1m' }
  await cache.getOrSet('n', () => 'old', options)
  pass(MINUTE)
  const fail = () => Promise.reject(new Error('down'))
  t.equal(await cache.getOrSet('n', fail, options), 'old')
  await settled()
  t.match(warnings, [{ error: { message: 'down' }, message: /'n'/ }])
  t.equal(await cache.getOrSet('n', () => 'new', options), 'old')
})

void test('refreshes are bounded: with too many at a time a stale value waits for its turn', async (t) => {
  const { cache, pass } = startCache()
  const options = { ttl: '1m', staleWhileRevalidate: '1m' }
  for (let i = 0; i < 80; i++) await cache.set(`n${i}`, i, options)
  pass(MINUTE)
  const { make, calls } = held<number>()
  for (let i = 0; i < 80; i++) t.equal(await cache.getOrSet(`n${i}`, make, options), i)
  t.equal(calls.length, 64)
  calls[0]?.resolve(0)
  await settled()
  await cache.getOrSet('n70', make, options)
  t.equal(calls.length, 65)
  await cache.close()
})

void test('stale is served where making it anew fails, for as long as that is allowed', async (t) => {
  const { cache, pass } = startCache()
  const options = { ttl: '1m', staleIfError: '1m' }
  await cache.getOrSet('n', () => 'old', options)
  const fail = () => Promise.reject(new Error('down'))
  pass(MINUTE)
  t.equal(await cache.getOrSet('n', fail, options), 'old')
  await t.rejects(cache.getOrSet('n', fail, { ttl: '1m' }), { message: 'down' }, 'only where this call allows it')
  pass(MINUTE)
  await t.rejects(cache.getOrSet('n', fail, options), { message: 'down' })
})

void test('"there is none" is an answer, kept for as long as negativeTtl says', async (t) => {
  const { cache, pass } = startCache()
  let calls = 0
  const none = (what: null | undefined) => () => (calls++, what)
  const options = { ttl: '1h', negativeTtl: '1m' }
  for (const what of [null, undefined] as const) {
    calls = 0
    t.equal(await cache.getOrSet(`none ${what}`, none(what), options), what)
    t.equal(await cache.getOrSet(`none ${what}`, none(what), options), what)
    t.equal(calls, 1)
    pass(MINUTE)
    await cache.getOrSet(`none ${what}`, none(what), options)
    t.equal(calls, 2)
  }
  calls = 0
  await cache.getOrSet('no', none(null), { negativeTtl: '0s' })
  await cache.getOrSet('no', none(null), { negativeTtl: '0s' })
  t.equal(calls, 2, '0s: not stored')
})

void test('what began before a purge is not stored, and is not for who asks after it', async (t) => {
  for (const purge of [{ tag: 'vehicles' }, { key: 'v:1' }, { pattern: 'v:*' }, { all: true }]) {
    const { cache } = startCache()
    const { make, calls } = held<string>()
    const before = cache.getOrSet('v:1', make, { tags: ['vehicles'] })
    await settled()
    t.equal(await cache.purge(purge), 0)
    const after = cache.getOrSet('v:1', make, { tags: ['vehicles'] })
    await settled()
    t.equal(calls.length, 2, JSON.stringify(purge))
    calls[1]?.resolve('new')
    t.equal(await after, 'new')
    calls[0]?.resolve('old')
    t.equal(await before, 'old')
    t.equal(await cache.get('v:1'), 'new')
    t.match(cache.stats(), { outdated: 1, making: 0 })
  }
})

void test('what is set, or deleted, while it is made stays so', async (t) => {
  const { cache } = startCache()
  const { make, calls } = held<string>()
  for (const change of [() => cache.set('n', 'set'), () => cache.mset([['n', 'set']])]) {
    const asked = cache.getOrSet('n', make)
    await settled()
    await change()
    calls.at(-1)?.resolve('made')
    t.equal(await asked, 'made')
    t.equal(await cache.get('n'), 'set')
    t.equal(await cache.delete('n'), true)
  }
  const asked = cache.getOrSet('n', make)
  await settled()
  t.equal(await cache.delete('n'), false)
  calls.at(-1)?.resolve('made')
  await asked
  t.equal(await cache.get('n'), undefined)
})

void test('a purge covers what it names, hard or soft', async (t) => {
  const { cache } = startCache()
  const options = { staleWhileRevalidate: '1m' }
  await cache.mset(
    new Map([
      ['vehicle:1', 'a'],
      ['vehicle:2', 'b'],
      ['a/b://c', 'c'],
    ]),
    { ...options, tags: ['t'] },
  )
  await cache.set('driver:1', 'd', { ...options, tags: ['t', 'u'] })
  t.equal(await cache.purge({ pattern: 'vehicle:*', mode: 'soft' }), 2)
  t.equal(await cache.get('vehicle:1'), undefined, 'stale is not fresh')
  t.equal(await cache.getOrSet('vehicle:1', () => 'new', options), 'a')
  await settled()
  t.equal(await cache.get('vehicle:1'), 'new')
  t.equal(await cache.purge({ pattern: 'a/*' }), 1)
  t.equal(await cache.purge({ tag: 'u' }), 1)
  t.equal(await cache.purge({ tag: 't' }), 1)
  t.equal(await cache.purge({ all: true }), 1, 'what was made anew has the tags that it was made with')
})

void test('no purge of URLs finds one in the key of a value', async (t) => {
  const { cache } = startCache()
  const key = 'fetched https://a.test/x'
  await cache.set(key, 1)
  for (const purge of [
    { url: 'https://a.test/x' },
    { url: '/x' },
    { prefix: '/' },
    { pattern: '/*' },
    { pattern: 'https://*' },
  ]) {
    t.equal(await cache.purge(purge), 0, JSON.stringify(purge))
  }
  t.equal(await cache.get(key), 1)
  t.equal(await cache.purge({ pattern: 'fetched https://a.test/*' }), 1)
})

void test('a purge that names nothing, or two things, says so', async (t) => {
  const { cache } = startCache()
  await t.rejects(cache.purge({}), { code: 'HR_CACHE_SELECTOR' })
  await t.rejects(cache.purge({ tag: 'a', pattern: 'b' }), { code: 'HR_CACHE_SELECTOR' })
  await t.rejects(cache.purge({ tag: 'a', key: 'b' }), { code: 'HR_CACHE_OPTION' })
  await t.rejects(cache.purge({ tag: '' }), { code: 'HR_CACHE_OPTION' })
  await t.rejects(cache.purge({ tag: 7 as never }), { code: 'HR_CACHE_OPTION' })
  await t.rejects(cache.purge({ tag: 'a', mode: 'mild' as never }), { code: 'HR_CACHE_OPTION', message: /'mild'/ })
  await t.rejects(cache.purge({ url: 'nonsense' }), { code: 'HR_CACHE_TARGET' })
})

void test('several are read and written at once', async (t) => {
  const { cache, pass } = startCache()
  await cache.mset(
    [
      ['a', 1],
      ['b', null],
    ],
    { ttl: '1m' },
  )
  await cache.set('c', 3)
  t.same(
    await cache.mget(['a', 'b', 'c', 'd']),
    new Map<string, unknown>([
      ['a', 1],
      ['b', null],
      ['c', 3],
    ]),
  )
  pass(MINUTE)
  t.same(await cache.mget(['a', 'c']), new Map([['c', 3]]))
  const many = Array.from({ length: 1001 }, (_, i) => `k${i}`)
  await t.rejects(cache.mget(many), { code: 'HR_CACHE_BATCH_SIZE' })
  await t.rejects(cache.mset(many.map((key) => [key, 1] as const)), { code: 'HR_CACHE_BATCH_SIZE' })
  await t.rejects(
    cache.mset([
      ['e', 1],
      ['f', () => 1],
    ]),
    { code: 'HR_CACHE_VALUE_TYPE' },
  )
  t.equal(await cache.get('e'), undefined, 'all or none')
  for (const entries of [{ g: 1 }, 'gh', ['gh'], new Set(['gh']), null]) {
    await t.rejects(cache.mset(entries as never), { code: 'HR_CACHE_OPTION', message: /Object\.entries/ })
  }
  await t.rejects(cache.mget('gh' as never), { code: 'HR_CACHE_OPTION' })
})

void test('a wrapped function is asked when its arguments are new, with their key and tags', async (t) => {
  const { cache } = startCache()
  const calls: number[] = []
  const vehicle = cache.wrap(
    async (id: number, detail: string) => {
      calls.push(id)
      return `${id} ${detail}`
    },
    { key: (id, detail) => `vehicle:${id}:${detail}`, tags: (id) => [`vehicle:${id}`] },
  )
  t.equal(await vehicle(1, 'x'), '1 x')
  t.equal(await vehicle(1, 'x'), '1 x')
  t.equal(await vehicle(2, 'x'), '2 x')
  await cache.purge({ tag: 'vehicle:1' })
  t.equal(await vehicle(1, 'x'), '1 x')
  t.same(calls, [1, 2, 1])
  t.throws(
    () => cache.wrap(() => 1, { key: () => 'a', ttl: 'soon' }),
    { code: 'HR_CACHE_OPTION' },
    'when it is wrapped',
  )
})

void test('what cannot be stored is refused; what is too large is passed on, and not stored', async (t) => {
  const { cache } = startCache({ maxEntryBytes: 1000 })
  const large = 'x'.repeat(2000)
  await cache.set('n', 'small')
  await t.rejects(cache.set('n', large), { code: 'HR_CACHE_VALUE_SIZE', message: /at most 1000/ })
  t.equal(await cache.get('n'), 'small')
  t.equal(await cache.getOrSet('large', () => large), large)
  t.equal(await cache.get('large'), undefined)
  t.match(cache.stats(), { oversized: 1 })
  for (const value of [() => 1, Promise.resolve(), Symbol('s'), { toJSON: () => 1 }]) {
    await t.rejects(cache.set('n', value), { code: 'HR_CACHE_VALUE_TYPE' })
  }
  await t.rejects(
    cache.getOrSet('f', () => () => 1),
    { code: 'HR_CACHE_VALUE_TYPE', message: /'f'.*could not be cloned/ },
  )
  t.equal(cache.stats().making, 0)
})

void test('keys, tags and options have bounds', async (t) => {
  const { cache } = startCache()
  const make = () => 1
  for (const key of ['', 'x'.repeat(1025), 'a\nb', 7 as never]) {
    await t.rejects(cache.getOrSet(key, make), { code: 'HR_CACHE_KEY' }, JSON.stringify(key))
    await t.rejects(cache.get(key), { code: 'HR_CACHE_KEY' })
    await t.rejects(cache.delete(key), { code: 'HR_CACHE_KEY' })
  }
  for (const tags of [Array.from({ length: 65 }, String), [''], ['x'.repeat(257)], 'vehicles' as never, [7 as never]]) {
    await t.rejects(cache.getOrSet('n', make, { tags }), { code: 'HR_CACHE_TAGS' })
  }
  for (const options of [
    { ttl: '5' },
    { ttl: 60 as never },
    { timeout: '0s' },
    { timeout: '11m' },
    { staleIfError: '-1s' },
    { TTL: '5m' } as never,
    '5m' as never,
    60 as never,
    null as never,
  ]) {
    await t.rejects(cache.getOrSet('n', make, options), { code: 'HR_CACHE_OPTION' }, JSON.stringify(options))
  }
})

void test('closing ends the wait for what is made, and nothing is made afterwards; what is stored can be read', async (t) => {
  const { cache } = startCache()
  const { make, signals } = held<number>()
  await cache.set('there', 1)
  const asked = cache.getOrSet('n', make)
  await settled()
  await cache.close()
  await t.rejects(asked, { code: 'HR_CACHE_CLOSED', statusCode: 503 })
  t.equal(signals[0]?.aborted, true)
  await t.rejects(cache.getOrSet('n', make), { code: 'HR_CACHE_CLOSED' })
  t.equal(await cache.getOrSet('there', make), 1)
})

void test('closing ends the wait for what a purge has outdated as well', async (t) => {
  const { cache } = startCache()
  const { make, signals } = held<number>()
  const before = cache.getOrSet('n', make, { tags: ['x'] })
  await settled()
  await cache.purge({ tag: 'x' })
  const after = cache.getOrSet('n', make, { tags: ['x'] })
  await settled()
  t.equal(signals.length, 2)
  await cache.close()
  for (const asked of [before, after]) await t.rejects(asked, { code: 'HR_CACHE_CLOSED' })
})

void test('a source purges what it tells of, until it is stopped', async (t) => {
  const { cache, warnings } = startCache()
  let tell: Parameters<PurgeSource['start']>[0] = () => undefined
  let stopped = 0
  const source: PurgeSource = {
    name: 'fake',
    start: async (onPurge) => {
      tell = onPurge
      return () => void stopped++
    },
  }
  const stop = await cache.follow(source)
  await cache.set('n', 1, { tags: ['vehicles'] })
  tell({ tag: 'vehicles' })
  t.equal(await cache.get('n'), undefined, 'at once')
  tell({ tag: '' })
  await settled()
  t.match(warnings, [{ error: { code: 'HR_CACHE_OPTION' }, message: /'fake'/ }])
  await stop()
  await stop()
  t.equal(stopped, 1)
  await cache.set('n', 1, { tags: ['vehicles'] })
  tell({ tag: 'vehicles' })
  t.equal(await cache.get('n'), 1, 'nothing is heard after the end')
  await cache.follow(source)
  await cache.close()
  t.equal(stopped, 2, 'closing stops what is left')
  await t.rejects(cache.follow(source), { code: 'HR_CACHE_CLOSED' })
})

void test('a source that fails to start says so; one that fails to stop is warned of', async (t) => {
  const { cache, warnings } = startCache()
  await t.rejects(cache.follow({ name: 'a', start: () => Promise.reject(new Error('no')) }), { message: 'no' })
  await cache.follow({ name: 'b', start: () => () => Promise.reject(new Error('still no')) })
  await cache.close()
  t.match(warnings, [{ error: { message: 'still no' } }])
})

/** Caches of two processes, with a tier behind them. What is purged in one is purged in the other. */
function twoProcesses(given: { memory?: 'none' } = {}): {
  one: Started
  other: Started
  tier: FakeTier
  pass(ms: number): void
} {
  let time = 1_000_000
  const now = (): number => time
  const tier = new FakeTier(now)
  const processes: Started[] = []
  const options = {
    tier,
    now,
    ...(given.memory === 'none' && { maxEntries: 0 }),
    purge: async (selector: Selector, mode: PurgeMode) => {
      // Time goes by meanwhile.
      const counts = await Promise.all(processes.map(async ({ storage }) => purgeStorage(storage, selector, mode)))
      setImmediate(() => time++)
      return counts.reduce((sum, count) => sum + count, 0)
    },
  }
  const [one, other] = [startCache(options), startCache(options)] as const
  processes.push(one, other)
  return { one, other, tier, pass: (ms) => void (time += ms) }
}

const never = (): never => {
  throw new Error('it is made')
}

void test('what one process has made others find, for as long as it is good', async (t) => {
  for (const memory of [undefined, 'none'] as const) {
    const { one, other, tier, pass } = twoProcesses({ ...(memory && { memory }) })
    const value = { list: [1, new Date(0)], bytes: Buffer.alloc(20_000, 'a') }
    t.same(await one.cache.getOrSet('v', () => value, { ttl: '1m' }), value)
    pass(MINUTE - 1)
    t.same(await other.cache.getOrSet('v', never, { ttl: '1m' }), value)
    t.same(await other.cache.get('v'), value)
    t.equal(tier.reads.length, memory === 'none' ? 3 : 2, 'once a process, where there is memory')
    pass(1)
    t.equal(await other.cache.get('v'), undefined)
    t.equal(await other.cache.getOrSet('v', () => 'new'), 'new')
    t.equal(await one.cache.getOrSet('v', never), 'new', 'its own is past its time')
  }
})

void test('all who ask meanwhile wait for one look into the second tier', async (t) => {
  const { one, tier } = twoProcesses()
  const release = tier.hold()
  let calls = 0
  const asked = Array.from({ length: 100 }, () => one.cache.getOrSet('n', () => ++calls))
  const got = [one.cache.get('n'), one.cache.mget(['n', 'm'])]
  await settled()
  t.same(tier.reads, ['=n', '=m'])
  release()
  t.same(new Set(await Promise.all(asked)), new Set([1]))
  t.same(await Promise.all(got), [undefined, new Map()])
})

void test('what the second tier has is not used where a purge came while it was read', async (t) => {
  const { one, other, tier } = twoProcesses()
  await one.cache.set('n', 'old', { tags: ['t'] })
  const release = tier.hold()
  const asked = other.cache.getOrSet('n', () => 'new')
  await settled()
  other.purges.record({ kind: 'tag', tag: 't' })
  release()
  t.equal(await asked, 'new')
})

void test('stale of the second tier is served while one makes it anew, and not made where another has', async (t) => {
  const { one, other, pass } = twoProcesses()
  const options = { ttl: '1m', staleWhileRevalidate: '1m' }
  await one.cache.getOrSet('n', () => 1, options)
  pass(MINUTE)
  t.equal(await other.cache.getOrSet('n', () => 2, options), 1)
  await settled()
  t.equal(await other.cache.get('n'), 2)
  t.equal(await one.cache.getOrSet('n', never, options), 1, 'at once, while it looks')
  await settled()
  t.equal(await one.cache.getOrSet('n', never, options), 2)
  t.strictSame(one.warnings, [])
})

void test('stale of the second tier is served where making it anew fails', async (t) => {
  for (const given of [{}, { memory: 'none' }] as const) {
    const { one, other, pass } = twoProcesses(given)
    const options = { ttl: '1m', staleIfError: '1m' }
    await one.cache.getOrSet('n', () => 1, options)
    pass(MINUTE)
    t.equal(await other.cache.getOrSet('n', () => Promise.reject(new Error('down')), options), 1)
  }
})

void test('a purge that comes while others are told of a set holds', async (t) => {
  const told = Promise.withResolvers<number>()
  const { cache, purges } = startCache({ isShared: true, purge: () => told.promise })
  const set = cache.set('n', 1, { tags: ['t'] })
  await settled()
  told.resolve(0)
  await settled()
  purges.record({ kind: 'tag', tag: 't' })
  await set
  t.equal(await cache.get('n'), undefined)
})

void test('what began before a purge is stored in no tier', async (t) => {
  const { one, other, tier } = twoProcesses()
  const { make, calls } = held<string>()
  const asked = one.cache.getOrSet('n', make, { tags: ['t'] })
  await settled()
  // The other process knows of it, and this one has not heard yet.
  await tier.purge({ kind: 'tag', tag: 't' }, 'hard')
  calls[0]?.resolve('old')
  await asked
  t.equal(await other.cache.get('n'), undefined)
})

void test('what is set takes the place of what others have, in memory too', async (t) => {
  const { one, other } = twoProcesses()
  await one.cache.set('n', 1)
  t.equal(await other.cache.get('n'), 1)
  await one.cache.set('n', 2)
  t.equal(await other.cache.get('n'), 2)
  await other.cache.mset([
    ['n', 3],
    ['m', null],
  ])
  t.same(
    await one.cache.mget(['n', 'm', 'o']),
    new Map([
      ['n', 3],
      ['m', null],
    ] as [string, number | null][]),
  )
  t.equal(await one.cache.delete('n'), true)
  t.equal(await other.cache.get('n'), undefined)
})

void test('a set whose purge does not reach everybody is a set all the same, and says so', async (t) => {
  const { cache, warnings } = startCache({ isShared: true, purge: () => Promise.reject(new Error('one is away')) })
  await cache.set('n', 1)
  t.equal(await cache.get('n'), 1)
  t.match(warnings, [{ error: { message: 'one is away' } }])
})

void test('what takes the place of something and is not stored leaves nothing of it in any tier', async (t) => {
  for (const make of [() => null, () => 'x'.repeat(200_000)]) {
    const { one, other, tier, pass } = twoProcesses()
    const options = { ttl: '1m', negativeTtl: '0s', staleIfError: '0s' }
    await one.cache.set('n', 1, { ...options, staleWhileRevalidate: '1h' })
    pass(MINUTE)
    await other.cache.getOrSet('n', make, options)
    t.same(tier.stored('=n'), [])
  }
})

void test('a value that this process cannot read, or that is none, is made', async (t) => {
  const { one, tier } = twoProcesses()
  const record = storedResponse({
    requestedAt: 1_000_000,
    receivedAt: 1_000_000,
    fields: ['fresh-ms', '9', 'usable-ms', '9'],
  })
  tier.write('=n', { ...record, body: 'no value' }, 9e12)
  t.equal(await one.cache.getOrSet('n', () => 1), 1)
  tier.write('=m', { ...record, fields: ['content-type', 'text/plain'] }, 9e12)
  t.equal(await one.cache.getOrSet('m', () => 1), 1)
})
