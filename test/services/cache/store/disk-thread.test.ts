import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test, type Test } from 'tap'
import { DiskTier } from '../../../../services/cache/store/disk.ts'
import type { DiskThreadListener } from '../../../../services/cache/store/disk-thread.ts'
import { encode } from '../../../../services/cache/store/codec.ts'
import { storedResponse } from './stored-response.ts'
import type { CacheDiskRequest } from '../../../../workers/protocol.ts'

/** The tier before a thread that does nothing by itself, on clocks that stand. */

const KEY = 'f1 https://example.com/a'

interface Fake {
  tier: DiskTier
  file: string
  logged: { message: string }[]
  /** Told to threads, in order. */
  posted: CacheDiskRequest[]
  started: number
  stopped: number
  thread: DiskThreadListener
  /** Moves the clock, and lets timers do their work. */
  pass(ms: number): void
}

function fakeDisk(t: Test): Fake {
  let clock = 1_000
  const fake = { posted: [] as CacheDiskRequest[], logged: [] as Fake['logged'], started: 0, stopped: 0 } as Fake
  const log = (details: object, message: string): void => void fake.logged.push({ message, ...details })
  fake.tier = new DiskTier({
    folder: `${t.testdir()}/cache`,
    maxBytes: 2 ** 30,
    log: { info: log, warn: log },
    now: () => 5_000,
    clock: () => clock,
    timers: 'manual',
    start: ({ file }, listener) => {
      fake.started++
      fake.file = file
      fake.thread = listener
      return {
        post: (request) => {
          fake.posted.push(request)
          if (request.kind === 'close') listener.ended('closed')
        },
        stop: () => fake.stopped++,
      }
    },
  })
  fake.pass = (ms) => {
    clock += ms
    fake.tier.tick()
    fake.tier.watch()
  }
  t.teardown(() => fake.tier.close())
  return fake
}

