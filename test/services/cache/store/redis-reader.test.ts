import { EventEmitter } from 'node:events'
import { test } from 'tap'
import { Breaker } from '../../../../services/cache/store/breaker.ts'
import { PendingPurges } from '../../../../services/cache/store/pending-purges.ts'
import { RedisKeys } from '../../../../services/cache/store/redis-keys.ts'
import type { RedisPurgeLog } from '../../../../services/cache/store/redis-purge-log.ts'
import { RedisReader, TICK_MS } from '../../../../services/cache/store/redis-reader.ts'
import { RedisTier } from '../../../../services/cache/store/redis-tier.ts'
import { TIER_WAIT_MS } from '../../../../services/cache/store/tier.ts'
import type { Command } from '../../../../services/redis/command.ts'
import type { RedisLink } from '../../../../services/redis/link.ts'
import { Deadlines } from '../../../../services/upstream/deadlines.ts'
import { Milestones } from '../../../signal.ts'

/** A reader before a server that answers when a test says so, on a clock that stands. */
async function fakeReader() {
  let time = 1_000
  const clock = (): number => time
  const batches: PromiseWithResolvers<unknown[]>[] = []
  const link = {
    batch: () => {
      const batch = Promise.withResolvers<unknown[]>()
      batches.push(batch)
      return batch.promise
    },
  } as unknown as RedisLink
  const log = { position: 0, clockOffset: 0, learn: () => undefined } as unknown as RedisPurgeLog
  const changes: string[] = []
  const breaker = new Breaker(
    {
      failures: 3,
      firstMs: 1e9,
      longestMs: 1e9,
      probe: async () => undefined,
      changed: (state) => changes.push(state),
    },
    'not yet',
  )
  breaker.probe()
  await turn()
  const deadlines = new Deadlines({ tickMs: 1e9, now: clock })
  const reader = new RedisReader({
    link,
    keys: new RedisKeys('test'),
    log,
    pending: new PendingPurges(),
    breaker,
    deadlines,
    clock,
    waitMs: TIER_WAIT_MS,
    now: () => 5_000,
  })
  /** The time comes, tick by tick. */
  const pass = (ms: number): void => {
    for (let left = ms; left > 0; left -= TICK_MS) {
      time += Math.min(left, TICK_MS)
      deadlines.tick()
    }
  }
  /** At once: the process stood still. */
  const stall = (ms: number): void => {
    time += ms
    deadlines.tick()
  }
  return { reader, breaker, batches, changes, pass, stall }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const NOTHING = [[null, null, null, null, null], {}]

void test('no read takes longer than it may, whatever the server does', async (t) => {
  const { reader, pass } = await fakeReader()
  let ended = false
  const read = reader.read('k https://h/').then((found) => ((ended = true), found))
  await turn()
  pass(TIER_WAIT_MS - TICK_MS - 1)
  await turn()
  t.equal(ended, false)
  pass(1)
  t.same(await read, [])
  t.match(reader, { reads: 1, hits: 0, failures: 1 })
})

void test('three that come too late one after another, and it is not asked any more', async (t) => {
  const { reader, breaker, changes, pass } = await fakeReader()
  for (let i = 0; i < 3; i++) {
    t.equal(breaker.isUp, true)
    const read = reader.read(`k https://h/${i}`)
    await turn()
    pass(TIER_WAIT_MS)
    await read
  }
  t.same(changes, ['up', 'away'])
  t.match(breaker.reason, /50 ms/)
  t.same(await reader.read('k https://h/'), [])
  t.match(reader, { reads: 3, failures: 3, skipped: 1 })
})

void test('several that were under way in one hitch count as one', async (t) => {
  const { reader, breaker, pass } = await fakeReader()
  const reads: Promise<unknown>[] = []
  for (let i = 0; i < 5; i++) {
    reads.push(reader.read(`k https://h/${i}`))
    await turn()
  }
  pass(TIER_WAIT_MS)
  await Promise.all(reads)
  t.match([breaker.isUp, reader.failures], [true, 5])
})

void test('where the process itself stood still, an answer that is there counts', async (t) => {
  const { reader, batches, stall, pass } = await fakeReader()
  const read = reader.read('k https://h/')
  await turn()
  stall(200)
  batches[0]?.resolve(NOTHING)
  t.same(await read, [])
  t.match(reader, { failures: 0 })
  const other = reader.read('k https://h/')
  await turn()
  stall(200)
  pass(1)
  t.same(await other, [])
  t.match(reader, { failures: 1 })
})

void test('a server that answers too late is no better for answering: it is asked again until it is in time', async (t) => {
  let time = 0
  let takesMs = 80
  const asked: string[] = []
  const changes: string[] = []
  const probes = new Milestones()
  const link = Object.assign(new EventEmitter(), {
    ready: true,
    reason: null,
    info: async () => [],
    batch: async (commands: readonly Command[]) => {
      const names = commands.map((command) => ('script' in command ? 'script' : String(command[0])))
      asked.push(names.join(' '))
      time += takesMs
      probes.advance()
      return names.map((name) => (name === 'script' ? ['1', '0'] : null))
    },
  }) as unknown as RedisLink
  const tier = new RedisTier({
    link,
    prefix: 'test',
    maxAgeMs: 1_000,
    maxEntryBytes: 1_000,
    probeMs: 1,
    clock: () => time,
    changed: (state) => changes.push(state),
  })
  const alive = setInterval(() => undefined, 60_000)
  t.teardown(async () => {
    clearInterval(alive)
    await tier.close()
  })
  await probes.wait(3)
  t.match(tier.stats(), { state: 'away', reason: /within 50 ms/ })
  takesMs = 10
  await probes.wait(probes.reached + 2)
  t.equal(tier.stats().state, 'up')
  t.same(changes, ['away', 'up'])
  t.same(new Set(asked), new Set(['script get pexpire']))
})
