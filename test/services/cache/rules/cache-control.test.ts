import { test } from 'tap'
import fc from 'fast-check'
import {
  MAX_DELTA_SECONDS,
  noDirectives,
  parseCacheControl,
  type CacheControl,
} from '../../../../services/cache/rules/cache-control.ts'

/** What differs from a field that says nothing. */
function said(value: string | undefined): Partial<CacheControl> {
  const nothing = noDirectives() as unknown as Record<string, unknown>
  const found = parseCacheControl(value) as unknown as Record<string, unknown>
  return Object.fromEntries(
    Object.entries(found).filter(([name, entry]) => JSON.stringify(entry) !== JSON.stringify(nothing[name])),
  )
}

void test('a field that is missing, empty or unknown says nothing', (t) => {
  for (const value of [undefined, '', ',', ' , ,', 'foobar', 'foo=1, bar="x, y"'])
    t.same(said(value), {}, String(value))
  t.end()
})

void test('every directive is read, in any case', (t) => {
  t.same(said('MaX-aGe=10, S-MaxAge=20, Stale-While-Revalidate=30, STALE-IF-ERROR=40'), {
    maxAge: 10,
    sMaxage: 20,
    staleWhileRevalidate: 30,
    staleIfError: 40,
  })
  t.same(said('No-StOrE,no-cache ,\tpRivate, public, must-revalidate,proxy-revalidate'), {
    noStore: true,
    noCache: true,
    private: true,
    public: true,
    mustRevalidate: true,
    proxyRevalidate: true,
  })
  t.same(said('must-understand, immutable, no-transform, only-if-cached, min-fresh=5, max-stale=6'), {
    mustUnderstand: true,
    immutable: true,
    noTransform: true,
    onlyIfCached: true,
    minFresh: 5,
    maxStale: 6,
  })
  t.end()
})

void test('extensions are ignored (RFC 9111 §5.2.3)', (t) => {
  t.same(said('foobar, max-age=3600, x=1'), { maxAge: 3600 })
  t.end()
})

void test('arguments come as tokens or strings (RFC 9111 §5.2)', (t) => {
  t.same(said('max-age="3600"'), { maxAge: 3600 })
  t.same(said('max-age="36\\00"'), { maxAge: 3600 })
  t.same(said('max-age=003600'), { maxAge: 3600 })
  t.same(said('max-age=1 , s-maxage=2\t, foo'), { maxAge: 1, sMaxage: 2 }, 'blanks before a comma')
  t.end()
})

void test('names inside of strings do not count', (t) => {
  t.same(said('extension="max-age=3600", max-age=1'), { maxAge: 1 })
  t.same(said('max-age=1, extension="max-age=3600"'), { maxAge: 1 })
  t.same(said('extension="a\\", private, \\"", max-age=1'), { maxAge: 1 })
  t.same(said('"private", max-age=1'), { maxAge: 1 })
  t.end()
})

void test('numbers beyond 31 bits are taken for the largest (RFC 9111 §1.2.2)', (t) => {
  for (const number of ['2147483647', '2147483648', '99999999999', '9'.repeat(400)]) {
    t.same(said(`max-age=${number}`), { maxAge: MAX_DELTA_SECONDS }, number)
  }
  t.same(said('max-age=2147483646'), { maxAge: 2_147_483_646 })
  t.end()
})

void test('a lifetime that cannot be read is 0 (RFC 9111 §4.2.1)', (t) => {
  for (const argument of ['', '=', '=-1', '=+1', '=a1', '=1a', "='1'", '=1.0', '=1.5', '=""', '="1 "', '= 1', ' =1']) {
    t.same(said(`max-age${argument}`), { maxAge: 0 }, `max-age${argument}`)
    t.same(said(`s-maxage${argument}`), { sMaxage: 0 }, `s-maxage${argument}`)
  }
  t.end()
})

