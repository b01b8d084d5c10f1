import fc from 'fast-check'
import { test } from 'tap'
import { type Selector, matcher, urlOf } from '../../../../services/cache/store/selector.ts'

void test('the URL of a key is what stands from the scheme to the extras', async (t) => {
  for (const [key, url] of [
    ['GET https://a/b?c', 'https://a/b?c'],
    ['xY_-9httphttp://a/', 'http://a/'],
    ['abcdhttps://a/?to=https://b/', 'https://a/?to=https://b/'],
    ['GET https://a/b\nx-tenant: https://c/', 'https://a/b'],
    ['users:7', 'users:7'],
    ['users:7\nx: http://a/', 'users:7'],
    ['', ''],
  ] as const) {
    t.equal(urlOf(key), url, JSON.stringify(key))
  }
})

void test('a selector covers what it names, and nothing beside it', async (t) => {
  const key = 'GET https://a/b?c\nx: 1'
  const covers = (selector: Selector, tags: string[] = []): boolean => matcher(selector)(key, tags)
  const cases: [Selector, boolean, string[]?][] = [
    [{ kind: 'all' }, true],
    [{ kind: 'key', key }, true],
    [{ kind: 'key', key: 'GET https://a/b?c' }, false],
    [{ kind: 'url', url: 'https://a/b?c' }, true],
    [{ kind: 'url', url: 'https://a/b' }, false],
    [{ kind: 'prefix', prefix: 'https://a/' }, true],
    [{ kind: 'prefix', prefix: 'https://a/b?c\nx' }, false],
    [{ kind: 'prefix', prefix: 'a/' }, false],
    [{ kind: 'prefix', prefix: '' }, true],
    [{ kind: 'tag', tag: 't' }, true, ['s', 't']],
    [{ kind: 'tag', tag: 't' }, false, ['tt']],
    [{ kind: 'tag', tag: 't' }, false],
  ]
  for (const [selector, wanted, tags] of cases) t.equal(covers(selector, tags), wanted, JSON.stringify(selector))
})

void test('a star in a pattern stands for any characters, and all else for itself', async (t) => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', '*', '.', '/'), maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '.', '/'), maxLength: 12 }),
      (pattern, url) => {
        const wanted = new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^]*')}$`).test(url)
        return matcher({ kind: 'pattern', pattern })(url, []) === wanted
      },
    ),
    { numRuns: 20_000 },
  )
  t.pass()
})

void test('a pattern made to backtrack is answered in steps, not in ages', async (t) => {
  // A backtracking matcher would still be at it when the test is cut off.
  const covers = matcher({ kind: 'pattern', pattern: `${'*a'.repeat(30)}*b*` })
  t.equal(covers('a'.repeat(5_000), []), false)
})

void test('a path alone stands for every scheme and host, and for no other path that ends so', async (t) => {
  const covers = (selector: Selector, key: string): boolean => matcher(selector)(key, [])
  for (const selector of [
    { kind: 'url', url: '/b?c' },
    { kind: 'prefix', prefix: '/b' },
    { kind: 'pattern', pattern: '/*?c' },
  ] as const) {
    t.ok(covers(selector, 'x http://a/b?c\nx-tenant: 1'), selector.kind)
    t.ok(covers(selector, 'x https://other:8443/b?c'), selector.kind)
    t.notOk(covers(selector, 'x https://a/d/b?d'), selector.kind)
  }
  t.notOk(covers({ kind: 'url', url: '/b' }, 'x http://a/d/b'))
})

void test('the default port of a scheme is the same as none', async (t) => {
  for (const [key, url] of [
    ['x http://a:80/b', 'http://a/b'],
    ['x https://a:443/b', 'https://a/b'],
    ['x https://a:80/b', 'https://a:80/b'],
    ['x http://a:8080/b', 'http://a:8080/b'],
    ['x http://[::1]:80/b', 'http://[::1]/b'],
    ['x http://[::80]/b', 'http://[::80]/b'],
    ['x http://a/b:80/', 'http://a/b:80/'],
  ] as const) {
    t.equal(urlOf(key), url, key)
  }
})
