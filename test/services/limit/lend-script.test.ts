import { test } from 'tap'
import { CalendarClock, PERIOD_UNITS, type Period } from '../../../services/limit/clock.ts'
import { LEND, PERIOD } from '../../../services/limit/lend-script.ts'
import { noRedis, startRedis } from '../../redis-server.ts'

const DAY_MS = 86_400_000

void test('Redis has the days and months that processes have', { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const source = `${PERIOD}
    local told = {}
    for i = 1, #ARGV, 2 do
      local index, ends = period(ARGV[i], tonumber(ARGV[i + 1]))
      told[i], told[i + 1] = string.format('%d', index), string.format('%d', ends)
    end
    return told`
  const asked: [Period, number][] = []
  for (let at = Date.UTC(1999, 11, 30, 23, 59, 59, 999); at < Date.UTC(2101, 2, 3); at += 17 * DAY_MS) {
    asked.push(['day', at], ['month', at])
  }
  for (const text of [
    '2028-02-29T23:59:59.999Z',
    '2028-03-01T00:00:00Z',
    '2100-02-28T23:59:59Z',
    '2026-12-31T12:00Z',
  ]) {
    asked.push(['month', Date.parse(text)], ['day', Date.parse(text)])
  }
  const told = (await redis.cli('EVAL', source, '0', ...asked.flat().map(String))).trim().split('\n').map(Number)
  const expected = asked.flatMap(([period, at]) => {
    const clock = new CalendarClock(period, () => at)
    return [clock.now() / PERIOD_UNITS, at + clock.inMs()]
  })
  t.same(told, expected)
})

void test('of a clock that was far ahead, what was used counts until the period ends that it is', {
  skip: noRedis,
}, async (t) => {
  const redis = await startRedis(t)
  for (const period of ['day', 'month'] as const) {
    const clock = new CalendarClock(period)
    const key = `quota ${period}`
    /** @returns what is granted, what is left, and the milliseconds until there is more */
    const lend = async (need: number, now: number): Promise<number[]> => {
      await redis.cli('SET', key, String(now))
      const numbers = [1, 10, 10, 0, need, need, 1].map(String)
      const reply = await redis.cli('EVAL', LEND.source, '1', key, ...numbers, period)
      const [granted = 0, start = 0, at = 0, left = 0, wait = 0] = reply.trim().split('\n').map(Number)
      t.equal(at, clock.now(), 'in the period that it is')
      t.equal(start >= at, true)
      return [granted, left, wait]
    }
    t.same(await lend(4, clock.now() + 3 * PERIOD_UNITS + 6), [4, 0, 0])
    const [granted, left, wait = 0] = await lend(1, clock.now() + 3 * PERIOD_UNITS + 10)
    t.same([granted, left], [0, 0])
    t.ok(Math.abs(wait - clock.inMs()) < 60_000, 'and no longer than that')
    t.same(await lend(10, clock.now() - PERIOD_UNITS + 10), [10, 0, 0], 'what was used before is over')
    const ttl = Number(await redis.cli('PTTL', key))
    t.ok(ttl > clock.inMs() && ttl <= clock.inMs() + 3_660_000, 'it ends by itself')
  }
})
