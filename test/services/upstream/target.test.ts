import { test } from 'tap'
import { targetAt } from './target-at.ts'

void test('an attempt is counted and timed by how it ended; outcomes that did not occur have no histogram', async (t) => {
  const url = 'http://127.0.0.1:9'
  const target = targetAt(t, url)
  t.strictSame(target.snapshot().latency, {})
  target.settle('response', '', 5)
  target.settle('response', '', 7)
  target.settle('connect_error', 'ECONNREFUSED', 1)
  const { latency, outcomes, state, lastError } = target.snapshot()
  t.strictSame(Object.keys(latency), ['response', 'connect_error'])
  t.match(latency, { response: { count: 2, sumMs: 12, maxMs: 7 }, connect_error: { count: 1, maxMs: 1 } })
  t.match(outcomes, { response: 2, connect_error: 1, reset: 0 })
  t.equal(state, 'down')
  t.match(lastError, { outcome: 'connect_error', code: 'ECONNREFUSED' })
})
