import fc from 'fast-check'
import { test } from 'tap'
import { until } from '../../until.ts'
import { CalendarClock } from '../../../services/limit/clock.ts'
import { type Decision, emptyDecision } from '../../../services/limit/decision.ts'
import { Errands } from '../../../services/limit/errands.ts'
import { paceOf } from '../../../services/limit/gcra.ts'
import { LeasedLimiter } from '../../../services/limit/leased-limiter.ts'
import type { Ledger } from '../../../services/limit/ledger.ts'
import { lend } from '../../../services/limit/lending.ts'
import { MemoryLedger } from '../../../services/limit/memory-ledger.ts'
import { play } from './processes.ts'

void test('however requests come to however many processes, no more than 5 % above a limit pass', async (t) => {
  const scenes = fc.record({
    count: fc.integer({ min: 100, max: 2_000 }),
    windowMs: fc.constantFrom(1_000, 10_000, 60_000),
    share: fc.integer({ min: 5, max: 100 }),
    members: fc.integer({ min: 1, max: 8 }),
    latency: fc.integer({ min: 0, max: 20 }),
    arrivals: fc.array(
      fc.record({
        after: fc.integer({ min: 0, max: 200 }),
        process: fc.nat(7),
        many: fc.integer({ min: 1, max: 60 }),
      }),
      { minLength: 20, maxLength: 100 },
    ),
  })
  await fc.assert(
    fc.asyncProperty(scenes, async ({ share, ...scene }) => {
      const { over } = await play({ ...scene, burst: Math.max(1, Math.floor((scene.count * share) / 100)) })
      return over <= 0.05 * scene.count + 0.01
    }),
    { numRuns: 40 },
  )
  t.pass()
})

void test('what processes borrow from each other is not lost: a limit that is wanted is used', async (t) => {
  for (const members of [1, 8]) {
    const arrivals = Array.from({ length: 800 }, (_, i) => ({ after: 2, process: (i * 7_919) % 13, many: 3 }))
    const { passed, most, over } = await play({
      count: 1_000,
      windowMs: 1_000,
      burst: 200,
      members,
      latency: 2,
      arrivals,
    })
    t.ok(passed > 0.9 * most, `${members} processes let pass ${passed} of ${Math.floor(most)}`)
    t.ok(over <= 50, `${over} too many`)
  }
})

void test('without the ledger a process decides by itself, by what it has let pass, and tells it afterwards', async (t) => {
  let [now, alone] = [1_000, 0]
  const used: number[] = []
  const ledger = {
    name: 'test',
    ready: true,
    members: 1,
    close: async () => {},
    settle: async (requests) => {
      used.push(...requests.map((request) => request.used))
      return requests.map((request) => lend({ tat: 0, now }, request, 1))
    },
  } satisfies Ledger
  const limit = {
    id: 'a',
    pace: paceOf({ count: 10, windowMs: 1_000 }, 10),
    clock: { now: () => now, inMs: (ms: number) => ms },
    period: null,
    maxKeys: 10,
  }
  const limiter = new LeasedLimiter(limit, { errands: new Errands(ledger, () => now), alone: () => void alone++ })
  const into = emptyDecision()
  ledger.ready = false as true
  let passed = 0
  for (let i = 0; i < 15; i++) {
    t.equal(limiter.take('key', 1, into), undefined, 'nobody waits')
    if (into.allowed) passed++
  }
  t.strictSame([passed, alone], [10, 15])
  t.equal(Math.round(into.waitMs), 100)
  ledger.ready = true
  now += 100
  t.match(await limiter.take('key', 1, into), { allowed: false }, 'it has told first what it has used')
  t.equal(used[0], 10)
  await limiter.close()
})

void test('a flood of keys takes bounded memory, and lets nobody off who is held back', async (t) => {
  const ledger: Ledger = { name: 'test', ready: false, members: 1, close: async () => {}, settle: async () => [] }
  const clock = { now: () => 1_000, inMs: (ms: number) => ms }
  const limit = { id: 'a', pace: paceOf({ count: 5, windowMs: 60_000 }, 5), clock, period: null, maxKeys: 1_000_000 }
  const limiter = new LeasedLimiter(limit, { errands: new Errands(ledger, () => 1_000), alone: () => undefined })
  const into = emptyDecision()
  for (let i = 0; i < 5; i++) void limiter.take('held back', 1, into)
  for (let i = 0; i < 110_000; i++) void limiter.take(`flood ${i}`, 1, into)
  t.equal(limiter.keys(), 100_000)
  void limiter.take('held back', 1, into)
  t.equal(into.allowed, false)
  await limiter.close()
})

