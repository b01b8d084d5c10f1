import { test } from 'tap'
import { mergeDrift } from '../../../services/validation/drift.ts'
import type { Disagreement } from '../../../services/validation/record.ts'

const seen = (given: Partial<Disagreement>): Disagreement => ({
  side: 'response',
  upstream: 'orders',
  operation: 'GET /orders',
  status: 200,
  in: 'body',
  pointer: '/id',
  message: 'must be string',
  count: 1,
  firstSeen: 10,
  lastSeen: 20,
  ...given,
})

void test('what several processes have seen is one, and the most frequent comes first', async (t) => {
  const rare = seen({ pointer: '/rare' })
  const merged = mergeDrift([
    { disagreements: [rare, seen({ count: 2 })], dropped: 1 },
    { disagreements: [seen({ count: 3, firstSeen: 5, lastSeen: 30 })], dropped: 2 },
  ])
  t.same(merged, { disagreements: [seen({ count: 5, firstSeen: 5, lastSeen: 30 }), rare], dropped: 3 })
  t.equal(rare.count, 1, 'what was given is left as it is')
})
