import { test, type Test } from 'tap'
import { RedisBus } from '../../../../services/cache/store/redis-bus.ts'
import { RedisKeys } from '../../../../services/cache/store/redis-keys.ts'
import { RedisPurgeLog, type RedisPurgeLogOptions } from '../../../../services/cache/store/redis-purge-log.ts'
import type { Selector } from '../../../../services/cache/store/selector.ts'
import { linkTo, noRedis, startCluster, startRedis } from '../../../redis-server.ts'
import { until } from '../../../until.ts'

type Heard = { selector: Selector; mode: string } | 'gap'

interface Listener {
  bus: RedisBus
  log: RedisPurgeLog
  /** All that it was told. */
  heard: Heard[]
  /** Resolves when it was told so much altogether. */
  hears(count: number): Promise<void>
}

async function listener(
  t: Test,
  url: string,
  given: Partial<RedisPurgeLogOptions> & { pollMs?: number } = {},
): Promise<Listener> {
  const { pollMs = 60_000, ...options } = given
  const link = await linkTo(t, url)
  const keys = new RedisKeys('test')
  const log = new RedisPurgeLog({ link, keys, keepMs: 3_600_000, ...options })
  const bus = new RedisBus({ link, log, channel: keys.channel, pollMs })
  t.teardown(() => bus.close())
  const heard: Heard[] = []
  const waiting: { count: number; resolve: () => void }[] = []
  const told = (what: Heard): void => {
    heard.push(what)
    for (const each of waiting) if (heard.length >= each.count) each.resolve()
  }
  bus.onPurge((selector, mode) => told({ selector, mode }))
  bus.onGap(() => told('gap'))
  const hears = (count: number): Promise<void> =>
    heard.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve }))
  return { bus, log, heard, hears }
}

const tag = (name: string): Selector => ({ kind: 'tag', tag: name })

for (const [name, start] of [
  ['one server', async (t: Test) => (await startRedis(t)).url],
  ['a cluster', async (t: Test) => (await startCluster(t))[0]?.url.replace('redis:', 'redis+cluster:') as string],
] as const) {
  void test(`${name}: purges come to every other machine, in order`, { skip: noRedis }, async (t) => {
    const url = await start(t)
    const one = await listener(t, url)
    const other = await listener(t, url)
    // Whoever comes first does not know what was purged before.
    await Promise.all([one.hears(1), other.hears(1)])
    t.same([one.heard, other.heard], [['gap'], ['gap']])
    const selectors: Selector[] = [
      { kind: 'all' },
      { kind: 'key', key: 'a https://h/ü\nx: y z' },
      { kind: 'url', url: 'https://h/' },
      { kind: 'prefix', prefix: '/a b' },
      { kind: 'pattern', pattern: '*' },
      tag(''),
    ]
    for (const selector of selectors) await one.bus.publish(selector, 'soft')
    await other.hears(1 + selectors.length)
    t.same(
      other.heard.slice(1),
      selectors.map((selector) => ({ selector, mode: 'soft' })),
    )
    t.same(one.heard, ['gap'], 'not one of its own')
    t.match(other.bus.stats(), { received: 6, gaps: 1 })
  })
}

void test('what was missed while the connection was lost is told from the stream', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const one = await listener(t, server.url)
  const other = await listener(t, server.url)
  await Promise.all([one.hears(1), other.hears(1)])
  await one.bus.publish(tag('a'), 'hard')
  await other.hears(2)
  // Subscribers lose what is published before they are there again.
  await server.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await one.bus.publish(tag('b'), 'hard')
  await one.bus.publish(tag('c'), 'soft')
  await other.hears(4)
  t.same(other.heard.slice(2), [
    { selector: tag('b'), mode: 'hard' },
    { selector: tag('c'), mode: 'soft' },
  ])
})

/** A log whose messages nobody hears. */
async function mute(t: Test, url: string): Promise<RedisPurgeLog> {
  const keys = Object.assign(new RedisKeys('test'), { channel: 'nobody' })
  return new RedisPurgeLog({ link: await linkTo(t, url), keys, keepMs: 3_600_000 })
}

