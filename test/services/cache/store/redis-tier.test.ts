import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { TIER_WAIT_MS } from '../../../../services/cache/store/tier.ts'
import { RedisTier, type RedisTierOptions } from '../../../../services/cache/store/redis-tier.ts'
import type { Selector } from '../../../../services/cache/store/selector.ts'
import type { StoredResponse } from '../../../../services/cache/stored.ts'
import { type RedisLink } from '../../../../services/redis/link.ts'
import { linkTo, noRedis, type RedisServer, slowPath, startCluster, startRedis } from '../../../redis-server.ts'
import { letTimeGo, passUntil, stopTime } from '../../../standing-clock.ts'
import { storedResponse } from './stored-response.ts'
import { until } from '../../../until.ts'

const KEY = '3f2a91c4https://api.example.com/v1/vehicles?page=2'
const URL_OF_KEY = 'https://api.example.com/v1/vehicles?page=2'
const LIFE_MS = 600_000

interface Machine {
  tier: RedisTier
  link: RedisLink
  /** Moves its clock on. */
  advance(ms: number): void
  now(): number
  /** Resolves when the tier next comes to be so. */
  becomes(state: 'up' | 'away'): Promise<void>
  /** Stores one whose request is sent now, and waits until it is written. */
  store(key: string, given?: Partial<StoredResponse>): Promise<void>
  bodies(key: string): Promise<string[]>
}

async function machine(
  t: Test,
  url: string,
  given: Partial<RedisTierOptions> & { clockMs?: number } = {},
): Promise<Machine> {
  const { clockMs = 0, ...options } = given
  const link = await linkTo(t, url)
  let ahead = clockMs
  const now = (): number => Date.now() + ahead
  const waiting: { state: string; resolve: () => void }[] = []
  const tier = new RedisTier({
    link,
    prefix: 'test',
    maxAgeMs: 3_600_000,
    maxEntryBytes: 1024 * 1024,
    now,
    // What is not about slowness does not depend on it.
    waitMs: 20_000,
    probeMs: 10,
    changed: (state) => {
      for (const each of waiting.splice(0)) {
        if (each.state === state) each.resolve()
        else waiting.push(each)
      }
    },
    ...options,
  })
  t.teardown(() => tier.close())
  const becomes = (state: 'up' | 'away'): Promise<void> =>
    tier.stats().state === state ? Promise.resolve() : new Promise((resolve) => waiting.push({ state, resolve }))
  await becomes('up')
  return {
    tier,
    link,
    now,
    becomes,
    advance: (ms) => {
      ahead += ms
    },
    store: async (key, response = {}) => {
      ahead += 2
      const requestedAt = now()
      tier.write(key, storedResponse({ requestedAt, receivedAt: requestedAt, ...response }), now() + LIFE_MS)
      await tier.drain()
    },
    bodies: async (key) => (await tier.read(key)).map(({ stored }) => String(stored.body)),
  }
}

/** Every key has an expiry. */
async function withoutExpiry(server: RedisServer): Promise<string[]> {
  const keys = (await server.cli('KEYS', '*')).split('\n').filter((key) => key !== '')
  const expiries = await Promise.all(keys.map(async (key) => [key, await server.cli('PTTL', key)] as const))
  return expiries.filter(([, ttl]) => Number(ttl) < 0).map(([key]) => key)
}

/** Probes that came since the first look. */
async function probing(server: RedisServer): Promise<() => Promise<number>> {
  const calls = async (): Promise<number> =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await server.cli('INFO', 'commandstats'))?.[1] ?? 0)
  const before = await calls()
  return async () => (await calls()) - before
}

const SELECTORS: Record<string, Selector> = {
  all: { kind: 'all' },
  key: { kind: 'key', key: KEY },
  url: { kind: 'url', url: URL_OF_KEY },
  path: { kind: 'url', url: '/v1/vehicles?page=2' },
  prefix: { kind: 'prefix', prefix: 'https://api.example.com/v1/' },
  pattern: { kind: 'pattern', pattern: 'https://*.example.com/*/vehicles*' },
  tag: { kind: 'tag', tag: 'vehicles' },
}

