import { test } from 'tap'
import { type Deadline, Deadlines } from '../../../services/upstream/deadlines.ts'

/** Deadlines on a clock that the test moves; the timer is never waited for. */
function deadlines() {
  const clock = { now: 0 }
  const all = new Deadlines({ tickMs: 1e6, now: () => clock.now })
  const expired: string[] = []
  const add = (name: string, deadlineAt: number, also?: () => void): Deadline => {
    const deadline: Deadline = {
      deadlineAt,
      previous: null,
      next: null,
      expire() {
        expired.push(name)
        all.remove(deadline)
        also?.()
      },
    }
    all.add(deadline)
    return deadline
  }
  const at = (now: number): string[] => {
    clock.now = now
    all.tick()
    return expired.splice(0).sort()
  }
  return { all, add, at, since: () => expired.splice(0) }
}

void test('what is due expires, once, and nothing else does', (t) => {
  const { all, add, at } = deadlines()
  add('a', 10)
  add('b', 20)
  add('never', Number.POSITIVE_INFINITY)
  t.strictSame(at(9), [])
  t.strictSame(at(10), ['a'])
  t.strictSame(at(1_000), ['b'])
  t.strictSame(at(1e12), [])
  all.close()
  t.end()
})

void test('a deadline can be moved either way while it stands', (t) => {
  const { all, add, at } = deadlines()
  const later = add('later', 10)
  const sooner = add('sooner', 100)
  later.deadlineAt = 50
  sooner.deadlineAt = 20
  t.strictSame(at(20), ['sooner'])
  t.strictSame(at(50), ['later'])
  all.close()
  t.end()
})

void test('one that is removed never expires, wherever it stood; removing it again does no harm', (t) => {
  for (const removed of [0, 1, 2]) {
    const { all, add, at } = deadlines()
    const three = ['a', 'b', 'c'].map((name) => add(name, 10))
    all.remove(three[removed] as Deadline)
    all.remove(three[removed] as Deadline)
    t.strictSame(at(10), ['a', 'b', 'c'].toSpliced(removed, 1))
    all.close()
  }
  t.end()
})

void test('expiring may remove others and add new ones', (t) => {
  const { all, add, at } = deadlines()
  const first = add('first', 10)
  add('second', 10, () => {
    all.remove(first)
    add('third', 30)
  })
  add('last', 10)
  const expired = [...at(10), ...at(11)]
  t.strictSame(expired.sort(), ['last', 'second'])
  t.strictSame(at(30), ['third'])
  all.close()
  t.end()
})

void test('the timer runs while there is something to look at, and keeps no process alive', (t) => {
  const started: { unref: boolean }[] = []
  const stopped: unknown[] = []
  const setting = t.capture(globalThis, 'setInterval', () => {
    const timer = { unref: false }
    started.push(timer)
    return { unref: () => ((timer.unref = true), timer) }
  })
  t.capture(globalThis, 'clearInterval', (timer: unknown) => {
    if (timer !== undefined) stopped.push(timer)
  })
  const { all, add, at } = deadlines()
  t.equal(setting().length, 0)
  add('a', 10)
  add('b', 10)
  t.strictSame(started, [{ unref: true }])
  at(10)
  t.equal(stopped.length, 0, 'the next may come at once')
  at(11)
  t.equal(stopped.length, 1)
  add('c', 20)
  t.equal(started.length, 2)
  all.close()
  t.end()
})

void test('of many that are due a few expire in a turn of the event loop, so that others have theirs', async (t) => {
  const { all, add, at, since } = deadlines()
  const many = Array.from({ length: 10 }, (_, index) => add(String(index), 10))
  t.equal(at(10).length, 4)
  // The one that the look has stopped at, and one behind it.
  all.remove(many[5] as Deadline)
  all.remove(many[0] as Deadline)
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  await turn()
  t.equal(since().length, 4)
  await turn()
  t.strictSame(since(), [], 'those that were removed meanwhile do not')
  all.close()
})
