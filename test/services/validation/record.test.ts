import { test } from 'tap'
import type { Finding } from '../../../services/validation/finding.ts'
import { type Disagreement, type Seen, ValidationRecord } from '../../../services/validation/record.ts'

const body = (pointer: string): Finding => ({ in: 'body', pointer, message: 'must be string' })
const status = (message: string): Finding => ({ in: 'status', pointer: '', message })

const SEEN: Seen = { side: 'response', upstream: 'orders', operation: 'GET /orders', status: 200 }

void test('what is alike is one, whichever place of a list it is in', async (t) => {
  let now = 1_000
  const record = new ValidationRecord(
    () => undefined,
    () => now,
  )
  record.note(SEEN, [body('/items/0/sku'), body('/items/1/sku')])
  now = 2_000
  record.note(SEEN, [body('/items/17/sku')])
  t.match(record.disagreements(), [{ pointer: '/items/*/sku', count: 2, firstSeen: 1_000, lastSeen: 2_000 }])
})

void test('it is logged once, and again after a while', async (t) => {
  let now = 0
  const logged: Disagreement[] = []
  const record = new ValidationRecord(
    (told) => logged.push({ ...told }),
    () => now,
  )
  const found = [status('202 is not declared')]
  for (now of [0, 1, 599_999, 600_000, 600_001]) record.note(SEEN, found)
  t.same(
    logged.map(({ count }) => count),
    [1, 4],
  )
})

void test('an operation that says anything does not fill it, and neither do all together', async (t) => {
  const record = new ValidationRecord(() => undefined)
  for (let i = 0; i < 60; i++) record.note(SEEN, [body(`/k${i}`)])
  t.equal(record.disagreements().length, 50)
  for (let i = 0; i < 2_000; i++) record.note({ ...SEEN, operation: `GET /${i}` }, [status('x')])
  t.equal(record.disagreements().length, 1_000)
  t.equal(record.dropped, 10 + 1_050)
})