function openedFake(t: Test): Fake {
  const fake = fakeDisk(t)
  fake.thread.replied({ kind: 'opened', setAside: null })
  fake.posted.length = 0
  return fake
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const last = <K extends CacheDiskRequest['kind']>({ posted }: Fake, kind: K): Extract<CacheDiskRequest, { kind: K }> =>
  posted.findLast((request): request is Extract<CacheDiskRequest, { kind: K }> => request.kind === kind) as never

/** Reads that nobody answers, until the tier is away for it. */
async function makeSlow(fake: Fake): Promise<void> {
  for (let i = 0; i < 20 && fake.tier.stats().state === 'up'; i++) {
    void fake.tier.read(KEY)
    await turn()
    for (let ticks = 0; ticks < 5 && fake.tier.stats().state === 'up'; ticks++) fake.pass(10)
  }
}

void test('reads of one turn go in one message, and are answered one by one', async (t) => {
  const fake = openedFake(t)
  const reads = [fake.tier.read(KEY), fake.tier.read(`${KEY}b`)]
  t.equal(fake.posted.length, 0)
  await turn()
  t.match(fake.posted, [{ kind: 'read', now: 5_000, keys: [{ key: KEY, url: 'https://example.com/a' }, {}] }])
  const value = encode(storedResponse())
  fake.thread.replied({ kind: 'found', id: last(fake, 'read').id, found: [[], [{ value, invalidated: true }]] })
  t.strictSame(await Promise.all(reads), [[], [{ stored: storedResponse(), invalidated: true }]])
})

void test('a read is given up in time, and an answer that comes later is nobody\u2019s', async (t) => {
  const fake = openedFake(t)
  const read = fake.tier.read(KEY)
  await turn()
  for (let i = 0; i < 4; i++) fake.pass(10)
  t.strictSame(await read, [])
  t.match(fake.tier.stats(), { state: 'up', failures: 1 })
  fake.thread.replied({ kind: 'found', id: last(fake, 'read').id, found: [[]] })
  t.match(fake.tier.stats(), { reads: 1, hits: 0, failures: 1 })
})

void test('a thread that stays too slow is left alone, for longer each time, until it answers in time', async (t) => {
  const fake = openedFake(t)
  await makeSlow(fake)
  t.match(fake.tier.stats(), { state: 'away', reason: /50 ms/ })
  t.strictSame(await fake.tier.read(KEY), [], 'at once')
  t.equal(fake.tier.stats().skipped, 1)
  fake.tier.write(KEY, storedResponse(), 9e12)
  t.equal(fake.tier.stats().dropped, 1)
  fake.posted.length = 0
  for (const wait of [200, 400, 800]) {
    fake.pass(wait - 1)
    t.strictSame(fake.posted, [], `nothing within ${wait} ms`)
    fake.pass(1)
    t.match(fake.posted, [{ kind: 'read', keys: [] }])
    fake.pass(51)
    fake.thread.replied({ kind: 'found', id: last(fake, 'read').id, found: [] })
    t.equal(fake.tier.stats().state, 'away', 'too late')
    fake.posted.length = 0
  }
  fake.pass(1_600)
  fake.thread.replied({ kind: 'found', id: last(fake, 'read').id, found: [] })
  t.match(fake.tier.stats(), { state: 'up', reason: null })
})

void test('a thread that says nothing any more is ended, and another started only then', async (t) => {
  const fake = openedFake(t)
  await makeSlow(fake)
  fake.pass(200)
  fake.pass(10_000)
  t.match(fake, { stopped: 1, started: 1 })
  t.match(fake.tier.stats(), { state: 'away', reason: /10 s/ })
  fake.pass(60_000)
  t.equal(fake.started, 1)
  fake.thread.ended('its thread ended with code 1')
  fake.pass(60_000)
  t.equal(fake.started, 2)
  fake.thread.replied({ kind: 'opened', setAside: null })
  t.equal(fake.tier.stats().state, 'up')
})

void test('a thread that ends again and again is started again after longer and longer waits', async (t) => {
  const fake = fakeDisk(t)
  for (const wait of [200, 400, 800, 1_600]) {
    const { started } = fake
    fake.thread.ended('no')
    fake.pass(wait - 1)
    t.equal(fake.started, started)
    fake.pass(1)
    t.equal(fake.started, started + 1)
  }
  for (let i = 0; i < 50; i++) {
    fake.thread.ended('no')
    fake.pass(60_000)
  }
  t.equal(fake.started, 55, 'after a minute at most')
})

void test('the queue is bounded by count and by bytes; what does not fit is dropped and counted', async (t) => {
  const fake = openedFake(t)
  for (let i = 0; i < 8_200; i++) fake.tier.write(KEY, storedResponse(), 9e12)
  t.match(fake.tier.stats(), { queued: 8_192, dropped: 8 })
  await turn()
  t.equal(last(fake, 'write').writes.length, 8_192)
  t.equal(fake.tier.stats().queued, 8_192, 'what is under way counts')
  const bytes = last(fake, 'write').writes.reduce((sum, write) => sum + write.bytes, 0)
  fake.thread.replied({ kind: 'written', count: 8_192, bytes, refused: 2 })
  t.match(fake.tier.stats(), { queued: 0, writes: 8_190, dropped: 10 })
  const large = storedResponse({ body: new Uint8Array(10 * 1024 * 1024) })
  for (let i = 0; i < 5; i++) fake.tier.write(KEY, large, 9e12)
  t.match(fake.tier.stats(), { queued: 3, dropped: 12 })
})

void test('a purge holds for reads at once, before the thread knows of it', async (t) => {
  const fake = openedFake(t)
  const read = fake.tier.read(KEY)
  await turn()
  void fake.tier.purge({ kind: 'tag', tag: 'a' }, 'hard')
  void fake.tier.purge({ kind: 'tag', tag: 'b' }, 'soft')
  const found = (tags: string[], requestedAt: number) => ({
    value: encode(storedResponse({ tags, requestedAt, body: tags.join() })),
    invalidated: false,
  })
  const all = [found(['a'], 5_000), found(['b'], 5_000), found(['c'], 5_000), found(['a', 'b'], 5_001)]
  fake.thread.replied({ kind: 'found', id: last(fake, 'read').id, found: [all] })
  t.strictSame(
    (await read).map(({ stored, invalidated }) => [stored.body, invalidated]),
    [
      ['b', true],
      ['c', false],
      ['a,b', false],
    ],
  )
})

void test('who purges is not kept waiting by a thread that is away; the purge is told to the next one', async (t) => {
  const fake = openedFake(t)
  const purged = fake.tier.purge({ kind: 'all' }, 'hard')
  t.equal(fake.tier.stats().purging, 1)
  await turn()
  fake.thread.ended('killed')
  fake.pass(5_000)
  t.equal(await purged, 0)
  fake.thread.replied({ kind: 'opened', setAside: null })
  void fake.tier.purge({ kind: 'all' }, 'hard')
  await turn()
  t.match(
    fake.posted.filter(({ kind }) => kind === 'purge').map((request) => 'purges' in request && request.purges.length),
    [1, 2],
  )
})

void test('of very many purges that nobody takes, one of everything is made', async (t) => {
  const fake = fakeDisk(t)
  fake.thread.ended('no')
  for (let i = 0; i < 10_001; i++) void fake.tier.purge({ kind: 'url', url: `https://example.com/${i}` }, 'soft')
  await turn()
  fake.pass(200)
  fake.thread.replied({ kind: 'opened', setAside: null })
  void fake.tier.purge({ kind: 'tag', tag: 'x' }, 'soft')
  await turn()
  t.match(last(fake, 'purge').purges, [{ scope: 'glob', value: '*', mode: 'hard' }, { scope: 'tag' }])
  t.equal(last(fake, 'purge').purges.length, 2)
})

void test('what cannot be decoded counts as absent', async (t) => {
  const fake = openedFake(t)
  const read = fake.tier.read(KEY)
  await turn()
  const value = encode(storedResponse())
  value[value.length - 1]! ^= 1
  fake.thread.replied({ kind: 'found', id: last(fake, 'read').id, found: [[{ value, invalidated: false }]] })
  t.strictSame(await read, [])
  t.match(fake.tier.stats(), { reads: 1, hits: 0, failures: 0, broken: 1 })
})

void test('a disk that is full is read, and said to be full until something is stored again', async (t) => {
  const fake = openedFake(t)
  fake.thread.replied({ kind: 'full', reason: 'no room' })
  t.match(fake.tier.stats(), { state: 'up', reason: 'no room' })
  fake.tier.write(KEY, storedResponse(), 9e12)
  await turn()
  const { bytes } = last(fake, 'write').writes[0]!
  fake.thread.replied({ kind: 'written', count: 1, bytes, refused: 1 })
  t.match(fake.tier.stats(), { writes: 0, dropped: 1, queued: 0 })
  fake.thread.replied({ kind: 'full', reason: null })
  t.match(fake.tier.stats(), { state: 'up', reason: null })
  const lines = ['The disk is full: the cache on it is read, and stores nothing', 'The cache on disk stores again']
  const logged = (): string[] => fake.logged.map(({ message }) => message)
  t.strictSame(logged(), lines)
  for (const reason of ['no room', null, 'no room', null]) fake.thread.replied({ kind: 'full', reason })
  t.strictSame(logged(), lines, 'once a minute')
  fake.pass(60_000)
  for (const reason of ['no room', null]) fake.thread.replied({ kind: 'full', reason })
  t.strictSame(logged(), [...lines, ...lines])
})

void test('a file in which a purge could not be noted goes with the tier', async (t) => {
  const fake = openedFake(t)
  mkdirSync(dirname(fake.file), { recursive: true })
  writeFileSync(fake.file, '')
  void fake.tier.purge({ kind: 'tag', tag: 'a' }, 'hard')
  await turn()
  fake.thread.replied({ kind: 'purged', purges: [{ id: last(fake, 'purge').purges[0]!.id, count: 1 }] })
  await fake.tier.close()
  t.ok(existsSync(fake.file), 'it was noted')

  const other = openedFake(t)
  writeFileSync(other.file, '')
  void other.tier.purge({ kind: 'tag', tag: 'a' }, 'hard')
  await other.tier.close()
  t.notOk(existsSync(other.file), 'it was not')
})