void test('who cannot be told in 50 ms is decided about without it', async (t) => {
  const ledger: Ledger = {
    name: 'test',
    ready: true,
    members: 1,
    close: async () => {},
    settle: () => new Promise(() => {}),
  }
  let alone = 0
  const pace = paceOf({ count: 10, windowMs: 60_000 }, 10)
  const limit = {
    id: 'a',
    pace,
    clock: { now: () => performance.now(), inMs: (ms: number) => ms },
    period: null,
    maxKeys: 10,
  }
  const errands = new Errands(ledger)
  const limiter = new LeasedLimiter(limit, { errands, alone: () => void alone++ })
  const into = emptyDecision()
  t.match(await limiter.take('key', 1, into), { allowed: true })
  t.equal(alone, 1)
  // It was sent a moment after the first one had begun to wait.
  await until(() => !errands.usable)
  t.equal(limiter.take('key', 1, into), undefined, 'and whoever comes next does not wait any more')
  t.strictSame([into.allowed, alone], [true, 2])
})

/** @returns what makes processes, each with a clock of its own, that share ten a day of one who keeps them */
function quota(wall: () => number, now: () => number): (own: () => number) => LeasedLimiter {
  const keeper = new MemoryLedger({ wall })
  const ledger: Ledger = {
    name: 'test',
    ready: true,
    members: 2,
    close: async () => {},
    settle: async (requests) => keeper.settle(requests, 2),
  }
  return (own) => {
    const clock = new CalendarClock('day', own)
    const limit = { id: 'a', pace: { interval: 1, burst: 10, debt: 10 }, clock, period: 'day' as const, maxKeys: 10 }
    return new LeasedLimiter(limit, { errands: new Errands(ledger, now), alone: () => undefined })
  }
}

async function taken(limiter: LeasedLimiter, cost = 1): Promise<Decision> {
  const into = emptyDecision()
  return { ...((await limiter.take('key', cost, into)) ?? into) }
}

void test('a process whose clock is ahead, or was, has the day of who keeps the quota', async (t) => {
  let wall = Date.parse('2026-06-01T23:59:55Z')
  let now = 1_000
  let ahead = 10_000
  const limiter = quota(
    () => wall,
    () => now,
  )(() => wall + ahead)
  t.match(await taken(limiter, 10), { allowed: true })
  t.match(await taken(limiter), { allowed: false, waitMs: 5_000 }, 'it is told when there is more')
  ahead = 1_000 * 86_400_000
  t.match(await taken(limiter), { allowed: false })
  ahead = 0
  t.match(await taken(limiter), { allowed: false })
  wall += 5_000
  now += 5_000
  t.match(await taken(limiter, 10), { allowed: true }, 'and whoever waits so long is let in')
  t.match(await taken(limiter), { allowed: false, waitMs: 86_400_000 })
  await limiter.close()
})

void test('what others give back of a quota is to be had before the day is over', async (t) => {
  const wall = Date.parse('2026-06-01T12:00:00Z')
  let now = 1_000
  const made = quota(
    () => wall,
    () => now,
  )
  const [limiter, other] = [made(() => wall), made(() => wall)]
  const waitMs = 12 * 3_600_000
  t.match(await taken(other, 9), { allowed: true })
  t.match(await taken(limiter, 2), { allowed: false, waitMs })
  t.match(await taken(limiter), { allowed: true }, 'fewer may be there')
  t.match(await taken(limiter), { allowed: false, waitMs })
  other.giveBack('key', 1)
  await other.close()
  now += 999
  t.match(await taken(limiter), { allowed: false, waitMs: waitMs - 999 }, 'that is not asked with each request')
  now += 1
  t.match(await taken(limiter), { allowed: true })
  await limiter.close()
})

void test('while the ledger is late or away, what others have used until then counts', async (t) => {
  const now = 1_000
  const pace = paceOf({ count: 10, windowMs: 60_000 }, 10)
  const keeper = new MemoryLedger({ steady: () => now })
  const ledger = {
    name: 'test',
    ready: true,
    members: 2,
    close: async () => {},
    settle: async (requests) => keeper.settle(requests, 2),
  } satisfies Ledger
  const clock = { now: () => now, inMs: (ms: number) => ms }
  const limit = { id: 'a', pace, clock, period: null, maxKeys: 10 }
  const [limiter, other] = [0, 1].map(
    () => new LeasedLimiter(limit, { errands: new Errands(ledger, () => now), alone: () => undefined }),
  ) as [LeasedLimiter, LeasedLimiter]
  t.match(await taken(other, 7), { allowed: true })
  t.match(await taken(limiter), { allowed: true })
  ledger.ready = false as true
  let passed = 0
  for (let i = 0; i < 10; i++) if ((await taken(limiter)).allowed) passed++
  t.equal(passed, 2)
})
