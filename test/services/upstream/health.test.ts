import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test, type Test } from 'tap'
import { Dispatcher } from 'undici'
import { eligible, type Standing } from '../../../services/upstream/eligible.ts'
import { HealthCheck } from '../../../services/upstream/health/health-check.ts'
import type { OutlierOptions } from '../../../services/upstream/health/options.ts'
import { type Ejectable, OutlierRecord, Outliers } from '../../../services/upstream/health/outliers.ts'
import { SlowStart } from '../../../services/upstream/health/slow-start.ts'
import { PATIENCE } from '../../helper.ts'
import { type Play, startUpstream } from '../../upstream-server.ts'
import { HandClock } from './hand-clock.ts'
import { targetAt } from './target-at.ts'

const OPTIONS: OutlierOptions = {
  consecutiveFailures: 3,
  failureRatio: 0,
  latencyMs: 0,
  windowMs: 10_000,
  minRequests: 10,
  ejectForMs: 1_000,
  maxEjectForMs: 6_000,
  maxEjected: 0.5,
}

interface Named extends Ejectable {
  name: string
  healthy: boolean
}

/** So many targets, what was ejected and came back in order, and how requests end. */
function watched(count: number, options: Partial<OutlierOptions> = {}) {
  const clock = new HandClock()
  const targets = Array.from({ length: count }, (_, index): Named => {
    const outlier = new OutlierRecord()
    return {
      name: String(index),
      healthy: true,
      outlier,
      get sound() {
        return this.healthy && outlier.ejected === null
      },
    }
  })
  const told: string[] = []
  const outliers = new Outliers<Named>(
    { ...OPTIONS, ...options },
    {
      clock,
      members: () => targets,
      ejected: ({ name }, { reason, forMs, followed }) =>
        void told.push(`${followed ? '~' : '-'}${name} ${forMs} ${reason}`),
      returned: ({ name }) => void told.push(`+${name}`),
    },
  )
  const fail = (index: number, times = 1): void => {
    for (let turn = 0; turn < times; turn++) outliers.attempted(targets[index]!, true, 5)
  }
  const answer = (index: number, times = 1, ms = 5): void => {
    for (let turn = 0; turn < times; turn++) outliers.attempted(targets[index]!, false, ms)
  }
  return { clock, targets, told, outliers, fail, answer }
}

void test('failures in a row eject a target, for longer each time that comes soon after', (t) => {
  const { clock, told, fail, answer } = watched(2)
  fail(0, 2)
  answer(0)
  fail(0, 2)
  t.strictSame(told, [], 'a success between them breaks the row')
  fail(0)
  clock.pass(1_000)
  fail(0, 3)
  clock.pass(2_000)
  fail(0, 3)
  clock.pass(4_000)
  fail(0, 3)
  t.strictSame(told, [
    '-0 1000 3 failures in a row',
    '+0',
    '-0 2000 3 failures in a row',
    '+0',
    '-0 4000 3 failures in a row',
    '+0',
    '-0 6000 3 failures in a row',
  ])
  clock.pass(6_000)
  for (let window = 0; window < 4; window++) {
    clock.pass(10_000)
    answer(0)
  }
  fail(0, 3)
  t.equal(told.at(-1), '-0 1000 3 failures in a row', 'windows without one make it as new')
  t.end()
})

void test('the last target of use is never ejected, nor more of them than may be', (t) => {
  const two = watched(2)
  two.targets[1]!.healthy = false
  two.fail(0, 9)
  t.strictSame(two.told, [])
  const five = watched(5)
  for (let index = 0; index < 5; index++) five.fail(index, 3)
  t.strictSame(
    five.targets.map(({ outlier }) => outlier.ejected !== null),
    [true, true, false, false, false],
  )
  const few = watched(3, { maxEjected: 0.1 })
  for (let index = 0; index < 3; index++) few.fail(index, 3)
  t.equal(few.told.length, 1, 'one may always be, unless the share is 0')
  const none = watched(3, { maxEjected: 0 })
  none.fail(0, 3)
  t.strictSame(none.told, [])
  t.end()
})

void test('what another process has ejected is left alone as long as there, and within the bounds that hold here', (t) => {
  const { clock, told, fail, outliers, targets } = watched(3)
  const [first, second] = targets as [Named, Named]
  outliers.follow(first, { reason: 'slow', forMs: 700 })
  outliers.follow(first, { reason: 'slow', forMs: 900 })
  outliers.follow(second, { reason: 'slow', forMs: 700 })
  t.strictSame(told, ['~0 700 slow'], 'once, and no more than may be')
  t.equal(first.outlier.count, 0, 'it is counted where it was found out')
  clock.pass(700)
  outliers.follow(second, { reason: 'slow', forMs: 0 })
  fail(0, 3)
  t.strictSame(told.slice(1), ['+0', '-0 2000 3 failures in a row'], 'one that comes back to fail is gone for longer')
  t.end()
})