void test('a message that is lost is noticed by the next', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const one = await listener(t, server.url)
  const other = await listener(t, server.url)
  const unheard = await mute(t, server.url)
  await Promise.all([one.hears(1), other.hears(1)])
  await unheard.append(tag('unheard'), 'hard')
  await one.bus.publish(tag('heard'), 'hard')
  await other.hears(3)
  t.same(other.heard.slice(1), [
    { selector: tag('unheard'), mode: 'hard' },
    { selector: tag('heard'), mode: 'hard' },
  ])
  t.match(other.bus.stats(), { recovered: 2 })
})

void test('a lost message without a successor is found by asking', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const other = await listener(t, server.url, { pollMs: 20 })
  await other.hears(1)
  await (await mute(t, server.url)).append(tag('unheard'), 'hard')
  await other.hears(2)
  t.same(other.heard[1], { selector: tag('unheard'), mode: 'hard' })
})

void test('a subscription that is refused is asked for again', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  // Also ends the connections that may no longer listen.
  await server.cli('ACL', 'SETUSER', 'default', 'resetchannels')
  const other = await listener(t, server.url, { pollMs: 20 })
  await other.hears(1)
  t.match(other.bus.stats(), { state: 'away' })
  await server.cli('ACL', 'SETUSER', 'default', 'allchannels')
  const one = await listener(t, server.url)
  await until(() => other.bus.stats().state === 'following')
  await one.bus.publish(tag('a'), 'hard')
  await other.hears(2)
  t.same(other.heard[1], { selector: tag('a'), mode: 'hard' })
})

void test('what the stream no longer has is a gap', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const one = await listener(t, server.url)
  const other = await listener(t, server.url)
  const unheard = await mute(t, server.url)
  await Promise.all([one.hears(1), other.hears(1)])
  await one.bus.publish(tag('a'), 'hard')
  await other.hears(2)
  await unheard.append(tag('b'), 'hard')
  await unheard.append(tag('c'), 'hard')
  await server.cli('XTRIM', '{test:p}:log', 'MAXLEN', '1')
  await one.bus.publish(tag('d'), 'hard')
  await other.hears(3)
  t.equal(other.heard[2], 'gap')
  await one.bus.publish(tag('e'), 'hard')
  await other.hears(4)
  t.same(other.heard[3], { selector: tag('e'), mode: 'hard' }, 'it follows on from there')
})

void test('a server that comes back empty is a gap for everybody', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const one = await listener(t, server.url)
  const other = await listener(t, server.url)
  await Promise.all([one.hears(1), other.hears(1)])
  await one.bus.publish(tag('a'), 'hard')
  await other.hears(2)
  await server.kill()
  await server.restart()
  await Promise.all([one.hears(2), other.hears(3)])
  t.ok(one.log.position > 0)
  const at = await server.cli('GET', '{test:p}:at')
  t.ok(Number(at) >= one.log.position, 'no position is given twice')
  const before = other.heard.length
  await one.bus.publish(tag('b'), 'hard')
  await other.hears(before + 1)
  t.same(other.heard.at(-1), { selector: tag('b'), mode: 'hard' })
})

void test('the stream is bounded', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const one = await listener(t, server.url, { streamLength: 100 })
  for (let i = 0; i < 500; i++) await one.bus.publish(tag(`${i}`), 'hard')
  t.ok(Number(await server.cli('XLEN', '{test:p}:log')) <= 300)
})

void test('a purge reaches the other machine within 100 ms', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const one = await listener(t, server.url)
  const other = await listener(t, server.url)
  await Promise.all([one.hears(1), other.hears(1)])
  const took: number[] = []
  for (let i = 0; i < 50; i++) {
    const from = performance.now()
    await Promise.all([one.bus.publish(tag(`${i}`), 'hard'), other.hears(2 + i)])
    took.push(performance.now() - from)
  }
  t.comment(`median ${took.toSorted((a, b) => a - b)[25]?.toFixed(2)} ms`)
  t.match(other.bus.stats(), { recovered: 0, received: 50 }, 'by messages, not by asking')
})
