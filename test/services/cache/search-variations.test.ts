import { test } from 'tap'
import { knownVariation, SearchVariations } from '../../../services/cache/search-variations.ts'

const said = (value: string) => knownVariation(['no-vary-search', value])

void test('what means the same is called the same', (t) => {
  t.equal(said('params=("b" "a")')?.text, said('params=("a" "b" "a")')?.text)
  const different = ['params=("a")', 'params=("a"), key-order', 'key-order', 'params', 'params, except=("a")'].map(said)
  t.equal(new Set(different.map((variation) => variation?.text)).size, 5)
  for (const value of ['', 'params=?0', 'params=("a"', 'params=1']) t.equal(said(value), undefined, value)
  t.end()
})

void test('so many paths are known, and the oldest is forgotten', (t) => {
  const variations = new SearchVariations(2)
  const variation = said('params')!
  t.equal(variations.get('/a'), undefined)
  for (const path of ['/a', '/b', '/a', '/c']) variations.learn(path, variation)
  t.strictSame(
    ['/a', '/b', '/c'].map((path) => variations.get(path) === variation),
    [true, false, true],
  )
  t.equal(variations.size, 2)
  t.end()
})

void test('the oldest path is found without going past those that were forgotten before', (t) => {
  const variations = new SearchVariations(2)
  const variation = said('params')!
  const iterators = t.capture(Map.prototype, 'keys', Map.prototype.keys)
  for (let i = 0; i < 100; i++) variations.learn(`/${i}`, variation)
  t.ok(iterators().length <= 1, 'one iterator does for all')
  t.equal(variations.size, 2)
  t.end()
})
