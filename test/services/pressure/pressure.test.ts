import fc from 'fast-check'
import { test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { classOf, CLASSES, CRITICAL } from '../../../services/pressure/classes.ts'
import type { PressureOptions } from '../../../services/pressure/options.ts'
import { Pressure } from '../../../services/pressure/pressure.ts'
import { processSensors } from '../../../services/pressure/process-sensors.ts'
import type { Readings } from '../../../services/pressure/readings.ts'
import { lastingPressure, mergePressure } from '../../../services/pressure/report.ts'
import { Sampler } from '../../../services/pressure/sampler.ts'
import { signalsOf } from '../../../services/pressure/signals.ts'
import { seeded } from './event-loop.ts'

const CALM: Readings = {
  eventLoopDelayMs: 1,
  eventLoopUtilization: 0.2,
  heapUsedBytes: 50e6,
  heapLimitBytes: 4e9,
  rssBytes: 100e6,
}
const LATE: Readings = { ...CALM, eventLoopDelayMs: 5_000, eventLoopUtilization: 0.97 }

function optionsOf(pressure: object | true = true): PressureOptions {
  return resolveConfig({ pressure }, { root: '/' }).pressure as PressureOptions
}

function pressed(parts: { options?: object; random?: () => number } = {}): Pressure {
  return new Pressure(optionsOf(parts.options ?? {}), { random: parts.random ?? seeded(3), load: { inFlight: 0 } })
}

/** Samples of a loop that is late, with so many requests of each class in each of them. */
function overload(pressure: Pressure, samples: number, perSample: Partial<Record<number, number>>): void {
  for (let sample = 0; sample < samples; sample++) {
    for (const [index, count] of Object.entries(perSample)) {
      for (let i = 0; i < (count ?? 0); i++) pressure.admit(Number(index))
    }
    pressure.sampled(LATE)
  }
}

const NORMAL = classOf('normal', true)
const chances = (pressure: Pressure): number[] => pressure.report().classes.map(({ chance }) => chance)

void test('while nothing presses everything passes, without a random number', async (t) => {
  const pressure = pressed({ random: () => t.fail('it was asked for one') as never })
  for (let sample = 0; sample < 10; sample++) pressure.sampled(CALM)
  for (let index = 0; index < CLASSES.length; index++) t.equal(pressure.admit(index), undefined)
  t.match(pressure.report(), { state: 'calm', level: 0, reasons: [] })
})

void test('what presses before anything has come is the start, and no reason to turn the first away', async (t) => {
  const pressure = pressed({ random: () => 0 })
  for (let sample = 0; sample < 10; sample++) pressure.sampled(LATE)
  t.equal(pressure.level, 0)
  t.match(pressure.report().readings, LATE, 'it is told all the same')
  for (let sample = 0; sample < 2; sample++) {
    t.equal(pressure.admit(NORMAL), undefined)
    pressure.sampled(LATE)
  }
  t.equal(pressure.admit(NORMAL), undefined, 'two samples of what has come are not enough')
  pressure.sampled(LATE)
  t.ok(pressure.admit(NORMAL), 'three are')
})

void test('the lowest priority goes first, of one priority who is anonymous, and what is critical never', async (t) => {
  const pressure = pressed()
  const all = Object.fromEntries(CLASSES.map((_, index) => [index, 10]))
  overload(pressure, 4, all)
  const seen = [chances(pressure)]
  for (let sample = 0; sample < 30; sample++) {
    overload(pressure, 1, all)
    seen.push(chances(pressure))
  }
  for (const now of seen) {
    t.same(
      now,
      now.toSorted((a, b) => b - a),
      'no class fares better than one above it',
    )
    t.equal(now[CRITICAL], 0)
  }
  t.ok((seen[0] as number[])[0]! > 0)
  t.equal((seen[0] as number[])[5], 0, 'not all at once')
  t.strictSame(seen.at(-1)?.slice(0, 6), [1, 1, 1, 1, 1, 1])
})

void test('what is turned away is told why, when to come back, and counted', async (t) => {
  const pressure = pressed({ options: { retryAfter: '3s' } })
  overload(pressure, 50, { [classOf('low', true)]: 20 })
  const refusals = Array.from({ length: 200 }, () => pressure.admit(classOf('low', true))).filter(Boolean)
  t.ok(refusals.length > 150)
  const waits = new Set(refusals.map((error) => Number(error?.fields?.[1])))
  t.match(refusals[0], { code: 'HR_PRESSURE_SHED', statusCode: 503 })
  t.ok(waits.size > 2, 'not all at the same time')
  t.ok([...waits].every((seconds) => seconds >= 3 && seconds <= 6))
  const { classes, state, reasons } = pressure.report()
  t.equal(state, 'shedding')
  t.strictSame(reasons, ['event-loop-delay'])
  t.ok((classes[0]?.shed['event-loop-delay'] ?? 0) >= refusals.length)
})

void test('asked before and after it is known who calls, it turns away as many as asked once', async (t) => {
  const both = pressed({ random: seeded(11) })
  const mixed = { [classOf('normal', true)]: 30, [classOf('normal', false)]: 30 }
  overload(both, 8, mixed)
  const known = classOf('normal', false)
  for (const index of [known, classOf('normal', true)]) {
    const chance = chances(both)[index] as number
    let refused = 0
    for (let i = 0; i < 20_000; i++) {
      const refusal = both.admitUnknown(known) ?? both.admitKnown(index, known)
      if (refusal !== undefined) refused++
    }
    t.ok(Math.abs(refused / 20_000 - chance) < 0.02, `${refused / 20_000} where ${chance} was meant`)
  }
})

void test('of the exchanges that may be under way, each priority has its part', async (t) => {
  const pressure = pressed({ options: { maxInFlight: 10 } })
  const passes = (index: number): boolean => pressure.admit(index) === undefined
  pressure.load.inFlight = 7
  t.ok(passes(classOf('low', true)))
  pressure.load.inFlight = 8
  t.notOk(passes(classOf('low', true)))
  t.ok(passes(classOf('high', false)))
  pressure.load.inFlight = 11
  t.notOk(passes(classOf('high', false)))
  t.ok(passes(CRITICAL))
  t.match(pressure.report(), { state: 'shedding', reasons: ['in-flight'], inFlight: { now: 11, limit: 10 } })
})

void test('each threshold presses by itself, and one of 0 never does', async (t) => {
  const over = (options: object, readings: Partial<Readings>): string[] =>
    signalsOf({ ...CALM, ...readings }, optionsOf(options))
      .filter(({ pressure }) => pressure > 1)
      .map(({ reason }) => reason)
  const busy = { eventLoopUtilization: 0.9 }
  t.strictSame(over({}, { ...busy, eventLoopDelayMs: 201 }), ['event-loop-delay'])
  t.strictSame(over({ maxEventLoopDelay: '0s' }, { ...busy, eventLoopDelayMs: 9_999 }), [])
  t.strictSame(over({ maxEventLoopUtilization: 0 }, { eventLoopUtilization: 1 }), [])
  t.strictSame(over({ maxEventLoopUtilization: 0.9 }, { eventLoopUtilization: 0.95 }), ['event-loop-utilization'])
  t.strictSame(over({}, { heapUsedBytes: 3.9e9 }), ['heap'])
  t.strictSame(over({ maxHeap: 0, maxHeapUsedBytes: '10MiB' }, {}), ['heap'])
  t.strictSame(over({ maxRssBytes: '1MiB' }, {}), ['rss'])
})

void test('a loop that has time to spare is late for the sake of others, and sheds nothing for it', async (t) => {
  const pressureAt = (utilization: number): number =>
    signalsOf({ ...CALM, eventLoopDelayMs: 400, eventLoopUtilization: utilization }, optionsOf(true))[0]!.pressure
  t.strictSame([0.1, 0.5, 0.625, 0.75, 0.97].map(pressureAt), [0, 0, 1, 2, 2])
  t.equal(pressureAt(Number.NaN), 2, 'where that is not known, it counts')

  const pressure = pressed()
  pressure.admit(NORMAL)
  for (let sample = 0; sample < 50; sample++) pressure.sampled({ ...LATE, eventLoopUtilization: 0.3 })
  t.equal(pressure.level, 0, 'however long: nothing less to do would make it earlier')
  for (let sample = 0; sample < 50; sample++) pressure.sampled(LATE)
  t.ok(pressure.level > 0.9)
  for (let sample = 0; sample < 200; sample++) pressure.sampled({ ...LATE, eventLoopUtilization: 0.3 })
  t.equal(pressure.level, 0, 'and what was shed comes back once it does not help')
})

void test('whatever is read, chances are chances and what is critical passes', async () => {
  const number = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 0))
  const readings = fc.record({
    eventLoopDelayMs: number,
    eventLoopUtilization: number,
    heapUsedBytes: number,
    heapLimitBytes: number,
    rssBytes: number,
  })
  const step = fc.tuple(readings, fc.array(fc.integer({ min: 0, max: CRITICAL }), { maxLength: 20 }))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pressure = pressed({ options: { maxEventLoopUtilization: 0.9, maxRssBytes: '1GiB' } })
      for (const [read, came] of steps) {
        for (const index of came) if (pressure.admit(index) !== undefined && index === CRITICAL) return false
        pressure.sampled(read)
        if (!chances(pressure).every((chance) => chance >= 0 && chance <= 1)) return false
      }
      return pressure.level >= 0 && pressure.level <= 0.98
    }),
  )
})

