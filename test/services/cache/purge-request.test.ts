import { test } from 'tap'
import { canonicalUrl, selectorOf } from '../../../services/cache/purge-request.ts'

void test('a URL is brought to the form that keys have', async (t) => {
  for (const [given, wanted] of [
    ['http://HOST:80/%61', 'http://host/a'],
    ['HTTPS://Api.Example.com:443/a/../b', 'https://api.example.com/b'],
    ['https://api.example.com', 'https://api.example.com/'],
    ['http://api.example.com?x=%61', 'http://api.example.com/?x=%61'],
    ['http://host:8080/a%2fb', 'http://host:8080/a%2Fb'],
    ['/%7Euser/./a?b=1', '/~user/a?b=1'],
    ['/ä', '/%C3%A4'],
  ] as const) {
    t.equal(canonicalUrl(given), wanted, given)
  }
})

void test('what cannot be the URL of anything stored is refused, with what to write', async (t) => {
  for (const given of [
    'vehicles',
    'ftp://a/',
    'http:///a',
    'http://a b/',
    'http://u:p@a/',
    '/a%zz',
    '/../a',
    '/a#b',
    'http://a/a\\b',
  ]) {
    t.throws(
      () => canonicalUrl(given),
      { code: 'HR_CACHE_TARGET', statusCode: 400, message: /Write a URL such as/ },
      given,
    )
  }
})

void test('exactly one thing is named', async (t) => {
  t.strictSame(selectorOf({ all: true }), { kind: 'all' })
  t.strictSame(selectorOf({ tag: 'Vehicles' }), { kind: 'tag', tag: 'Vehicles' })
  t.strictSame(selectorOf({ url: '/a' }), { kind: 'url', url: '/a' })
  t.strictSame(selectorOf({ prefix: 'http://A:80/x' }), { kind: 'prefix', prefix: 'http://a/x' })
  t.throws(() => selectorOf({}), { code: 'HR_CACHE_SELECTOR', message: /none of them/ })
  t.throws(() => selectorOf({ all: false }), { code: 'HR_CACHE_SELECTOR' })
  t.throws(() => selectorOf({ url: '/a', tag: 'b' }), { code: 'HR_CACHE_SELECTOR', message: /url and tag/ })
})

void test('a pattern keeps its stars, in the scheme and the host too', async (t) => {
  const pattern = (given: string): unknown => selectorOf({ pattern: given })
  t.strictSame(pattern('/%61/*/photo?*'), { kind: 'pattern', pattern: '/a/*/photo?*' })
  t.strictSame(pattern('*://*.Example.com/*'), { kind: 'pattern', pattern: '*://*.example.com/*' })
  t.strictSame(pattern('/a%2A'), { kind: 'pattern', pattern: '/a%2A' }, 'an escaped star stays one')
  t.throws(() => pattern('*.jpg'), { code: 'HR_CACHE_TARGET' })
})
