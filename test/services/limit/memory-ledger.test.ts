import { test } from 'tap'
import { CalendarClock } from '../../../services/limit/clock.ts'
import type { Loan } from '../../../services/limit/lending.ts'
import { MemoryLedger } from '../../../services/limit/memory-ledger.ts'

void test('a process whose clock is behind at midnight takes nothing back of the new day', async (t) => {
  const ledger = new MemoryLedger()
  const before = new CalendarClock('day', () => Date.parse('2026-06-01T23:59:59.999Z'))
  const after = new CalendarClock('day', () => Date.parse('2026-06-02T00:00:00Z'))
  const take = (clock: CalendarClock, need: number, used = 0): Loan => {
    const period = { now: clock.now(), endsAt: clock.endsAt }
    const pace = { interval: 1, burst: 10, debt: 10 }
    return ledger.settle([{ limit: 'day', key: 'acme', pace, period, used, need, want: need }], 1)[0] as Loan
  }
  t.match(take(before, 4), { granted: 4, left: 6 })
  t.match(take(after, 7), { granted: 7, left: 3, now: after.now() }, 'a day has its own')
  t.match(take(before, 4), { granted: 0, left: 3, now: after.now() }, 'and who asks late shares it')
  t.match(take(before, 0, 1), { left: 2 }, 'what is only told counts there, too')
  t.match(take(after, 2), { granted: 2, left: 0 })
  t.match(take(after, 1), { granted: 0 })
})