void test('what several processes say is added up, and the hardest pressed is shown', async (t) => {
  const [one, two] = [pressed(), pressed()]
  one.admit(classOf('normal', true))
  overload(two, 10, { [classOf('normal', true)]: 5 })
  const merged = mergePressure([one.report(), null, two.report()])
  t.equal(merged?.state, 'shedding')
  t.equal(merged?.level, two.level)
  const admitted = (pressure: Pressure): number => pressure.report().classes[2]?.admitted ?? 0
  t.equal(merged?.classes[2]?.admitted, admitted(one) + admitted(two))
  t.equal(mergePressure([null]), null)
  t.match(lastingPressure(two.report()), {
    state: 'calm',
    level: 0,
    classes: two.report().classes.map(({ shed }) => ({ shed })),
  })
})

void test('the sensors of the process see it, at the interval, until they are closed', async (t) => {
  const sensors = processSensors()
  const pressure = pressed({ options: { sampleInterval: '20ms' } })
  const sampler = new Sampler(pressure, sensors)
  t.equal(pressure.report().readings, null)
  const until = performance.now() + 20_000
  while (pressure.report().readings === null && performance.now() < until)
    await new Promise((done) => setTimeout(done, 5))
  sampler.close()
  const { readings } = pressure.report()
  t.ok(readings !== null && readings.heapUsedBytes > 1e6 && readings.heapUsedBytes < readings.heapLimitBytes)
  t.ok(readings !== null && readings.rssBytes > 1e6 && readings.eventLoopUtilization >= 0)
})
