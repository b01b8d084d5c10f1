import fc from 'fast-check'
import { test } from 'tap'
import { advance, charge, paceOf, unitsLeft, waitFor } from '../../../services/limit/gcra.ts'

const HUNDRED_A_MINUTE = paceOf({ count: 100, windowMs: 60_000 }, 100)

void test('a burst passes to its last unit, and not one more', async (t) => {
  // A time whose sums are not exact.
  const now = 1_234_567.891
  let tat = 0
  for (let i = 0; i < 100; i++) {
    tat = advance(HUNDRED_A_MINUTE, tat, now, 1)
    t.equal(unitsLeft(HUNDRED_A_MINUTE, tat, now), 99 - i)
  }
  t.equal(advance(HUNDRED_A_MINUTE, tat, now, 1), -1)
  t.equal(Math.round(waitFor(HUNDRED_A_MINUTE, tat, now, 1)), 600)
  t.ok(advance(HUNDRED_A_MINUTE, tat, now + 600, 1) > 0)
})

void test('in any time no more than the burst and what has come back passes, and no less', async (t) => {
  const requests = fc.array(
    fc.record({ after: fc.integer({ min: 0, max: 500 }), cost: fc.integer({ min: 1, max: 5 }) }),
    {
      maxLength: 200,
    },
  )
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 500 }),
      fc.integer({ min: 5, max: 50 }),
      requests,
      (count, burst, arrivals) => {
        const pace = paceOf({ count, windowMs: 1_000 }, burst)
        let [now, tat] = [5_000, 0]
        // A bucket that is counted instead: the same to a thousandth of a unit.
        let tokens = burst
        for (const { after, cost } of arrivals) {
          now += after
          tokens = Math.min(burst, tokens + after / pace.interval)
          const next = advance(pace, tat, now, cost)
          if (Math.abs(tokens - cost) > 0.01 && next >= 0 !== tokens >= cost) return false
          if (next >= 0) {
            tat = next
            tokens -= cost
          }
        }
        return true
      },
    ),
    { numRuns: 200 },
  )
  t.pass()
})

void test('what is charged afterwards leaves a debt, of one window at most', async (t) => {
  const now = 1_000
  const tat = charge(HUNDRED_A_MINUTE, 0, now, 1_000_000)
  t.equal(unitsLeft(HUNDRED_A_MINUTE, tat, now), 0)
  t.equal(Math.round(waitFor(HUNDRED_A_MINUTE, tat, now, 1)), 60_600)
})

void test('what is given back is there again, and never more than the burst', async (t) => {
  const now = 1_000
  const tat = advance(HUNDRED_A_MINUTE, 0, now, 30)
  t.equal(unitsLeft(HUNDRED_A_MINUTE, charge(HUNDRED_A_MINUTE, tat, now, -30), now), 100)
  t.equal(unitsLeft(HUNDRED_A_MINUTE, charge(HUNDRED_A_MINUTE, tat, now, -300), now), 100)
})