/** The same on one server and on a cluster. */
function contract(name: string, start: (t: Test) => Promise<RedisServer[]>): void {
  void test(`${name}: the second tier`, { skip: noRedis }, async (t) => {
    const servers = await start(t)
    const [server] = servers as [RedisServer]
    const url = servers.length > 1 ? server.url.replace('redis:', 'redis+cluster:') : server.url
    const one = await machine(t, url)
    const other = await machine(t, url)

    await t.test('what one machine stores another finds, byte by byte', async (t) => {
      const body = Buffer.alloc(
        70_000,
        Uint8Array.from({ length: 256 }, (_, i) => i),
      )
      const requestedAt = one.now()
      const stored = storedResponse({ requestedAt, receivedAt: requestedAt + 1.5, body, tags: ['a b', 'ü{}'] })
      one.tier.write('k https://h/binary', stored, one.now() + LIFE_MS)
      await one.tier.drain()
      const [found] = await other.tier.read('k https://h/binary')
      t.same(found, { stored: { ...stored, body: new Uint8Array(body) }, invalidated: false })
      const small = '\x00\xff\r\n\x80'
      await one.store('k https://h/small', { body: small })
      t.same(await other.bodies('k https://h/small'), [small])
      t.same(await other.tier.read('k https://h/nothing'), [])
    })

    await t.test('variants lie under one key, each in the place of itself', async (t) => {
      const key = 'k https://h/variants'
      await one.store(key, { vary: ['accept-encoding', 'gzip'], body: 'zipped' })
      await one.store(key, { vary: ['accept-encoding', ''], body: 'plain' })
      await one.store(key, { vary: ['accept-encoding', 'gzip'], body: 'zipped again' })
      t.same((await other.bodies(key)).sort(), ['plain', 'zipped again'])
    })

    await t.test('each variant has an expiry of its own', async (t) => {
      const key = 'k https://h/expiry'
      await one.store(key, { vary: ['a', '1'], body: 'long' })
      const requestedAt = one.now()
      const short = storedResponse({ requestedAt, receivedAt: requestedAt, vary: ['a', '2'], body: 'short' })
      one.tier.write(key, short, one.now() + 5_000)
      await one.tier.drain()
      t.same((await one.bodies(key)).sort(), ['long', 'short'])
      one.advance(6_000)
      t.same(await one.bodies(key), ['long'])
    })

    for (const [kind, selector] of Object.entries(SELECTORS)) {
      for (const mode of ['hard', 'soft'] as const) {
        await t.test(`a ${mode} purge by ${kind} reaches what is stored, and what is late`, async (t) => {
          await one.store(KEY, { body: 'before', tags: ['x', 'vehicles'] })
          await one.store('k https://elsewhere.org/', { body: 'unconcerned' })
          t.same(await other.bodies(KEY), ['before'])
          // The other machine sent its request before the purge, and its answer comes after it.
          other.advance(5)
          const requestedAt = other.now()
          const covered = await one.tier.purge(selector, mode)
          if (['key', 'url', 'tag'].includes(kind)) t.equal(covered, 1)
          const good = async (): Promise<string[]> =>
            (await other.tier.read(KEY))
              .filter(({ invalidated }) => !invalidated)
              .map(({ stored }) => String(stored.body))
          t.same(await good(), [])
          t.equal((await other.tier.read(KEY)).length, mode === 'soft' ? 1 : 0)
          other.tier.write(
            KEY,
            storedResponse({ requestedAt, body: 'late', tags: ['x', 'vehicles'] }),
            other.now() + LIFE_MS,
          )
          await other.tier.drain()
          t.same(await good(), [], 'what was fetched before')
          if (kind !== 'all') t.same(await other.bodies('k https://elsewhere.org/'), ['unconcerned'])
          await other.store(KEY, { body: 'after', tags: ['x', 'vehicles'] })
          t.same(await good(), ['after'])
        })
      }
    }

    await t.test('a machine that did not hear of the purge does not bring back what it fetched before', async (t) => {
      const deaf = await machine(t, url)
      deaf.advance(5)
      const requestedAt = deaf.now()
      // Its clock is far ahead, and so are the times that it writes.
      deaf.advance(3_600_000)
      await one.tier.purge({ kind: 'tag', tag: 'raced' }, 'hard')
      deaf.tier.write('k https://h/raced', storedResponse({ requestedAt, tags: ['raced'] }), deaf.now() + LIFE_MS)
      await deaf.store('k https://h/raced', { requestedAt: deaf.now() - 10, tags: ['raced'] })
      t.same(await one.bodies('k https://h/raced'), [])
    })

    await t.test('times come on the clock of the machine that reads', async (t) => {
      const ahead = await machine(t, url, { clockMs: 7_200_000 })
      await ahead.store('k https://h/clock')
      const [found] = await one.tier.read('k https://h/clock')
      t.ok(Math.abs((found?.stored.receivedAt ?? 0) - one.now()) < 60_000)
    })

    await t.test('it remembers a bounded number of wide purges, and forgets none', async (t) => {
      await one.store(KEY, { body: 'old' })
      await one.tier.purge(SELECTORS.prefix as Selector, 'hard')
      for (let i = 0; i < 260; i++) await one.tier.purge({ kind: 'prefix', prefix: `https://other/${i}` }, 'hard')
      t.same(await other.bodies(KEY), [])
      await other.store(KEY, { body: 'new' })
      t.same(await one.bodies(KEY), ['new'])
    })

    await t.test('every key has an expiry', async (t) => {
      for (const each of servers) t.same(await withoutExpiry(each), [])
    })

    if (servers.length > 1) {
      await t.test('a node dies: nobody waits for it, it is not tried in vain, and purges go on', (t) =>
        nodeDies(t, servers),
      )
    }
  })
}