void test('whatever happens, some target is of use, and no more are ejected than may be', (t) => {
  const event = fc.tuple(fc.nat(4), fc.constantFrom('fail', 'answer', 'slow', 'ill', 'well'), fc.nat(4_000))
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(event, { maxLength: 200 }), (count, events) => {
      const { clock, targets, fail, answer } = watched(count, {
        failureRatio: 0.5,
        latencyMs: 50,
        minRequests: 2,
        windowMs: 2_000,
      })
      for (const [at, what, ms] of events) {
        const index = at % count
        if (what === 'fail') fail(index)
        else if (what === 'answer') answer(index)
        else if (what === 'slow') answer(index, 1, 500)
        // Health checks know nothing of ejections: they may leave nobody, which is then no ejection's doing.
        else targets[index]!.healthy = what === 'well'
        const ejected = targets.filter(({ outlier }) => outlier.ejected !== null)
        assert.ok(ejected.length <= Math.max(1, Math.floor(count / 2)))
        assert.ok(ejected.length < count)
        clock.pass(ms)
      }
    }),
    { numRuns: 60 },
  )
  t.end()
})

void test('a share of failures in a window ejects, once there are enough requests to tell', (t) => {
  const { clock, told, fail, answer } = watched(3, { consecutiveFailures: 0, failureRatio: 0.4 })
  fail(0, 4)
  answer(1, 20)
  clock.pass(10_000)
  answer(1)
  t.strictSame(told, [], 'four requests tell nothing')
  answer(0, 7)
  fail(0, 5)
  answer(1, 20)
  clock.pass(10_000)
  answer(1)
  t.strictSame(told, ['-0 1000 5 of 12 requests failed'])
  t.end()
})

void test('a target is slow where the others are not', (t) => {
  const { clock, told, answer } = watched(3, { consecutiveFailures: 0, latencyMs: 100 })
  for (const index of [0, 1, 2]) answer(index, 10, 500)
  clock.pass(10_000)
  answer(0, 1, 500)
  t.strictSame(told, [], 'all are: none is an outlier')
  answer(0, 10, 150)
  for (const index of [1, 2]) answer(index, 10, 60)
  clock.pass(10_000)
  answer(1)
  t.match(told, [/^-0 1000 1\d\d ms to its answers, the others 57$/])
  t.end()
})

void test('a target that returns has its share in ten steps; one that leaves meanwhile takes no more', (t) => {
  const clock = new HandClock()
  let changes = 0
  const slowStart = new SlowStart({ durationMs: 10_000, clock, changed: () => changes++ })
  const target = { ramp: 1 }
  slowStart.begin(target)
  t.equal(target.ramp, 0.1)
  clock.pass(4_000)
  t.equal(target.ramp, 0.5)
  slowStart.begin(target)
  t.equal(target.ramp, 0.1, 'it begins again')
  clock.pass(10_000)
  t.equal(target.ramp, 1)
  t.strictSame(clock.planned, [])
  t.equal(changes, 15)
  slowStart.begin(target)
  slowStart.end(target)
  t.strictSame([target.ramp, clock.planned], [1, []])
  new SlowStart({ durationMs: 0, clock, changed: () => t.fail('at once') }).begin(target)
  t.equal(target.ramp, 1)
  t.end()
})

const standing = (sound: boolean, priority = 0): Standing => ({ sound, priority, draining: false, barred: false })

void test('no unsound target is eligible while a sound one is there, nor ever one that drains or is barred', (t) => {
  const anyStanding = fc.record({
    sound: fc.boolean(),
    priority: fc.nat(2),
    draining: fc.boolean(),
    barred: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(anyStanding, { maxLength: 8 }), (members) => {
      const { targets, panic } = eligible(members, 0)
      const takers = members.filter(({ draining, barred }) => !draining && !barred)
      assert.equal(targets.length === 0, takers.length === 0)
      assert.ok(targets.every((target) => takers.includes(target)))
      assert.equal(panic, takers.length > 0 && takers.every(({ sound }) => !sound))
      if (!panic) assert.ok(targets.every(({ sound }) => sound))
      const better = takers.filter(({ sound, priority }) => (sound || panic) && priority < (targets[0]?.priority ?? 0))
      assert.deepEqual(better, [])
    }),
    { numRuns: 200 },
  )
  t.end()
})

void test('where too few are sound, all are used', (t) => {
  const members = [standing(true), standing(false), standing(false)]
  t.strictSame(eligible(members, 0.3), { targets: [members[0]], panic: false })
  t.strictSame(eligible(members, 0.5), { targets: members, panic: true })
  const backup = standing(true, 1)
  t.strictSame(eligible([...members, backup], 0.5), { targets: [backup], panic: false })
  t.end()
})

const HEALTH = {
  path: '/ready',
  statuses: [[200, 204]] as [number, number][],
  host: null,
  intervalMs: 10_000,
  timeoutMs: 2_000,
  healthyAfter: 2,
  unhealthyAfter: 3,
}

