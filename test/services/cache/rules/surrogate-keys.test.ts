import { test } from 'tap'
import { surrogateKeys } from '../../../../services/cache/rules/surrogate-keys.ts'

const VALUES: [fields: string[], tags: string[]][] = [
  [[], []],
  [
    ['surrogate-key', 'a b  c'],
    ['a', 'b', 'c'],
  ],
  [
    ['surrogate-key', ' a\tb '],
    ['a', 'b'],
  ],
  [
    ['surrogate-key', 'a, b, c'],
    ['a', 'b', 'c'],
  ],
  [['surrogate-key', 'a,b'], ['a,b']],
  [
    ['cache-tag', 'a, b ,c,,'],
    ['a', 'b', 'c'],
  ],
  [['cache-tag', 'two words'], ['two words']],
  [
    ['surrogate-key', 'a b', 'cache-tag', 'b, c', 'surrogate-key', 'd'],
    ['a', 'b', 'd', 'c'],
  ],
  [['cache-tag', 'group https://other.test a, b'], ['b']],
  [['x-surrogate-key', 'a'], []],
]

for (const [fields, tags] of VALUES) {
  void test(`${JSON.stringify(fields)} has the tags ${JSON.stringify(tags)}`, async (t) => {
    t.strictSame(surrogateKeys(fields), tags)
  })
}

void test('tags are bounded in number and length', async (t) => {
  const many = Array.from({ length: 1000 }, (_, i) => `t${i}`)
  t.strictSame(surrogateKeys(['surrogate-key', many.join(' ')]), many.slice(0, 500))
  t.equal(surrogateKeys(['surrogate-key', many.join(' '), 'cache-tag', 'one-more']).length, 500)
  const longest = 'x'.repeat(1024)
  t.strictSame(surrogateKeys(['cache-tag', `a,${longest}y,${longest},b`]), ['a', longest, 'b'])
})
