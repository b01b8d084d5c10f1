import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type Test } from 'tap'
import { DiskTier, type DiskTierOptions } from '../../../../services/cache/store/disk.ts'
import { type DiskThread, startDiskThread } from '../../../../services/cache/store/disk-thread.ts'
import type { Selector } from '../../../../services/cache/store/selector.ts'
import { noMount, smallDisk } from '../../../small-disk.ts'
import { storedResponse } from './stored-response.ts'

const FILE = 'cache-v1.1.sqlite'
const HOUR = 3_600_000
const NOW = 1_800_000_000_000
const keyOf = (path: string): string => `f1 https://example.com${path}`
const fresh = (given: Parameters<typeof storedResponse>[0] = {}) => storedResponse({ requestedAt: NOW, ...given })

interface Disk {
  tier: DiskTier
  folder: string
  logged: { message: string; reason?: string; setAside?: string }[]
  thread: () => DiskThread
  set now(now: number)
  /** Lets time pass for what waits: the tier has no timers. */
  pass(ms: number): void
}

/** A tier with a file of its own (or another's folder), whose clocks stand. */
function openDisk(t: Test, given: Partial<DiskTierOptions> = {}): Disk {
  const logged: Disk['logged'] = []
  const log = (details: object, message: string): void => void logged.push({ message, ...details })
  let now = NOW + 1_000
  let clock = 1_000
  let thread: DiskThread | undefined
  const folder = given.folder ?? join(t.testdir(), 'cache')
  const tier = new DiskTier({
    maxBytes: 64 * 1024 * 1024,
    log: { info: log, warn: log },
    now: () => now,
    clock: () => clock,
    timers: 'manual',
    start: (options, listener) => (thread = startDiskThread(options, listener)),
    ...given,
    folder,
  })
  t.teardown(() => tier.close())
  return {
    tier,
    folder,
    logged,
    thread: () => thread as DiskThread,
    set now(value: number) {
      now = value
    },
    pass: (ms) => {
      clock += ms
      tier.watch()
    },
  }
}

async function openedDisk(t: Test, given?: Partial<DiskTierOptions>): Promise<Disk> {
  const disk = openDisk(t, given)
  await disk.tier.ready
  return disk
}

