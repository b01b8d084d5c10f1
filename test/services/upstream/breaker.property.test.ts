import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { Breaker, type BreakerState } from '../../../services/upstream/breaker/breaker.ts'
import type { BreakerOptions } from '../../../services/upstream/breaker/options.ts'
import { SlidingCount } from '../../../services/upstream/sliding-count.ts'
import { HandClock } from './hand-clock.ts'

const OPTIONS: BreakerOptions = {
  failures: 3,
  ratio: 0,
  windowMs: 10_000,
  minRequests: 4,
  openForMs: 1_000,
  probes: 2,
}

type Result = 'success' | 'failure' | undefined

function breaker(options: Partial<BreakerOptions> = {}) {
  const clock = new HandClock()
  const told: string[] = []
  const made = new Breaker(
    { ...OPTIONS, ...options },
    { clock, changed: (from, to, reason) => void told.push(from === to ? '' : `${from} ${to} ${reason}`.trim()) },
  )
  return { clock, told, breaker: made }
}

/** What a breaker without a ratio should do, as plainly as can be said. */
class Model {
  state: BreakerState = 'closed'
  readonly #options: Pick<BreakerOptions, 'failures' | 'openForMs' | 'probes'>
  #results: Result[] = []
  #openUntil = 0
  #period = 0
  #trying = 0

  constructor(options: Pick<BreakerOptions, 'failures' | 'openForMs' | 'probes'>) {
    this.#options = options
  }

  time(now: number): void {
    if (this.state === 'open' && now >= this.#openUntil) this.#enter('half-open')
  }

  get admits(): boolean {
    return this.state === 'closed' || (this.state === 'half-open' && this.#trying < this.#options.probes)
  }

  begin(): number {
    this.#trying++
    return this.#period
  }

  end(period: number, result: Result, now: number): void {
    if (period !== this.#period) return
    this.#trying--
    if (result === undefined) return
    this.#results.push(result)
    const { failures, openForMs, probes } = this.#options
    const recent = this.#results.slice(-failures)
    const isBad =
      this.state === 'half-open' ? result === 'failure' : recent.length === failures && !recent.includes('success')
    if (isBad) {
      this.#openUntil = now + openForMs
      this.#enter('open')
    } else if (this.state === 'half-open' && this.#results.length === probes) {
      this.#enter('closed')
    }
  }

  #enter(state: BreakerState): void {
    this.state = state
    this.#period++
    this.#results = []
    this.#trying = 0
  }
}

void test('a breaker does what its model does, whatever requests begin, end, and how late', (t) => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('begin' as const) }),
    fc.record({
      do: fc.constant('end' as const),
      which: fc.nat(),
      result: fc.constantFrom<Result>('success', 'failure', 'failure', undefined),
    }),
    fc.record({ do: fc.constant('pass' as const), ms: fc.nat(1_500) }),
  )
  const options = fc.record({
    failures: fc.integer({ min: 1, max: 4 }),
    probes: fc.integer({ min: 1, max: 3 }),
    openForMs: fc.integer({ min: 1, max: 2_000 }),
  })
  fc.assert(
    fc.property(options, fc.array(step, { maxLength: 120 }), (given, steps) => {
      const { clock, breaker: real } = breaker(given)
      const model = new Model(given)
      const open: { real: number; model: number }[] = []
      for (const one of steps) {
        if (one.do === 'pass') {
          clock.pass(one.ms)
          model.time(clock.now())
        } else if (one.do === 'begin') {
          if (real.admits) open.push({ real: real.enter(), model: model.begin() })
        } else if (open.length > 0) {
          const [ticket] = open.splice(one.which % open.length, 1)
          real.leave(ticket!.real, one.result)
          model.end(ticket!.model, one.result, clock.now())
        }
        assert.equal(real.state, model.state)
        assert.equal(real.admits, model.admits)
      }
    }),
    { numRuns: 200 },
  )
  t.end()
})

void test('it opens, is tried by a few at a time, and closes with their successes', (t) => {
  const { clock, told, breaker: real } = breaker()
  const late = real.enter()
  for (let failure = 0; failure < 3; failure++) real.leave(real.enter(), 'failure')
  t.equal(real.admits, false)
  t.equal(real.triedAt, 1_000)
  clock.pass(1_000)
  const [first, second] = [real.enter(), real.enter()]
  t.equal(real.admits, false, 'two are trying')
  real.leave(late, 'failure')
  t.equal(real.state, 'half-open', 'what began before says nothing')
  real.leave(first, undefined)
  t.equal(real.admits, true, 'a client that leaves makes room')
  real.leave(second, 'success')
  real.leave(real.enter(), 'success')
  t.strictSame(
    told.filter((line) => line !== ''),
    ['closed open 3 failures in a row', 'open half-open', 'half-open closed'],
  )
  t.equal(real.opened, 1)
  real.close()
  t.strictSame(clock.planned, [])
  t.end()
})

void test('a share of failures opens it, once there are enough requests to tell, and only those of the window count', (t) => {
  const { clock, told, breaker: real } = breaker({ failures: 0, ratio: 0.5 })
  const end = (result: Result): void => real.leave(real.enter(), result)
  for (const result of ['failure', 'failure', 'failure'] as const) end(result)
  t.equal(real.state, 'closed', 'three tell nothing')
  clock.pass(11_000)
  for (const result of ['success', 'success', 'failure'] as const) end(result)
  t.equal(real.state, 'closed')
  end('failure')
  t.strictSame(told, ['closed open 2 of 4 requests failed'])
  t.end()
})

void test('a sliding count has what happened in its window, to a tenth of it', (t) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(400), fc.nat(3)), { maxLength: 60 }), (steps) => {
      const count = new SlidingCount(1_000)
      const events: number[] = []
      let now = 0
      for (const [ms, times] of steps) {
        now += ms
        count.add(now, times)
        for (let time = 0; time < times; time++) events.push(now)
        const slotsIn = events.filter((at) => Math.floor(at / 100) > Math.floor(now / 100) - 10)
        assert.equal(count.sum(now), slotsIn.length)
      }
    }),
    { numRuns: 100 },
  )
  t.end()
})