/** The last of a cluster's tests: it loses what a node had. */
async function nodeDies(t: Test, servers: RedisServer[]): Promise<void> {
  const [first, second] = servers as [RedisServer, RedisServer]
  // All that purges leave behind lies together on one node; this is about another.
  const slot = Number(await first.cli('CLUSTER', 'KEYSLOT', '{test:p}:at'))
  const purges = servers[Math.floor(slot / (16384 / 3))]!
  const dying = purges === first ? second : first
  const url = purges.url.replace('redis:', 'redis+cluster:')
  const { tier, store, bodies, becomes, now } = await machine(t, url, { waitMs: TIER_WAIT_MS })
  const keys = Array.from({ length: 60 }, (_, i) => `k https://h/${i}`)
  for (const key of keys) tier.write(key, storedResponse({ requestedAt: now() }), now() + LIFE_MS)
  await tier.drain()
  await dying.kill()
  const readUntilAway = async (): Promise<void> => {
    for (let i = 0; tier.stats().state === 'up'; i++) await passUntil(tier.read(keys[i % keys.length]!))
  }
  await readUntilAway()
  let probes = await probing(purges)
  await until(async () => {
    // On a busy machine a node that lives may have been late first: it is found well, and the dead one is still to be met.
    if (tier.stats().state === 'up') {
      await readUntilAway()
      probes = await probing(purges)
    }
    return (await probes()) >= 2
  }, 25)
  t.equal(tier.stats().state, 'away', 'though the node that is asked for purges answers')
  const purged = tier.purge({ kind: 'key', key: 'k https://h/never' }, 'hard')
  await until(() => tier.stats().purging === 0)
  await dying.restart()
  await becomes('up')
  t.equal(await purged, 0)
  await store(KEY, { body: 'again' })
  t.same(await bodies(KEY), ['again'])
}

contract('one server', async (t) => [await startRedis(t)])
contract('a cluster', (t) => startCluster(t))

void test('an entry is bounded, with its variants', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const { tier, store, bodies } = await machine(t, server.url, { maxEntryBytes: 2_000, maxVariants: 3 })
  for (const i of [1, 2, 3, 4]) await store(KEY, { vary: ['v', `${i}`], body: `${i}` })
  t.same(await bodies(KEY), ['2', '3', '4'], 'the oldest goes')
  await store(KEY, { vary: ['v', '4'], body: 'x'.repeat(3_000) })
  t.same(await bodies(KEY), [], 'what a response too large would have replaced is out of date')
  for (const i of [1, 2, 3, 4, 5]) await store('k https://h/sum', { vary: ['v', `${i}`], body: `${i}`.repeat(1_900) })
  t.equal((await bodies('k https://h/sum')).length, 3)
  t.equal(tier.stats().dropped, 0)
})

void test('indexes are bounded, and purges reach what they do not list', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const { tier, store, bodies } = await machine(t, server.url)
  await store(KEY, { tags: ['t'] })
  await server.cli('DEL', ...(await server.cli('KEYS', 'test:t*')).split('\n'))
  t.equal(await tier.purge({ kind: 'tag', tag: 't' }, 'hard'), 0)
  t.same(await bodies(KEY), [])
})

