import { test, type Test } from 'tap'
import { Breaker } from '../../../../services/cache/store/breaker.ts'

function breaker(t: Test, outcomes: (Error | null)[]) {
  const changes: string[] = []
  let wake: () => void = () => {}
  const made = new Breaker(
    {
      failures: 2,
      firstMs: 1,
      longestMs: 4,
      probe: async () => {
        const outcome = outcomes.shift() ?? null
        if (outcome !== null) throw outcome
      },
      changed: (state, reason) => {
        changes.push(`${state} ${reason}`)
        wake()
      },
    },
    'not yet',
  )
  // Its own timer does not keep a process alive.
  const alive = setInterval(() => {}, 60_000)
  t.teardown(() => {
    clearInterval(alive)
    made.close()
  })
  const changed = (): Promise<void> =>
    new Promise((resolve) => {
      wake = resolve
    })
  return { made, changes, changed }
}

void test('it starts open, and a probe closes it', async (t) => {
  const { made, changes, changed } = breaker(t, [new Error('still away'), new Error('again'), null])
  t.same([made.isUp, made.reason], [false, 'not yet'])
  const away = changed()
  made.probe()
  made.probe()
  await away
  t.same(changes, ['away again'], 'the first may have come too early')
  await changed()
  t.same([made.isUp, made.reason], [true, null])
  t.same(changes, ['away again', 'up null'])
})

void test('it is told once of what is not there from the start', async (t) => {
  const { made, changes, changed } = breaker(t, [])
  made.open('refused')
  made.open('refused still')
  t.same([made.isUp, made.reason], [false, 'refused still'])
  const up = changed()
  made.probe()
  await up
  t.same(changes, ['away refused', 'up null'])
})

void test('failures in a row open it, and it closes by itself', async (t) => {
  const { made, changes, changed } = breaker(t, [null, new Error('away'), null])
  const first = changed()
  made.probe()
  await first
  made.fail('one')
  made.succeed()
  made.fail('two')
  t.equal(made.isUp, true)
  made.fail('three')
  t.same([made.isUp, made.reason], [false, 'three'])
  await changed()
  t.same(changes, ['up null', 'away three', 'up null'])
})

void test('closed for good, it stays as it is', async (t) => {
  const { made, changes } = breaker(t, [])
  made.close()
  made.probe()
  made.open('x')
  t.same(changes, [])
})
