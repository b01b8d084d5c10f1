import fc from 'fast-check'
import { test } from 'tap'
import { Gradient } from '../../../services/upstream/concurrency/gradient.ts'
import { ConcurrencyLimiter } from '../../../services/upstream/concurrency/limiter.ts'
import { type ConcurrencyOptions, resolveConcurrency } from '../../../services/upstream/concurrency/options.ts'
import { seeded } from '../pressure/event-loop.ts'
import { runQueue } from './limited-queue.ts'

const OPTIONS = resolveConcurrency(true) as ConcurrencyOptions
const limiterOf = (options: Partial<ConcurrencyOptions> = {}): ConcurrencyLimiter =>
  new ConcurrencyLimiter({ ...OPTIONS, ...options })

void test('under three times what a service can, it is kept busy and its queue short, whatever its size', async (t) => {
  for (const service of [
    { workers: 10, serviceMs: 50 },
    { workers: 60, serviceMs: 20 },
  ]) {
    const capacity = service.workers / service.serviceMs
    const { servedPerMs, p99Ms, limits } = runQueue({
      limiter: limiterOf(),
      serviceAt: () => service,
      rate: 3 * capacity,
      forMs: 30_000,
      settleMs: 5_000,
      random: seeded(3),
    })
    t.ok(servedPerMs > 0.9 * capacity, `${servedPerMs} of ${capacity}`)
    t.ok(p99Ms < 4 * service.serviceMs + OPTIONS.waitMs, `${p99Ms} ms`)
    const last = limits.at(-1) as number
    t.ok(last > service.workers && last < 3.5 * service.workers, `a limit of ${last} before ${service.workers}`)
  }
})

void test('it follows a service that loses most of its workers, and one that gets them back', async (t) => {
  const { limits } = runQueue({
    limiter: limiterOf({ probeMs: 5_000 }),
    serviceAt: (now) => ({ workers: now > 15_000 && now < 30_000 ? 5 : 30, serviceMs: 40 }),
    rate: 1.5,
    forMs: 50_000,
    settleMs: 0,
    random: seeded(9),
  })
  const [before, less, after] = [limits[14], limits[29], limits[49]] as [number, number, number]
  t.ok(less < before / 2, `${before} → ${less}`)
  t.ok(after > 1.5 * less, `${less} → ${after}`)
})

void test('a limit that nobody reaches stays, and one that is used finds its way up', async (t) => {
  const gradient = new Gradient(OPTIONS)
  let now = 0
  const sample = (inFlight: number): void => gradient.sampled(10, { now: (now += 20), sentAt: now - 10, inFlight })
  for (let i = 0; i < 200; i++) sample(3)
  t.equal(gradient.limit, OPTIONS.initial)
  for (let i = 0; i < 200; i++) sample(Math.floor(gradient.limit))
  t.ok(gradient.limit > 1.5 * OPTIONS.initial, `${gradient.limit}`)
})

void test('answers that say there is no room take it down, however fast they come', async (t) => {
  const gradient = new Gradient(OPTIONS)
  for (let now = 0; now < 5_000; now += 10) gradient.overloaded(now)
  t.equal(gradient.limit, OPTIONS.min)
})

void test('whatever comes, the limit stays between its bounds', async () => {
  const event = fc.tuple(fc.double({ min: 0, max: 60_000, noNaN: true }), fc.nat(2_000), fc.nat(400), fc.boolean())
  fc.assert(
    fc.property(fc.array(event, { maxLength: 300 }), (events) => {
      const gradient = new Gradient({ ...OPTIONS, probeMs: 100 })
      let now = 0
      for (const [ms, passed, inFlight, isOverloaded] of events) {
        now += passed
        if (isOverloaded) gradient.overloaded(now)
        else gradient.sampled(ms, { now, sentAt: now - ms, inFlight })
        if (!(gradient.limit >= OPTIONS.min && gradient.limit <= OPTIONS.max)) return false
      }
      return true
    }),
  )
})

void test('turns are taken in the order of coming, few wait, and who leaves makes no hole', async (t) => {
  const limiter = limiterOf({ min: 1, max: 1, initial: 1, queue: 2 })
  const entered: string[] = []
  const turn = (name: string) => ({ enter: () => void entered.push(name) })
  const [a, b] = [turn('a'), turn('b')]
  t.ok(limiter.take())
  t.notOk(limiter.take())
  t.ok(limiter.wait(a))
  t.ok(limiter.wait(b))
  t.notOk(limiter.wait(turn('c')), 'no more than two')
  t.ok(limiter.withdraw(a))
  t.notOk(limiter.withdraw(a))
  limiter.leave(1, null)
  t.strictSame(entered, ['b'])
  limiter.force()
  t.equal(limiter.snapshot().inFlight, 2)
  limiter.leave(2, null)
  limiter.leave(3, null)
  t.match(limiter.snapshot(), { inFlight: 0, waiting: 0, limit: 1, refused: 0, unloadedMs: null })
})
