import { test } from 'tap'
import { mergeTargets, reportPool } from '../../../services/monitor/pools.ts'
import { targetSnapshot } from '../../target-snapshot.ts'

void test('what several processes saw of a target is added up', async (t) => {
  const [merged, other] = mergeTargets([
    [
      targetSnapshot({ outcomes: { response: 3 }, retries: { stale: 1 }, latenciesMs: { response: [5] } }),
      targetSnapshot({ upstream: 'b' }),
    ],
    [targetSnapshot({ outcomes: { response: 4, reset: 2 }, latenciesMs: { response: [7, 9], reset: [2] } })],
  ])
  t.match(merged, {
    connections: { limit: 200, connected: 8, free: 6, running: 2, pending: 0, queued: 0 },
    outcomes: { response: 7, reset: 2, connect_error: 0 },
    retries: { stale: 1, connect: 0 },
    latency: { response: { count: 3, maxMs: 9 }, reset: { count: 1, maxMs: 2 } },
  })
  t.equal(other?.upstream, 'b')
  t.strictSame(Object.keys(merged!.latency), ['response', 'reset'], 'only what occurred')
})

void test('a target is up where any process could connect, and down where all that tried could not', async (t) => {
  const state = (...states: ('up' | 'down' | 'unknown')[]): string | undefined =>
    mergeTargets(states.map((one) => [targetSnapshot({ state: one })]))[0]?.state
  t.equal(state('down', 'up', 'unknown'), 'up')
  t.equal(state('down', 'unknown'), 'down')
  t.equal(state('unknown', 'unknown'), 'unknown')
})

void test('what one process found out about a target that others did not is told', async (t) => {
  const at = (time: number, passed: boolean) => ({ passed, reason: '', ms: 1, at: time })
  const [merged] = mergeTargets([
    [targetSnapshot({ weight: 1, check: { passed: 3, failed: 0, last: at(5, true) } })],
    [
      targetSnapshot({
        state: 'ejected',
        weight: 0.5,
        check: { passed: 1, failed: 2, last: at(6, false) },
        ejections: { count: 2, now: { reason: 'r', until: 9 } },
      }),
    ],
  ])
  t.match(merged, {
    state: 'ejected',
    weight: 0.75,
    check: { passed: 4, failed: 2, last: { at: 6, passed: false } },
    ejections: { count: 2, now: { reason: 'r', until: 9 } },
  })
})

void test('the last error of all processes is told', async (t) => {
  const at = (time: number): ReturnType<typeof targetSnapshot> =>
    targetSnapshot({ lastError: { outcome: 'reset', code: `E${time}`, at: time } })
  t.equal(mergeTargets([[at(5)], [at(9)], [targetSnapshot()], [at(7)]])[0]?.lastError?.code, 'E9')
})

void test('errors are what the upstream did wrong: not responses, not clients that left', async (t) => {
  const { attempts, errors } = reportPool(
    targetSnapshot({ outcomes: { response: 10, client_abort: 3, truncated: 1, queue_full: 1 } }),
  )
  t.strictSame({ attempts, errors }, { attempts: 15, errors: 2 })
})

void test('a target that was never asked has no latency', async (t) => {
  t.strictSame(reportPool(targetSnapshot()).latency, {})
})
