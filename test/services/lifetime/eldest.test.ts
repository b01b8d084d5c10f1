import { test } from 'tap'
import { Eldest } from '../../../services/lifetime/eldest.ts'

class CountedMap extends Map<number, string> {
  asked = 0

  override keys(): MapIterator<number> {
    this.asked++
    return super.keys()
  }
}

void test('the eldest makes room, and nobody goes past those that did so before', async (t) => {
  const map = new CountedMap()
  const eldest = new Eldest(map)
  t.equal(eldest.next(), undefined)
  for (let i = 0; i < 100; i++) map.set(i, '')
  const { asked } = map
  let gone = 0
  for (let i = 100; i < 10_000; i++) {
    // Others go by themselves, and some come back.
    if (i % 7 === 0) map.delete(i - 50)
    const [first] = map.entries()
    const key = eldest.next()
    if (key !== first?.[0]) t.fail(`${key} is not the eldest`)
    map.delete(key as number)
    gone++
    map.set(i, '')
  }
  t.equal(gone, 9_900)
  t.ok(map.asked - asked <= 1, 'one iterator does for all')
  map.clear()
  t.equal(eldest.next(), undefined)
  map.set(1, '')
  t.equal(eldest.next(), 1)
})