/** A check of a scripted upstream; each `next` is one answer. */
async function checked(t: Test, plays: Play[], random = 0.5) {
  const upstream = await startUpstream(t, plays, { tolerant: true })
  const clock = new HandClock()
  const told: string[] = []
  const target = targetAt(t, upstream.origin)
  const check = new HealthCheck(HEALTH, {
    clock,
    random: () => random,
    connect: () => target.connect(),
    changed: (healthy, reason) => void told.push(healthy ? '+' : `-${reason}`),
  })
  t.teardown(() => check.close())
  /** Resolves when so many answers were judged. */
  const judged = async (count: number): Promise<void> => {
    const end = performance.now() + PATIENCE
    while (check.passed + check.failed < count && performance.now() < end) {
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  return { upstream, clock, check, told, judged }
}

const ok: Play = (exchange) => exchange.respond()
const ill: Play = (exchange) => exchange.respond(503)

/** A connection that cannot be opened, for this reason. */
class Unopened extends Dispatcher {
  readonly #code: string

  constructor(code: string) {
    super()
    this.#code = code
  }

  override dispatch(_options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    const none = null as unknown as Dispatcher.DispatchController
    handler.onResponseError?.(none, Object.assign(new Error(this.#code), { code: this.#code }))
    return false
  }

  override destroy(): Promise<void> {
    return Promise.resolve()
  }
}

void test('a check for which there is no descriptor says nothing, and the next one is made', async (t) => {
  const clock = new HandClock()
  const reasons = ['EMFILE', 'EMFILE', 'ECONNREFUSED']
  const check = new HealthCheck(HEALTH, {
    clock,
    random: () => 0.5,
    connect: () => new Unopened(reasons.shift() as string),
    changed: () => undefined,
  })
  t.teardown(() => check.close())
  await check.first
  t.match(check, { healthy: undefined, failed: 0, last: null })
  for (let turn = 0; turn < 2; turn++) {
    t.strictSame(clock.planned, [10_000])
    clock.pass(10_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.match(check, { healthy: false, failed: 1, last: { reason: 'connect_error ECONNREFUSED' } })
})

void test('the first answer decides; after that so many in a row', { timeout: PATIENCE }, async (t) => {
  const plays = [ok, ill, ill, ok, ill, ill, ill, ok, ill, ok, ok]
  const { upstream, clock, check, told, judged } = await checked(t, plays)
  await check.first
  t.equal(check.healthy, true)
  for (let turn = 2; turn <= plays.length; turn++) {
    t.strictSame(clock.planned, [10_000])
    clock.pass(10_000)
    await judged(turn)
    t.equal(check.healthy, turn < 7 || turn > 10, `answer ${turn}`)
  }
  t.strictSame(told, ['+', '-status 503', '+'])
  t.match(check.last, { passed: true, reason: '' })
  t.equal(upstream.requests[0]?.start, 'GET /ready HTTP/1.1')
  t.equal(upstream.requests[0]?.get('user-agent'), 'headrace-health-check')
})

for (const [random, planned] of [
  [0, 9_000],
  [0.999_999, 11_000],
] as const) {
  void test(`with chance at ${random} the next request comes after ${planned} ms`, async (t) => {
    const { clock, check } = await checked(t, [ok], random)
    await check.first
    t.ok(Math.abs(clock.planned[0]! - planned) < 1)
  })
}

const LIES: Record<string, [Play, RegExp]> = {
  'a redirect': [(exchange) => exchange.respond(302, [['Location', '/elsewhere']]), /^status 302$/],
  garbage: [(exchange) => exchange.garbage(), /^invalid_response /],
  'a reset': [(exchange) => exchange.reset(), /^reset /],
  'a body that is cut': [(exchange) => exchange.lieAboutLength(10, 'short'), /^truncated /],
  'a body without an end': [
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      for (;;) await exchange.chunk('x'.repeat(16_384))
    },
    /^an answer of more than 65536 bytes$/,
  ],
  'a body that says it is huge': [
    (exchange) => exchange.send(`HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n${'x'.repeat(70_000)}`),
    /^an answer of more than 65536 bytes$/,
  ],
  'interim answers without end': [
    async (exchange) => {
      for (;;) await exchange.send('HTTP/1.1 100 Continue\r\n\r\n')
    },
    /^(invalid_response|reset) /,
  ],
}

for (const [name, [play, reason]] of Object.entries(LIES)) {
  void test(`${name} has not passed, and does no harm`, { timeout: PATIENCE }, async (t) => {
    const { upstream, clock, check, judged } = await checked(t, [play, ok])
    await check.first
    t.equal(check.healthy, false)
    t.match(check.last?.reason, reason)
    await upstream.closed(0)
    clock.pass(10_000)
    await judged(2)
    t.match(check.last, { passed: true })
  })
}

void test('an answer that does not come in time has not passed, whatever part of it has', {
  timeout: PATIENCE,
}, async (t) => {
  const { upstream, clock, check } = await checked(t, [
    async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no')
      await exchange.stall()
    },
  ])
  await upstream.received(1)
  clock.pass(2_000)
  await check.first
  t.equal(check.healthy, false)
  t.equal(check.last?.reason, 'no answer in time')
  await upstream.closed(0)
})
