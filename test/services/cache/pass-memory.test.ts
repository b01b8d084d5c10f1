import { test } from 'tap'
import { PassMemory } from '../../../services/cache/pass-memory.ts'

void test('a key is remembered for two minutes, or until it is forgotten', (t) => {
  const passes = new PassMemory()
  passes.remember('a', 0)
  passes.remember('b', 0)
  t.ok(passes.has('a', 119_999))
  passes.forget('b')
  t.notOk(passes.has('b', 1))
  t.notOk(passes.has('a', 120_000))
  t.equal(passes.size, 0, 'what is over takes no room')
  t.end()
})

void test('the oldest is forgotten first; what is remembered again is new', (t) => {
  const passes = new PassMemory(2)
  for (const key of ['a', 'b', 'a', 'c']) passes.remember(key, 0)
  t.strictSame(
    ['a', 'b', 'c'].map((key) => passes.has(key, 1)),
    [true, false, true],
  )
  t.equal(passes.size, 2)
  t.end()
})

void test('a key that is very long is not remembered', (t) => {
  const passes = new PassMemory()
  passes.remember('a'.repeat(5000), 0)
  t.equal(passes.size, 0)
  t.end()
})

void test('the oldest is found without going past those that were forgotten before', (t) => {
  const passes = new PassMemory(2)
  const iterators = t.capture(Map.prototype, 'keys', Map.prototype.keys)
  for (let i = 0; i < 100; i++) passes.remember(String(i), 0)
  t.ok(iterators().length <= 1, 'one iterator does for all')
  t.equal(passes.size, 2)
  t.end()
})
