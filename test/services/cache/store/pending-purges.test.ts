import { test } from 'tap'
import { PendingPurges } from '../../../../services/cache/store/pending-purges.ts'

const nothing = (): void => {}

void test('what a purge covers is not read until it is applied', async (t) => {
  const pending = new PendingPurges()
  const before = pending.mark()
  const purge = pending.add({ kind: 'tag', tag: 'a' }, 'hard', nothing)
  const during = pending.mark()
  t.same([pending.blocked(before, 'k', ['a']), pending.blocked(during, 'k', ['a'])], [true, true])
  t.equal(pending.blocked(during, 'k', ['b']), false)
  pending.delete(purge)
  t.equal(pending.blocked(during, 'k', ['a']), true, 'what was asked for meanwhile may be older')
  t.equal(pending.blocked(pending.mark(), 'k', ['a']), false)
})

void test('too many become one of everything', async (t) => {
  const pending = new PendingPurges({ most: 2 })
  const settled: number[] = []
  for (const tag of ['a', 'b', 'c']) pending.add({ kind: 'tag', tag }, 'soft', (covered) => settled.push(covered))
  t.match([...pending], [{ selector: { kind: 'all' }, mode: 'hard', mark: 0 }])
  t.same(settled, [0, 0])
  t.equal(pending.blocked(pending.mark(), 'k', ['a']), true)
})