void test('it searches for no key: a user who may not is enough', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const rights = '~test:* ~{test:* &test:* +@all -@dangerous -@admin -scan -hscan -sscan -zscan -randomkey'.split(' ')
  await server.cli('ACL', 'SETUSER', 'gateway', 'on', '>secret', ...rights)
  const url = server.url.replace('redis://', 'redis://gateway:secret@')
  const { tier, store, bodies } = await machine(t, url)
  for (const selector of Object.values(SELECTORS)) {
    await store(KEY, { tags: ['vehicles'] })
    t.same(await bodies(KEY), ['hello'])
    await tier.purge(selector, 'hard')
    t.same(await bodies(KEY), [], selector.kind)
  }
  t.equal(tier.memory, null, 'INFO is dangerous, and not needed')
})

void test('what waits to be written is bounded', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const { tier, now } = await machine(t, server.url)
  const stored = storedResponse({ requestedAt: now() })
  for (let i = 0; i < 1_200; i++) tier.write(`k https://h/${i}`, stored, now() + LIFE_MS)
  t.match(tier.stats(), { queued: 1_000, dropped: 200 })
  await tier.drain()
  t.match(tier.stats(), { queued: 0, writes: 1_000 })
  const large = { ...stored, body: new Uint8Array(10 * 1024 * 1024) }
  for (let i = 0; i < 10; i++) tier.write(`k https://h/large/${i}`, large, now() + LIFE_MS)
  t.match(tier.stats(), { queued: 6, dropped: 204 })
})

void test('what Redis forgets of purges does not come back', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const one = await machine(t, server.url)
  const other = await machine(t, server.url)
  await one.store(KEY, { body: 'old', tags: ['t'] })
  await one.store('k https://h/else', { body: 'else' })
  await one.tier.purge({ kind: 'tag', tag: 'other' }, 'hard')
  await one.tier.purge({ kind: 'tag', tag: 't' }, 'soft')
  // As after a failover to a replica that was behind.
  const names = (await server.cli('KEYS', '{test:p}:*')).split('\n')
  await server.cli('DEL', ...names)
  t.same(await one.bodies(KEY), [], 'whoever knew a later position repairs it')
  t.same(await other.bodies('k https://h/else'), [], 'everything from before is purged')
  await one.store(KEY, { body: 'new', tags: ['t'] })
  t.same(await other.bodies(KEY), ['new'])
})

void test('foreign bytes count as absent', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const { tier, store, bodies } = await machine(t, server.url)
  await store(KEY)
  const [entry] = (await server.cli('KEYS', 'test:e*')).split('\n') as [string]
  await server.cli('HSET', entry, '-', 'garbage')
  t.same(await bodies(KEY), [])
  await server.cli('DEL', entry)
  await server.cli('SET', entry, 'no hash')
  t.same(await bodies(KEY), [])
  t.match(tier.stats(), { reads: 2, hits: 0, broken: 1, failures: 1 })
})

void test('killed under load: nobody waits for it, and it recovers by itself', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const { tier, store, bodies, becomes } = await machine(t, server.url)
  await store(KEY)
  const load = [...Array(500).keys()].map((i) => tier.read(`k https://h/${i}`))
  await server.kill()
  await becomes('away')
  t.same((await Promise.all(load)).flat(), [])
  t.match(tier.stats(), { state: 'away', reason: /.+/ })
  tier.write(KEY, storedResponse({ requestedAt: Date.now() }), Date.now() + LIFE_MS)
  t.equal(tier.stats().dropped, 1)
  const purged = tier.purge({ kind: 'url', url: URL_OF_KEY }, 'hard')
  t.equal(tier.stats().purging, 1)
  await server.restart()
  await becomes('up')
  t.equal(await purged, 0)
  t.equal(tier.stats().purging, 0)
  await store(KEY, { body: 'again' })
  t.same(await bodies(KEY), ['again'])
})

void test('a purge that came while Redis was away is in force before anything is read', {
  skip: noRedis,
}, async (t) => {
  const server = await startRedis(t)
  const path = await slowPath(t, server.port)
  const one = await machine(t, path.url, { waitMs: TIER_WAIT_MS })
  const other = await machine(t, server.url)
  await one.store(KEY, { tags: ['t'] })
  path.delay(300)
  for (let i = 0; i < 3; i++) await passUntil(one.tier.read(`k https://h/${i}`))
  await one.becomes('away')
  const purged = one.tier.purge({ kind: 'tag', tag: 't' }, 'hard')
  t.same(await other.bodies(KEY), ['hello'], 'nobody else knows yet')
  path.delay(0)
  await one.becomes('up')
  t.same(await one.bodies(KEY), [])
  t.same(await other.bodies(KEY), [])
  t.equal(await purged, 1)
})