/** Looks again and again until something is so, for ten seconds of looking at least. */
async function until(condition: () => boolean): Promise<void> {
  for (let looks = 0; !condition(); looks++) {
    if (looks === 5_000) throw new Error(`never so: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

const written = (tier: DiskTier): Promise<void> => until(() => tier.stats().queued === 0)
/** Long enough for it to be started again. */
async function isUpAgain(disk: Disk): Promise<void> {
  await until(() => disk.tier.stats().state === 'away')
  disk.pass(60_000)
  await until(() => disk.tier.stats().state === 'up')
}

async function bodies(tier: DiskTier, path: string): Promise<unknown[]> {
  return (await tier.read(keyOf(path))).map(({ stored }) => stored.body)
}

void test('reads what was written, as it was', async (t) => {
  const { tier } = await openedDisk(t)
  const small = fresh({ tags: ['a', 'b'], fields: ['content-type', 'text/plain', 'x', 'é'], body: 'short' })
  const large = fresh({ body: new Uint8Array(300_000).fill(7), part: { first: 0, last: 299_999, complete: null } })
  tier.write(keyOf('/small'), small, NOW + HOUR)
  tier.write(keyOf('/large'), large, NOW + HOUR)
  await written(tier)
  t.strictSame(await tier.read(keyOf('/small')), [{ stored: small, invalidated: false }])
  const [found] = await tier.read(keyOf('/large'))
  t.strictSame(
    { ...found?.stored, body: Buffer.from(found?.stored.body as Uint8Array) },
    { ...large, body: Buffer.from(large.body) },
  )
  t.strictSame(await tier.read(keyOf('/none')), [])
  t.strictSame(await tier.read(`f2 https://example.com/small`), [], 'another key with the same URL')
  t.match(tier.stats(), { state: 'up', reason: null, reads: 4, hits: 2, failures: 0, writes: 2, dropped: 0, queued: 0 })
})

void test('the file and its folder are for the owner only', async (t) => {
  const { folder } = await openedDisk(t)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  for (const name of readdirSync(folder)) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
  t.ok(readdirSync(folder).includes(FILE))
})

void test('keeps variants apart, the latest first, and only so many', async (t) => {
  const { tier } = await openedDisk(t, { maxVariants: 2 })
  for (const [i, language] of ['de', 'en', 'fr', 'en'].entries()) {
    const vary = ['accept-language', language]
    tier.write(keyOf('/v'), fresh({ vary, body: `${language}${i}`, requestedAt: NOW + i }), NOW + HOUR)
  }
  await written(tier)
  t.strictSame(await bodies(tier, '/v'), ['en3', 'fr2'])
})

void test('a response that was requested earlier does not replace a later one', async (t) => {
  const { tier } = await openedDisk(t)
  tier.write(keyOf('/a'), fresh({ body: 'later', requestedAt: NOW + 5 }), NOW + HOUR)
  tier.write(keyOf('/a'), fresh({ body: 'earlier', requestedAt: NOW + 4 }), NOW + HOUR)
  await written(tier)
  t.strictSame(await bodies(tier, '/a'), ['later'])
})

void test('what is past its time is not read, and is dropped in the background', async (t) => {
  const disk = await openedDisk(t)
  const { tier } = disk
  for (let i = 0; i < 10; i++) tier.write(keyOf(`/${i}`), fresh(), NOW + (i < 7 ? 2_000 : HOUR))
  await written(tier)
  disk.now = NOW + 2_000
  t.strictSame(await bodies(tier, '/0'), [])
  disk.pass(1_000)
  await until(() => tier.stats().entries === 3)
  t.strictSame(await bodies(tier, '/9'), ['hello'])
})

const SELECTORS: [Selector, string[]][] = [
  [{ kind: 'all' }, []],
  [{ kind: 'key', key: keyOf('/a/1') }, ['/a/2', '/a*[?]', '/b/1', '/a/1+']],
  [{ kind: 'url', url: 'https://example.com/a/1' }, ['/a/2', '/a*[?]', '/b/1']],
  [{ kind: 'prefix', prefix: 'https://example.com/a/' }, ['/a*[?]', '/b/1']],
  [{ kind: 'prefix', prefix: 'https://example.com/a*[?' }, ['/a/1', '/a/2', '/b/1', '/a/1+']],
  [{ kind: 'pattern', pattern: 'https://*/1' }, ['/a/2', '/a*[?]']],
  [{ kind: 'pattern', pattern: '*[?]' }, ['/a/1', '/a/2', '/b/1', '/a/1+']],
  [{ kind: 'url', url: '/a/1' }, ['/a/2', '/a*[?]', '/b/1']],
  [{ kind: 'prefix', prefix: '/a/' }, ['/a*[?]', '/b/1']],
  [{ kind: 'pattern', pattern: '/*/1' }, ['/a/2', '/a*[?]']],
  [{ kind: 'tag', tag: '/a/2' }, ['/a/1', '/a*[?]', '/b/1', '/a/1+']],
]
const PATHS = ['/a/1', '/a/2', '/a*[?]', '/b/1']

void test('a hard purge drops what it covers, a soft one marks it', async (t) => {
  const disk = await openedDisk(t)
  const { tier } = disk
  let time = NOW
  for (const [selector, kept] of SELECTORS) {
    for (const mode of ['hard', 'soft'] as const) {
      const what = `${mode}: ${Object.values(selector).join(' ')}`
      // Later than the purge before.
      time += 1_000
      const requestedAt = time - 500
      disk.now = time
      for (const path of PATHS) tier.write(keyOf(path), fresh({ tags: [path, 'any'], requestedAt }), NOW + HOUR)
      // A second key with the URL of the first.
      tier.write(`${keyOf('/a/1')}\nx: y`, fresh({ requestedAt }), NOW + HOUR)
      await written(tier)
      t.equal(await tier.purge(selector, mode), 5 - kept.length, what)
      const keys = PATHS.map((path) => [path, keyOf(path)] as const)
      for (const [path, key] of [...keys, ['/a/1+', `${keyOf('/a/1')}\nx: y`] as const]) {
        const found = (await tier.read(key)).map(({ invalidated }) => invalidated)
        const covered = mode === 'hard' ? [] : [true]
        t.strictSame(found, kept.includes(path) ? [false] : covered, `${what}: ${path}`)
      }
      t.equal(await tier.purge(selector, mode), 0, `${what}: once`)
    }
  }
})

void test('purges more than one slice holds, and counts it', async (t) => {
  const { tier } = await openedDisk(t)
  for (let i = 0; i < 5_000; i++) tier.write(keyOf(`/${i}`), fresh({ tags: ['t'] }), NOW + HOUR)
  await written(tier)
  t.equal(await tier.purge({ kind: 'pattern', pattern: '*/1*' }, 'hard'), 1_111)
  const purged = tier.purge({ kind: 'tag', tag: 't' }, 'hard')
  t.strictSame(await bodies(tier, '/2'), [], 'at once')
  t.equal(await purged, 3_889)
  t.strictSame(await bodies(tier, '/3'), [])
})

void test('what was requested before a purge is not stored after it, by whatever process', async (t) => {
  const one = await openedDisk(t)
  const other = await openedDisk(t, { folder: one.folder })
  one.now = NOW + 500
  await one.tier.purge({ kind: 'prefix', prefix: 'https://example.com/a' }, 'hard')
  await one.tier.purge({ kind: 'tag', tag: 'soft' }, 'soft')
  for (const { tier } of [one, other]) {
    tier.write(keyOf('/a'), fresh({ requestedAt: NOW + 500 }), NOW + HOUR)
    tier.write(keyOf('/s'), fresh({ requestedAt: NOW + 500, tags: ['x', 'soft'] }), NOW + HOUR)
    await written(tier)
    t.strictSame(await bodies(tier, '/a'), [])
    t.match(await tier.read(keyOf('/s')), [{ invalidated: true }])
  }
  other.tier.write(keyOf('/a'), fresh({ requestedAt: NOW + 501 }), NOW + HOUR)
  other.tier.write(keyOf('/s'), fresh({ requestedAt: NOW + 501, tags: ['soft'] }), NOW + HOUR)
  await written(other.tier)
  t.strictSame(await bodies(one.tier, '/a'), ['hello'])
  t.match(await one.tier.read(keyOf('/s')), [{ invalidated: false }])
})

void test('what was requested before purges that are forgotten is not stored', async (t) => {
  const disk = await openedDisk(t)
  disk.now = NOW + 600_000
  disk.tier.write(keyOf('/old'), fresh({ requestedAt: NOW }), NOW + HOUR)
  disk.tier.write(keyOf('/new'), fresh({ requestedAt: NOW + 1 }), NOW + HOUR)
  await written(disk.tier)
  t.strictSame(await bodies(disk.tier, '/old'), [])
  t.strictSame(await bodies(disk.tier, '/new'), ['hello'])
  t.match(disk.tier.stats(), { writes: 1 })
})

void test('keys that SQLite could take for others are not stored', async (t) => {
  const { tier } = await openedDisk(t)
  tier.write('k\0a', fresh(), NOW + HOUR)
  tier.write('k\ud800', fresh(), NOW + HOUR)
  tier.write(keyOf('/broken'), fresh({ fields: ['a', 'line\nbreak'] }), NOW + HOUR)
  t.match(tier.stats(), { queued: 0, dropped: 3 })
})

void test('stays within its limit: what was read lately stays, the oldest of the rest goes', async (t) => {
  const maxBytes = 4 * 1024 * 1024
  const disk = await openedDisk(t, { maxBytes })
  const { tier, folder } = disk
  const body = 'x'.repeat(10_000)
  const write = async (from: number, to: number): Promise<void> => {
    for (let i = from; i < to; i++) tier.write(keyOf(`/${i}`), fresh({ body }), NOW + HOUR)
    await written(tier)
  }
  await write(0, 100)
  for (let i = 0; i < 20; i++) await tier.read(keyOf(`/${i}`))
  await write(100, 600)
  const kept = await Promise.all(Array.from({ length: 600 }, (_, i) => tier.read(keyOf(`/${i}`))))
  const count = (from: number, to: number): number => kept.slice(from, to).filter((found) => found.length > 0).length
  t.equal(count(0, 20), 20, 'read')
  t.equal(count(20, 100), 0, 'not read')
  t.equal(count(580, 600), 20, 'the last')
  t.ok(count(100, 600) > 250, `${count(100, 600)} of the later ones`)
  t.ok(statSync(join(folder, FILE)).size <= maxBytes, 'the file')
  disk.pass(1_000)
  await until(() => tier.stats().entries === count(0, 600))
  t.ok((tier.stats().bytes ?? 0) > maxBytes / 2)
})

void test('what would take an eighth of the room is not stored', async (t) => {
  const { tier } = await openedDisk(t, { maxBytes: 1024 * 1024 })
  tier.write(keyOf('/a'), fresh({ body: new Uint8Array(140_000) }), NOW + HOUR)
  t.match(tier.stats(), { queued: 0, dropped: 1 })
})

void test('is there after a restart', async (t) => {
  const { tier, folder } = await openedDisk(t)
  tier.write(keyOf('/a'), fresh(), NOW + HOUR)
  await tier.close()
  t.strictSame(await tier.read(keyOf('/a')), [], 'closed')
  const again = await openedDisk(t, { folder })
  t.strictSame(await bodies(again.tier, '/a'), ['hello'])
})

void test('is there after its process was killed', async (t) => {
  const folder = join(t.testdir(), 'cache')
  const module = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)
  const script = `
    import { DiskTier } from ${module('../../../../services/cache/store/disk.ts')}
    import { storedResponse } from ${module('./stored-response.ts')}
    const log = { info: () => {}, warn: console.error }
    const tier = new DiskTier({ folder: ${JSON.stringify(folder)}, maxBytes: 1e8, log, now: () => ${NOW} })
    await tier.ready
    for (let i = 0; i < 500; i++) tier.write('f1 https://example.com/' + i, storedResponse({ requestedAt: ${NOW} }), 4e12)
    while (tier.stats().queued > 0) await new Promise((resolve) => setImmediate(resolve))
    await tier.purge({ kind: 'url', url: 'https://example.com/7' }, 'hard')
    process.stdout.write('written')
    while (true) tier.write('f1 https://example.com/' + Math.random(), storedResponse({ requestedAt: ${NOW} }), 4e12),
      await new Promise((resolve) => setImmediate(resolve))
  `
  const child = spawn(process.execPath, ['--input-type=module-typescript', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  const { tier, logged } = await openedDisk(t, { folder })
  const found = await Promise.all(Array.from({ length: 500 }, (_, i) => bodies(tier, `/${i}`)))
  t.equal(found.filter(([body]) => body === 'hello').length, 499)
  t.strictSame(found[7], [], 'purged')
  t.strictSame(logged, [])
})

void test('two threads write to one file at a time, and none loses anything', async (t) => {
  const one = await openedDisk(t)
  const other = await openedDisk(t, { folder: one.folder })
  const tiers = [one.tier, other.tier]
  for (let i = 0; i < 2_000; i++) {
    for (const [who, tier] of tiers.entries()) tier.write(keyOf(`/${who}/${i}`), fresh(), NOW + HOUR)
  }
  await Promise.all(tiers.map(written))
  for (const tier of tiers) t.match(tier.stats(), { writes: 2_000, dropped: 0, state: 'up' })
  for (const who of [0, 1]) {
    for (const i of [0, 1_000, 1_999]) t.strictSame(await bodies(tiers[1 - who] as DiskTier, `/${who}/${i}`), ['hello'])
  }
})

void test('reads go on while another connection holds the lock for writing, and writes wait for it', async (t) => {
  const { tier, folder } = await openedDisk(t)
  tier.write(keyOf('/a'), fresh(), NOW + HOUR)
  await written(tier)
  // It waits where the thread has the lock, which tidies up after it has told that all is written.
  const other = new DatabaseSync(join(folder, FILE), { timeout: 20_000 })
  other.exec('begin immediate')
  tier.write(keyOf('/b'), fresh(), NOW + HOUR)
  for (let i = 0; i < 20; i++) t.strictSame(await bodies(tier, '/a'), ['hello'])
  t.match(tier.stats(), { queued: 1, failures: 0 })
  other.exec('commit')
  other.close()
  await written(tier)
  t.strictSame(await bodies(tier, '/b'), ['hello'])
})

const DAMAGES: [string, (file: string) => void, RegExp][] = [
  ['is garbage', (file) => writeFileSync(file, 'x'.repeat(50_000)), /not a database/],
  ['is truncated', (file) => truncateSync(file, 20_000), /malformed/],
  [
    'belongs to another program',
    (file) => {
      rmSync(file)
      const other = new DatabaseSync(file)
      other.exec('create table t (a)')
      other.close()
    },
    /another program/,
  ],
  [
    'has other tables',
    (file) => {
      const other = new DatabaseSync(file)
      other.exec('pragma user_version = 99')
      other.close()
    },
    /version 99, not 1/,
  ],
]

for (const [what, damage, reason] of DAMAGES) {
  void test(`a file that ${what} is set aside, and a new one begun`, async (t) => {
    const { tier, folder } = await openedDisk(t)
    for (let i = 0; i < 50; i++) tier.write(keyOf(`/${i}`), fresh({ body: 'x'.repeat(5_000) }), NOW + HOUR)
    await tier.close()
    damage(join(folder, FILE))
    const again = await openedDisk(t, { folder })
    t.match(again.logged, [{ message: /set aside/, reason, setAside: `${join(folder, FILE)}.broken` }])
    t.ok(existsSync(`${join(folder, FILE)}.broken`))
    again.tier.write(keyOf('/a'), fresh(), NOW + HOUR)
    await written(again.tier)
    t.strictSame(await bodies(again.tier, '/a'), ['hello'])
  })
}

void test('a file of another version is left alone while it is in use, and goes once nobody writes to it', async (t) => {
  const names = [
    'cache-v0.9.sqlite',
    'cache-v0.9.sqlite-wal',
    'cache-v2.1.sqlite',
    'cache-v2.1.sqlite-wal',
    'mine.sqlite',
  ]
  const folder = join(t.testdir({ cache: Object.fromEntries(names.map((name) => [name, 'x'])) }), 'cache')
  const longAgo = new Date(Date.now() - 25 * HOUR)
  for (const name of names.filter((each) => each !== 'cache-v2.1.sqlite-wal'))
    utimesSync(join(folder, name), longAgo, longAgo)
  await openedDisk(t, { folder })
  await until(() => !existsSync(join(folder, 'cache-v0.9.sqlite')))
  t.strictSame(
    readdirSync(folder).filter((name) => !name.startsWith(FILE)),
    ['cache-v2.1.sqlite', 'cache-v2.1.sqlite-wal', 'mine.sqlite'],
  )
})

void test('a file that is damaged at run time is set aside, and the tier comes back', async (t) => {
  const disk = await openedDisk(t, { maxBytes: 2 ** 28 })
  const { tier, folder, logged } = disk
  const body = 'x'.repeat(30_000)
  const write = async (from: string, count: number): Promise<void> => {
    for (let i = 0; i < count; i++) tier.write(keyOf(`/${from}${i}`), fresh({ body }), NOW + HOUR)
    await until(() => tier.stats().queued === 0)
  }
  await write('a', 200)
  const file = join(folder, FILE)
  // All but the first page. No connection has read them yet.
  const bytes = readFileSync(file)
  writeFileSync(file, bytes.fill('x', 8_192), { flag: 'r+' })
  for (let i = 0; logged.length === 0 && i < 200; i++) t.strictSame(await bodies(tier, `/a${i}`), [])
  t.match(logged[0], { reason: /malformed.*is now|malformed.*\.broken/ })
  await isUpAgain(disk)
  t.match(logged.at(-1), { message: /back/ })
  await write('c', 1)
  t.equal((await tier.read(keyOf('/c0'))).length, 1)
})

void test('a folder that cannot be made keeps the tier away, until it can', async (t) => {
  const folder = join(t.testdir({ cache: 'a file' }), 'cache')
  const disk = await openedDisk(t, { folder })
  const { tier, logged } = disk
  t.match(tier.stats(), { state: 'away', reason: /EEXIST|ENOTDIR/ })
  t.strictSame(await bodies(tier, '/a'), [])
  tier.write(keyOf('/a'), fresh(), NOW + HOUR)
  t.match(tier.stats(), { dropped: 1, queued: 0, reads: 0 })
  rmSync(folder)
  await isUpAgain(disk)
  t.strictSame(
    logged.map(({ message }) => message),
    ['The cache on disk is away: the gateway serves without it', 'The cache on disk is back'],
  )
})

void test('a folder that is removed at run time is made again', async (t) => {
  const disk = await openedDisk(t)
  const { tier, folder, logged } = disk
  tier.write(keyOf('/a'), fresh(), NOW + HOUR)
  await written(tier)
  rmSync(folder, { recursive: true })
  disk.pass(1_000)
  await until(() => logged.length === 1)
  t.match(logged, [{ reason: /removed or replaced/ }])
  await isUpAgain(disk)
  t.ok(existsSync(join(folder, FILE)))
  t.strictSame(await bodies(tier, '/a'), [])
})

void test('a file where a folder is a database is no reason to stop', async (t) => {
  const folder = join(t.testdir(), 'cache')
  mkdirSync(join(folder, FILE), { recursive: true })
  const { tier } = await openedDisk(t, { folder })
  t.match(tier.stats(), { state: 'away' })
})

void test('a thread that is ended is started again, and what it had not been told of purges is told', async (t) => {
  const disk = await openedDisk(t)
  const { tier, thread } = disk
  tier.write(keyOf('/a'), fresh(), NOW + HOUR)
  tier.write(keyOf('/b'), fresh(), NOW + HOUR)
  await written(tier)
  const read = tier.read(keyOf('/a'))
  thread().stop()
  const purged = tier.purge({ kind: 'url', url: 'https://example.com/a' }, 'hard')
  t.strictSame(await read, [])
  await until(() => tier.stats().state === 'away')
  t.match(tier.stats(), { reason: /ended with code 1/ })
  disk.pass(200)
  await until(() => tier.stats().state === 'up')
  t.strictSame(await bodies(tier, '/a'), [])
  t.equal(await purged, 1)
  t.strictSame(await bodies(tier, '/b'), ['hello'])
})

void test('the limit shrinks the file', async (t) => {
  const { tier, folder } = await openedDisk(t)
  for (let i = 0; i < 500; i++) tier.write(keyOf(`/${i}`), fresh({ body: 'x'.repeat(10_000) }), NOW + HOUR)
  await tier.close()
  const file = join(folder, FILE)
  t.ok(statSync(file).size > 4 * 1024 * 1024)
  const again = await openedDisk(t, { folder, maxBytes: 2 * 1024 * 1024 })
  again.tier.write(keyOf('/new'), fresh(), NOW + HOUR)
  await until(() => {
    again.pass(1_000)
    return statSync(file).size < 2.2 * 1024 * 1024
  })
  t.strictSame(await bodies(again.tier, '/new'), ['hello'])
})

void test('a full disk is read on, a purge holds on it, and it is written again when there is room', {
  skip: noMount,
}, async (t) => {
  const disk = smallDisk(t, '2m')
  // How much is left where a write fails depends on how the writes fell into slices: this much there is for the purge.
  const spare = join(disk.folder, 'spare')
  writeFileSync(spare, Buffer.alloc(262_144))
  const { tier, logged } = await openedDisk(t, { folder: join(disk.folder, 'cache') })
  const body = 'x'.repeat(10_000)
  for (let i = 0; i < 300; i++) tier.write(keyOf(`/${i}`), fresh({ body, tags: [`${i % 2}`] }), NOW + HOUR)
  await written(tier)
  // On a disk that is nearly full one write succeeds and the next does not.
  t.equal(tier.stats().state, 'up')
  const { writes, dropped } = tier.stats()
  t.ok(dropped > 0)
  t.ok(writes > 10)
  t.equal(writes + dropped, 300)
  t.strictSame(await bodies(tier, '/1'), [body])
  rmSync(spare)
  await tier.purge({ kind: 'tag', tag: '0' }, 'hard')
  t.strictSame(await bodies(tier, '/0'), [])
  t.strictSame(await bodies(tier, '/1'), [body])
  disk.resize('16m')
  await until(() => {
    tier.write(keyOf('/new'), fresh({ requestedAt: NOW + 1_001 }), NOW + HOUR)
    return tier.stats().reason === null
  })
  await written(tier)
  t.strictSame(await bodies(tier, '/new'), ['hello'])
  t.strictSame(
    logged.map(({ message }) => message),
    ['The disk is full: the cache on it is read, and stores nothing', 'The cache on disk stores again'],
  )
})

void test('where a purge cannot be noted on a full disk all goes, for whoever reads it next', {
  skip: noMount,
}, async (t) => {
  const small = smallDisk(t, '2m')
  const folder = join(small.folder, 'cache')
  const disk = await openedDisk(t, { folder })
  disk.tier.write(keyOf('/a'), fresh(), NOW + HOUR)
  await written(disk.tier)
  small.fill()
  const purged = disk.tier.purge({ kind: 'url', url: 'https://example.com/a' }, 'hard')
  t.strictSame(await bodies(disk.tier, '/a'), [])
  await until(() => disk.tier.stats().state === 'away')
  t.match(disk.tier.stats(), { reason: /a purge cannot be noted: the file is removed/ })
  t.notOk(existsSync(join(folder, FILE)))
  small.resize('16m')
  await isUpAgain(disk)
  t.equal(await purged, 0)
  t.strictSame(await bodies(disk.tier, '/a'), [])
})

void test('a file system that becomes read-only keeps the tier away, until it can be written', {
  skip: noMount,
}, async (t) => {
  const small = smallDisk(t, '4m')
  const folder = join(small.folder, 'cache')
  const before = await openedDisk(t, { folder })
  before.tier.write(keyOf('/a'), fresh(), NOW + HOUR)
  await before.tier.close()
  small.writable(false)
  const disk = await openedDisk(t, { folder })
  t.match(disk.tier.stats(), { state: 'away', reason: /read-only|readonly|EROFS/ })
  t.strictSame(await bodies(disk.tier, '/a'), [])
  small.writable(true)
  await isUpAgain(disk)
  t.strictSame(await bodies(disk.tier, '/a'), ['hello'])
})
