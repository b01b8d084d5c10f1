import { test } from 'tap'
import type { Loan } from '../../../services/limit/lending.ts'
import { MemoryLedger } from '../../../services/limit/memory-ledger.ts'

void test('quotas go by the clock of who keeps them: processes may see midnight earlier or later', async (t) => {
  let wall = Date.parse('2026-06-01T23:59:59.999Z')
  const ledger = new MemoryLedger({ wall: () => wall })
  const take = (need: number, used = 0): Loan => {
    const pace = { interval: 1, burst: 10, debt: 10 }
    return ledger.settle([{ limit: 'day', key: 'acme', pace, period: 'day', used, need, want: need }], 1)[0] as Loan
  }
  t.match(take(4), { granted: 4, left: 6, wait: 0 })
  t.match(take(7), { granted: 0, left: 6, wait: 1 }, 'milliseconds until there is more')
  wall++
  t.match(take(7), { granted: 7, left: 3 }, 'a day has its own')
  t.match(take(0, 1), { left: 2 }, 'what is only told counts, too')
  t.match(take(2), { granted: 2, left: 0 })
  t.match(take(1), { granted: 0, wait: 86_400_000 })
})