void test('a permission to serve stale that cannot be read is none', (t) => {
  t.same(said('stale-while-revalidate, stale-if-error=x'), {})
  t.same(said('max-stale=x'), { maxStale: 0 })
  t.same(said('max-stale'), { maxStale: MAX_DELTA_SECONDS })
  t.same(said('min-fresh=x'), {})
  t.end()
})

void test('of repeated directives the most restrictive holds', (t) => {
  t.same(said('max-age=1800, max-age=1'), { maxAge: 1 })
  t.same(said('max-age=1, max-age=1800'), { maxAge: 1 })
  t.same(said('max-age=1800, max-age=x'), { maxAge: 0 })
  t.same(said('s-maxage=5, s-maxage=4'), { sMaxage: 4 })
  t.same(said('max-stale, max-stale=3'), { maxStale: 3 })
  t.same(said('min-fresh=3, min-fresh=9, min-fresh=4'), { minFresh: 9 })
  t.same(said('stale-if-error=3, stale-if-error=9'), { staleIfError: 3 })
  t.end()
})

void test('no-cache and private can be limited to fields (RFC 9111 §5.2.2.4, §5.2.2.7)', (t) => {
  t.same(said('no-cache="A, set-cookie"'), { noCacheFields: ['a', 'set-cookie'] })
  t.same(said('private="X-User"'), { privateFields: ['x-user'] })
  t.same(said('private=x-user'), { privateFields: ['x-user'] }, 'a token for one name')
  t.same(said('no-cache="a", no-cache="b"'), { noCacheFields: ['a', 'b'] })
  t.same(said('private="a", private'), { private: true, privateFields: ['a'] }, 'the whole response too')
  t.end()
})

void test('a limit that cannot be kept is none', (t) => {
  for (const list of ['""', '","', '"a,,b"', '"a b"', '"a" x', '"content-encoding"', '"a, Vary"', '"cache-control"']) {
    t.equal(parseCacheControl(`private=${list}`).private, true, list)
    t.equal(parseCacheControl(`no-cache=${list}`).noCache, true, list)
  }
  t.end()
})

void test('what refuses holds with an argument, what permits does not', (t) => {
  t.same(said('no-store=1, must-revalidate="x", proxy-revalidate=0'), {
    noStore: true,
    mustRevalidate: true,
    proxyRevalidate: true,
  })
  t.same(said('public=1, immutable="x", must-understand=0'), {})
  t.end()
})

void test('other separators than the comma spoil what stands before, and hide nothing after', (t) => {
  t.same(said('max-age=60; private'), { maxAge: 0, private: true })
  t.same(said('max-age=60 no-store'), { maxAge: 0, noStore: true })
  t.same(said('public; no-cache'), { noCache: true })
  t.end()
})

void test('a string without an end keeps the response from being shared', (t) => {
  t.equal(parseCacheControl('max-age=60, foo="bar').private, true)
  t.equal(parseCacheControl('max-age=60, "bar').private, true)
  t.equal(parseCacheControl('max-age=60, foo="bar\\"').private, true)
  t.end()
})

void test('no input throws or takes long', (t) => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200 }), (value) => {
      parseCacheControl(value)
    }),
  )
  parseCacheControl('max-age="'.repeat(10_000))
  parseCacheControl('a=" '.repeat(10_000))
  t.end()
})

void test('adding a directive never makes a response more shareable', (t) => {
  const directive = fc.constantFrom(
    'max-age=5',
    'max-age=9',
    'max-age=x',
    's-maxage=3',
    'no-store',
    'private',
    'x="max-age=1"',
  )
  fc.assert(
    fc.property(fc.array(directive), directive, (before, added) => {
      const without = parseCacheControl(before.join(', '))
      const having = parseCacheControl([...before, added].join(', '))
      return (
        (!without.noStore || having.noStore) &&
        (!without.private || having.private) &&
        (without.maxAge === null || (having.maxAge as number) <= without.maxAge)
      )
    }),
    { numRuns: 500 },
  )
  t.end()
})
