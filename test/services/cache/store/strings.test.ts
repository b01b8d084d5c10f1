import fc from 'fast-check'
import { test } from 'tap'
import { Strings } from '../../../../services/cache/store/strings.ts'

void test('what comes back is equal, whatever the characters and the length', async (t) => {
  const strings = new Strings()
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { maxLength: 12 }), (texts) => {
      const list = strings.list(texts)
      return (
        list.length === texts.length &&
        texts.every((text, i) => list[i] === text && strings.share(text) === text && strings.own(text) === text)
      )
    }),
    { numRuns: 1_000 },
  )
  for (const length of [16_383, 16_384, 16_385, 100_000]) {
    t.ok(strings.own('é'.repeat(length)) === 'é'.repeat(length))
    t.ok(strings.own('→'.repeat(length)) === '→'.repeat(length))
  }
})

void test('lists that look the same when joined stay different', async (t) => {
  const strings = new Strings()
  for (const list of [['a', 'b\nc'], ['a\nb', 'c'], ['a', 'b', 'c'], ['a\nb\nc']]) {
    t.strictSame(strings.list(list), list)
    t.strictSame(strings.list([...list]), list)
  }
})

void test('equal lists are held once', async (t) => {
  const strings = new Strings()
  t.equal(strings.list(['a', 'b']), strings.list(['a', 'b']))
  t.equal(strings.list([]), strings.list([]))
})