for (const [how, stop, go] of [
  ['stopped', async (server: RedisServer) => server.pause(), async (server: RedisServer) => server.resume()],
  [
    'paused',
    // Nothing ends it before its time, not even UNPAUSE.
    (server: RedisServer) => server.cli('CLIENT', 'PAUSE', '1500', 'ALL'),
    async () => {},
  ],
] as const) {
  void test(`${how} under load: reads end empty, and it recovers by itself`, { skip: noRedis }, async (t) => {
    const server = await startRedis(t)
    const { tier, store, bodies, becomes } = await machine(t, server.url, { waitMs: TIER_WAIT_MS })
    await store(KEY)
    await stop(server)
    // Each turn is a batch: three that are not answered are enough.
    for (let i = 0; i < 3; i++) {
      const reads = Promise.all([...Array(200).keys()].map((key) => tier.read(`k https://h/${key}`)))
      t.same((await passUntil(reads)).flat(), [])
    }
    await becomes('away')
    t.match(tier.stats(), { state: 'away', failures: 600 })
    t.same(await bodies(KEY), [], 'not asked any more')
    t.match(tier.stats(), { skipped: 1 })
    await go(server)
    await becomes('up')
    t.same(await bodies(KEY), ['hello'])
  })
}

void test('slow under load: reads end empty, and it recovers by itself', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const path = await slowPath(t, server.port)
  const { tier, store, bodies, becomes } = await machine(t, path.url, { waitMs: TIER_WAIT_MS })
  await store(KEY)
  path.delay(300)
  for (let i = 0; i < 3; i++) t.same(await passUntil(bodies(KEY)), [])
  letTimeGo()
  await becomes('away')
  t.match(tier.stats(), { reason: /50 ms/ })
  // One that answers too late for reads is no better for answering.
  const probes = async (): Promise<number> =>
    Number(/cmdstat_evalsha:calls=(\d+)/.exec(await server.cli('INFO', 'commandstats'))?.[1] ?? 0)
  const before = await probes()
  await until(async () => (await probes()) >= before + 3, 25)
  stopTime()
  t.equal(tier.stats().state, 'away')
  path.delay(0)
  await becomes('up')
  t.same(await bodies(KEY), ['hello'])
})

void test('a server whose memory is full is still read', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const { tier, store, bodies } = await machine(t, server.url)
  await store(KEY)
  await server.cli('CONFIG', 'SET', 'maxmemory', '1mb')
  await store('k https://h/more', { body: 'x'.repeat(10_000) })
  t.equal(tier.stats().dropped, 1)
  t.same(await bodies(KEY), ['hello'])
  t.ok((tier.memory?.usedBytes ?? 0) > 0)
  t.match((await machine(t, server.url)).tier.memory, { maxBytes: 1024 * 1024, evictedKeys: 0 })
})

void test('a server whose memory stays full is left alone with writes, and not with reads', {
  skip: noRedis,
}, async (t) => {
  const server = await startRedis(t)
  let time = 0
  const full: (string | null)[] = []
  const { tier, store, bodies } = await machine(t, server.url, {
    clock: () => time,
    full: (reason) => full.push(reason),
  })
  await store(KEY)
  await server.cli('CONFIG', 'SET', 'maxmemory', '1mb')
  const more = (): Promise<void> => store('k https://h/more', { body: 'x'.repeat(10_000) })
  // Not once for each: a breaker would open at the third.
  for (let i = 0; i < 5; i++) {
    time += 2_000
    await more()
  }
  t.match(tier.stats(), { state: 'up', reason: /OOM/, writes: 1, dropped: 5 })
  t.same(await bodies(KEY), ['hello'])
  await server.cli('CONFIG', 'SET', 'maxmemory', '0')
  await more()
  t.match(tier.stats(), { writes: 1, dropped: 6 }, 'it is not tried at once again')
  time += 2_000
  await more()
  t.match(tier.stats(), { state: 'up', reason: null, writes: 2, dropped: 6 })
  t.match(full, [/OOM/, null])
  t.equal(full.length, 2)
})

