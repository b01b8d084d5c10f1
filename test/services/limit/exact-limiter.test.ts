import { test } from 'tap'
import { ControlLedger } from '../../../services/limit/control-ledger.ts'
import { emptyDecision } from '../../../services/limit/decision.ts'
import { Errands } from '../../../services/limit/errands.ts'
import { ExactLimiter } from '../../../services/limit/exact-limiter.ts'
import { paceOf } from '../../../services/limit/gcra.ts'
import type { Ledger } from '../../../services/limit/ledger.ts'
import type { Loan, LoanRequest } from '../../../services/limit/lending.ts'

const GRANTED: Loan = { granted: 1, start: 0, now: 0, left: 9, wait: 0 }
const limit = {
  id: 'a',
  pace: paceOf({ count: 10, windowMs: 60_000 }, 10),
  clock: { now: () => 1_000, inMs: (ms: number) => ms },
  period: null,
  maxKeys: 100,
}

void test('what was granted too late is given back, and what was decided meanwhile is told', async (t) => {
  const first = Promise.withResolvers<Loan[]>()
  const told: number[] = []
  const ledger: Ledger = {
    name: 'test',
    ready: true,
    members: 1,
    close: async () => {},
    settle: async (requests: readonly LoanRequest[]) => {
      if (requests[0]?.need === 1) return await first.promise
      told.push(...requests.map(({ used }) => used))
      return requests.map(() => ({ ...GRANTED, granted: 0 }))
    },
  }
  let alone = 0
  const errands = new Errands(ledger)
  const limiter = new ExactLimiter(limit, { errands, alone: () => void alone++ })
  t.match(await limiter.take('key', 1, emptyDecision()), { allowed: true })
  t.equal(alone, 1, 'nobody waits for longer than 50 ms')
  first.resolve([GRANTED])
  await errands.settled()
  t.strictSame(
    told.toSorted((a, b) => a - b),
    [-1, 1],
  )
})

void test('a supervisor that cannot be asked is left alone for a second', async (t) => {
  let now = 1_000
  let fails = true
  const ledger = new ControlLedger(
    async (requests) => {
      if (fails) throw new RangeError('away')
      return { loans: requests.map(() => GRANTED), members: 3 }
    },
    () => now,
  )
  const request: LoanRequest = { limit: 'a', key: 'k', pace: limit.pace, period: null, used: 0, need: 1, want: 1 }
  t.strictSame(await ledger.settle([request]), [null])
  t.strictSame([ledger.ready, ledger.members], [false, Number.POSITIVE_INFINITY])
  now += 1_000
  fails = false
  t.equal(ledger.ready, true)
  t.strictSame(await ledger.settle([request]), [GRANTED])
  t.equal(ledger.members, 3)
})

void test('what others have used is known of while the ledger is late', async (t) => {
  let ready = true
  let loan: Loan = { ...GRANTED, left: 2 }
  const ledger: Ledger = {
    name: 'test',
    get ready() {
      return ready
    },
    members: 3,
    close: async () => {},
    settle: async (requests: readonly LoanRequest[]) => requests.map(() => loan),
  }
  const limiter = new ExactLimiter(limit, { errands: new Errands(ledger), alone: () => undefined })
  const take = async (key: string): Promise<boolean> => {
    const into = emptyDecision()
    return ((await limiter.take(key, 1, into)) ?? into).allowed
  }
  t.equal(await take('a'), true)
  loan = { ...GRANTED, granted: 0, left: 0, wait: 3_000 }
  t.equal(await take('b'), false)
  ready = false
  const alone = []
  for (let i = 0; i < 4; i++) alone.push(await take('a'))
  t.same(alone, [true, true, false, false], 'there were two left for all')
  t.equal(await take('b'), false, 'and nothing here')
  t.equal(await take('c'), true, 'of whom nothing is known, everything')
})

void test('the supervisor is given half a second, anybody else 50 ms', async (t) => {
  const never = new Promise<never>(() => {})
  const remote: Ledger = { name: 'test', ready: true, members: 1, close: async () => {}, settle: () => never }
  for (const [ledger, ms] of [
    [remote, 50],
    [new ControlLedger(() => never), 500],
  ] as const) {
    let now = 1
    const errands = new Errands(ledger, () => now)
    errands.add({ request: () => ({}) as LoanRequest, done: () => undefined })
    await Promise.resolve()
    now += ms - 1
    t.ok(errands.usable)
    now++
    t.notOk(errands.usable, `${ledger.name}: ${ms} ms`)
  }
})
