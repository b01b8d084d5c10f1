import { test } from 'tap'
import { CalendarClock, PERIOD_UNITS } from '../../../services/limit/clock.ts'
import { emptyDecision } from '../../../services/limit/decision.ts'
import { LocalLimiter } from '../../../services/limit/local-limiter.ts'

const at = (text: string): number => Date.parse(text)

void test('a quota of a day is whole again at midnight UTC, and not before', async (t) => {
  let wall = at('2026-02-28T23:59:59Z')
  const clock = new CalendarClock('day', () => wall)
  const limiter = new LocalLimiter({ pace: { interval: 1, burst: 2, debt: 2 }, clock, maxKeys: 100 })
  const decision = emptyDecision()
  const passes = (): boolean => {
    limiter.take('ada', 1, decision)
    return decision.allowed
  }
  t.strictSame([passes(), passes(), passes()], [true, true, false])
  t.equal(decision.waitMs, 1_000)
  wall = at('2026-03-01T00:00:00Z')
  t.strictSame([passes(), passes(), passes()], [true, true, false])
  t.equal(decision.waitMs, 86_400_000)
})

void test('a clock that is set back over midnight does not bring a used quota back', async (t) => {
  let wall = at('2026-03-01T00:00:01Z')
  const clock = new CalendarClock('day', () => wall)
  const later = clock.now()
  wall = at('2026-02-28T12:00:00Z')
  t.equal(clock.now(), later)
})

void test('after a clock was far ahead, nobody is held back for longer than the period that it is', async (t) => {
  let wall = at('2026-02-28T12:00:00Z')
  const clock = new CalendarClock('day', () => wall)
  const limiter = new LocalLimiter({ pace: { interval: 1, burst: 2, debt: 2 }, clock, maxKeys: 100 })
  const decision = emptyDecision()
  const passes = (): boolean => {
    limiter.take('ada', 1, decision)
    return decision.allowed
  }
  passes()
  wall = at('2031-01-01T00:00:00Z')
  t.strictSame([passes(), passes(), passes()], [true, true, false])
  wall = at('2026-02-28T12:00:01Z')
  t.equal(passes(), false, 'what was used stays used')
  t.equal(decision.waitMs, 12 * 3_600_000 - 1_000)
  wall = at('2026-02-28T10:00:00Z')
  t.equal(passes(), false, 'however often it is set back')
  wall = at('2026-03-01T00:00:00Z')
  t.strictSame([passes(), passes(), passes()], [true, true, false])
  wall = at('2026-03-02T00:00:00Z')
  t.equal(passes(), true)
  wall = at('2031-01-01T00:00:00Z')
  t.equal(passes(), true, 'and no period comes twice')
})

void test('months are calendar months', async (t) => {
  let wall = at('2028-02-29T10:00:00Z')
  const clock = new CalendarClock('month', () => wall)
  const february = clock.now()
  t.equal(clock.inMs(), at('2028-03-01T00:00:00Z') - wall)
  wall = at('2028-03-01T00:00:00Z')
  t.equal(clock.now(), february + PERIOD_UNITS)
  t.equal(clock.inMs(), 31 * 86_400_000)
})
