import { test } from 'tap'
import { RestartPolicy } from '../../../services/control/restart-policy.ts'

const options = { firstMs: 100, longestMs: 1_000, stableMs: 10_000 }

void test('a process that keeps crashing is restarted ever later, up to a bound', async (t) => {
  const policy = new RestartPolicy(options)
  t.strictSame(
    Array.from({ length: 6 }, () => policy.delayAfter(5)),
    [100, 200, 400, 800, 1_000, 1_000],
  )
  for (let i = 0; i < 2_000; i++) policy.delayAfter(0)
  t.equal(policy.delayAfter(0), 1_000)
})

void test('a process that ran for long is restarted at once, and its crashes are forgotten', async (t) => {
  const policy = new RestartPolicy(options)
  policy.delayAfter(5)
  policy.delayAfter(5)
  t.equal(policy.delayAfter(10_000), 0)
  t.equal(policy.delayAfter(5), 100)
})
