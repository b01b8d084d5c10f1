import { test } from 'tap'
import { MAX_DELTA_SECONDS } from '../../../../services/cache/rules/cache-control.ts'
import { effectiveDirectives, parseTargeted } from '../../../../services/cache/rules/targeted.ts'
import { head } from './messages.ts'

const effective = (fields: Record<string, string | string[]>) => effectiveDirectives(head(fields).fields)

void test('the nearest targeted field that is valid replaces Cache-Control (RFC 9213 §2.2)', (t) => {
  const own = { 'headrace-cache-control': 'max-age=1' }
  const cdn = { 'cdn-cache-control': 'max-age=2' }
  const all = { 'cache-control': 'max-age=3, no-store' }
  t.match(effective({ ...all, ...cdn, ...own }), { targeted: true, directives: { maxAge: 1, noStore: false } })
  t.match(effective({ ...all, ...cdn }), { targeted: true, directives: { maxAge: 2, noStore: false } })
  t.match(effective(all), { targeted: false, directives: { maxAge: 3, noStore: true } })
  t.match(effective({}), { targeted: false, directives: { maxAge: null } })
  t.end()
})

void test('a field that is no Dictionary, or an empty one, is ignored (RFC 9213 §2.1)', (t) => {
  for (const value of ['', ' ', 'max-age=10000, &&&&&', 'MaX-aGe=3600', 'max-age =100', 'max-age= 100', 'a,', 'a b']) {
    t.equal(parseTargeted(value), undefined, value)
    t.match(effective({ 'cdn-cache-control': value, 'cache-control': 'no-store' }), {
      targeted: false,
      directives: { noStore: true },
    })
  }
  t.match(
    effective({ 'headrace-cache-control': '&', 'cdn-cache-control': 'max-age=2' }),
    { targeted: true, directives: { maxAge: 2 } },
    'the next one speaks',
  )
  t.end()
})

void test('a field with a directive of another type is ignored', (t) => {
  for (const value of [
    'max-age="10000"',
    'max-age=1.5',
    'max-age=10.0',
    'max-age=?1',
    'max-age',
    'max-age=(1 2)',
    's-maxage=x',
    'x="a, b", stale-if-error=1.0',
    'no-store=1',
    'no-store=?0',
    'private=1',
    'no-cache=("a")',
    'immutable=x',
  ]) {
    t.equal(parseTargeted(value), undefined, value)
  }
  t.end()
})

void test('decimals elsewhere do no harm', (t) => {
  t.match(parseTargeted('x=1.5, max-age=10;p=1.5'), { maxAge: 10 })
  t.match(parseTargeted('x="a, max-age=1.0", max-age=10'), { maxAge: 10 })
  t.end()
})

void test('directives mean what they mean in Cache-Control', (t) => {
  t.match(
    parseTargeted('max-age=10, s-maxage=20, stale-while-revalidate=30, stale-if-error=40, public, must-revalidate'),
    { maxAge: 10, sMaxage: 20, staleWhileRevalidate: 30, staleIfError: 40, public: true, mustRevalidate: true },
  )
  t.match(parseTargeted('no-store, proxy-revalidate, must-understand, immutable, no-transform'), {
    noStore: true,
    proxyRevalidate: true,
    mustUnderstand: true,
    immutable: true,
    noTransform: true,
  })
  t.match(parseTargeted('no-cache, private'), { noCache: true, private: true })
  t.match(parseTargeted('no-cache="a, B", private=c'), {
    noCache: false,
    noCacheFields: ['a', 'b'],
    private: false,
    privateFields: ['c'],
  })
  t.end()
})

void test('extensions and parameters are passed over, the last of two members holds (RFC 9651 §3.2)', (t) => {
  t.match(parseTargeted('foobar, max-age=3600;a=1, y=(1 2);b'), { maxAge: 3600 })
  t.match(parseTargeted('none'), { maxAge: null }, 'valid, and says nothing')
  t.match(parseTargeted('max-age=1, max-age=2'), { maxAge: 2 })
  t.end()
})

void test('numbers are clamped, a negative lifetime is a stale one', (t) => {
  t.match(parseTargeted('max-age=99999999999'), { maxAge: MAX_DELTA_SECONDS })
  t.match(parseTargeted('max-age=-1'), { maxAge: 0 })
  t.equal(parseTargeted(`max-age=${'9'.repeat(16)}`), undefined, 'no Integer (RFC 9651 §3.3.1)')
  t.end()
})

void test('several lines are one Dictionary', (t) => {
  t.match(effective({ 'cdn-cache-control': ['max-age=1', 'no-cache'] }), {
    targeted: true,
    directives: { maxAge: 1, noCache: true },
  })
  t.end()
})

void test('Surrogate-Control is not listened to', (t) => {
  t.match(effective({ 'surrogate-control': 'max-age=5' }), { targeted: false, directives: { maxAge: null } })
  t.end()
})