void test('where a purge cannot be noted for want of memory nothing is read until it is', {
  skip: noRedis,
}, async (t) => {
  const server = await startRedis(t)
  const { tier, store, bodies, becomes } = await machine(t, server.url)
  await store(KEY, { tags: ['t'] })
  await server.cli('CONFIG', 'SET', 'maxmemory', '1mb')
  const purged = tier.purge({ kind: 'tag', tag: 't' }, 'hard')
  await becomes('away')
  t.same(await bodies(KEY), [])
  t.match(tier.stats(), { reason: /OOM/, purging: 1 })
  await server.cli('CONFIG', 'SET', 'maxmemory', '0')
  await becomes('up')
  t.equal(await purged, 1)
  t.same(await bodies(KEY), [])
})

void test('a replica is said to be one, and is used once it is a master', { skip: noRedis }, async (t) => {
  const [master, server] = [await startRedis(t), await startRedis(t)]
  const { tier, becomes } = await machine(t, server.url)
  await server.cli('REPLICAOF', '127.0.0.1', String(master.port))
  void tier.purge({ kind: 'tag', tag: 't' }, 'hard')
  await becomes('away')
  t.match(tier.stats().reason, /^READONLY/)
  const probes = await probing(server)
  await until(async () => (await probes()) >= 3, 25)
  t.match(tier.stats(), { state: 'away', reason: /^READONLY/ })
  await server.cli('REPLICAOF', 'NO', 'ONE')
  await becomes('up')
})

void test('reads of one turn go out together', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const { tier } = await machine(t, server.url)
  const calls = async (): Promise<number> =>
    Number(/cmdstat_mget:calls=(\d+)/.exec(await server.cli('INFO', 'commandstats'))?.[1] ?? 0)
  const before = await calls()
  await Promise.all([...Array(100).keys()].map((i) => tier.read(`k https://h/${i}`)))
  t.equal((await calls()) - before, 1)
})

void test('it may be created before Redis is there', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  await server.kill()
  const { RedisLink } = await import('../../../../services/redis/link.ts')
  const { redisOptions } = await import('../../../redis-server.ts')
  const link = new RedisLink(redisOptions(server.url))
  t.teardown(() => link.close())
  const { promise: isUp, resolve } = Promise.withResolvers<void>()
  const tier = new RedisTier({
    link,
    prefix: 'test',
    maxAgeMs: 1_000,
    maxEntryBytes: 1_000,
    probeMs: 60_000,
    changed: (state) => state === 'up' && resolve(),
  })
  t.teardown(() => tier.close())
  t.same(await tier.read(KEY), [])
  t.match(tier.stats(), { state: 'away', reads: 0, skipped: 1 })
  await Promise.all([server.restart(), once(link, 'ready')])
  await isUp
  t.equal(tier.stats().state, 'up', 'the connection itself says that it is back')
})

void test('sentinels make a replica the master: what was stored and purged is known there', {
  skip: noRedis,
}, async (t) => {
  const master = await startRedis(t, ['--repl-diskless-sync-delay', '0'])
  const replica = await startRedis(t, ['--replicaof', `127.0.0.1 ${master.port}`])
  await until(async () => (await replica.cli('INFO', 'replication')).includes('master_link_status:up'), 25)
  const file = join(t.testdir(), 'sentinel.conf')
  const settings = [
    `monitor main 127.0.0.1 ${master.port} 1`,
    'down-after-milliseconds main 200',
    'failover-timeout main 1000',
  ]
  writeFileSync(file, settings.map((line) => `sentinel ${line}\n`).join(''))
  const sentinel = await startRedis(t, [], { sentinel: file })
  await until(async () => (await sentinel.cli('SENTINEL', 'REPLICAS', 'main')).includes(String(replica.port)), 25)
  const { tier, store, bodies, becomes } = await machine(t, `redis+sentinel://127.0.0.1:${sentinel.port}/main`)
  await store(KEY, { body: 'kept' })
  await store('k https://h/purged', { tags: ['t'] })
  await tier.purge({ kind: 'tag', tag: 't' }, 'soft')
  const offset = async (server: RedisServer): Promise<number> =>
    Number(/(?:slave|master)_repl_offset:(\d+)/.exec(await server.cli('INFO', 'replication'))?.[1])
  const written = await offset(master)
  await until(async () => (await offset(replica)) >= written, 25)
  await Promise.all([becomes('away'), master.kill()])
  await becomes('up')
  t.same(await bodies(KEY), ['kept'])
  t.match(await tier.read('k https://h/purged'), [{ invalidated: true }])
  t.equal(await tier.purge({ kind: 'key', key: KEY }, 'hard'), 1)
  t.same(await bodies(KEY), [])
  await store(KEY, { body: 'again' })
  t.same(await bodies(KEY), ['again'])
})
