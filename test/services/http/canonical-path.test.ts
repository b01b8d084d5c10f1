import { isDeepStrictEqual } from 'node:util'
import { test } from 'tap'
import fc from 'fast-check'
import { canonicalTarget, hasDotSegments, laxReadings } from '../../../services/http/canonical-path.ts'

const pathOf = (target: string): string => {
  const result = canonicalTarget(target)
  return typeof result === 'string' ? `refused: ${result}` : result.path
}

void test('a plain path stays as it is, and its query apart from it', (t) => {
  t.same(canonicalTarget('/api/vehicles/7?limit=3&after=%2Fx'), {
    path: '/api/vehicles/7',
    query: '?limit=3&after=%2Fx',
    lax: false,
  })
  t.same(canonicalTarget('/'), { path: '/', query: '', lax: false })
  t.same(canonicalTarget('/?'), { path: '/', query: '?', lax: false })
  t.same(canonicalTarget('/a?..//%zz'), { path: '/a', query: '?..//%zz', lax: false }, 'the query is not a path')
  t.end()
})

void test('dot segments are resolved, encoded ones too', (t) => {
  t.equal(pathOf('/a/./b'), '/a/b')
  t.equal(pathOf('/a/../b'), '/b')
  t.equal(pathOf('/a/b/..'), '/a/')
  t.equal(pathOf('/a/b/.'), '/a/b/')
  t.equal(pathOf('/a/%2e%2E/b'), '/b')
  t.equal(pathOf('/a/.%2e/b?x'), '/b')
  t.equal(pathOf('/a/...'), '/a/...')
  t.equal(pathOf('/.well-known/x'), '/.well-known/x')
  t.end()
})

void test('a path that leaves the root is refused', (t) => {
  for (const target of ['/..', '/../a', '/a/../../b', '/%2e%2e/a', '/a/%2e%2e/%2e%2e']) {
    t.equal(pathOf(target), 'refused: leaves the root', target)
  }
  t.end()
})

void test('unreserved escapes are decoded, others keep their meaning in upper case', (t) => {
  t.equal(pathOf('/%61%7e%2D'), '/a~-')
  t.equal(pathOf('/@scope%2fname'), '/@scope%2Fname')
  t.equal(pathOf('/%252e%252e/x'), '/%252e%252e/x', 'decoded once only')
  t.equal(pathOf('/%c3%a9'), '/%C3%A9')
  t.equal(pathOf('/\u00c3\u00a9'), '/%C3%A9', 'raw bytes are escaped')
  t.equal(pathOf('/a|b"<>'), '/a%7Cb%22%3C%3E')
  t.end()
})

void test('double slashes and path parameters stay as they are', (t) => {
  t.equal(pathOf('//a//b/'), '//a//b/')
  t.equal(pathOf('/a;v=1/b;c'), '/a;v=1/b;c')
  t.end()
})

void test('what no path may hold is refused', (t) => {
  t.equal(pathOf('/a\\b'), 'refused: contains a backslash')
  t.equal(pathOf('/a%5cb'), 'refused: contains a backslash')
  t.equal(pathOf('/a%00'), 'refused: contains a NUL')
  for (const target of ['/%', '/%2', '/%zz', '/a%2/b']) {
    t.equal(pathOf(target), 'refused: contains an invalid percent-escape', target)
  }
  for (const target of ['/a b', '/a\u0001', '/a#b', '/a?b#c', '/a\u007f', '/a?b\u0000', '/\u0100']) {
    t.equal(pathOf(target), 'refused: contains a control character, a space or a fragment', target)
  }
  t.equal(pathOf('a'), 'refused: is not an absolute path')
  t.equal(pathOf(''), 'refused: is not an absolute path')
  t.end()
})

void test('a canonical path is its own canonical path, and holds no dot segment', (t) => {
  const piece = fc.constantFrom('a', '.', '..', '/', '//', '%2e', '%2F', '%41', ';x', '%5B', '~', '\u00e9', '{', '?q=1')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const first = canonicalTarget(`/${pieces.join('')}`)
      if (typeof first === 'string') return true
      const hasDots = first.path.split('/').some((segment) => segment === '.' || segment === '..')
      if (first.lax !== laxReadings(first.path).length > 0) return false
      return !hasDots && isDeepStrictEqual(canonicalTarget(first.path + first.query), first)
    }),
  )
  t.end()
})

void test('lax readings show what a path becomes when decoded, merged or stripped', (t) => {
  t.same(laxReadings('/a/b'), [])
  t.ok(laxReadings('/x%2F..%2Fadmin').includes('/admin'))
  t.ok(laxReadings('//performance//health').includes('/performance/health'))
  t.ok(laxReadings('/performance;x=1/health').includes('/performance/health'))
  t.ok(laxReadings('/a/..;/admin').includes('/admin'))
  t.ok(laxReadings('/a%2F..%2F..%2Fb').includes(null), 'one that leaves the root')
  t.end()
})

void test('dot segments are seen in the path, however written, and not in the query', (t) => {
  const piece = fc.constantFrom('a', '.', '..', '...', '/', '%2e', '%2E', '%2F', ';', '?', 'http://h')
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const target = `/${pieces.join('')}`
      const segments = target.replace(/\?.*/, '').slice(1).replaceAll(/%2e/gi, '.').split('/')
      return hasDotSegments(target) === (segments.includes('.') || segments.includes('..'))
    }),
  )
  t.end()
})
