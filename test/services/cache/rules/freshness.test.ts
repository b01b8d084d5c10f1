import { test } from 'tap'
import { freshnessOf } from '../../../../services/cache/rules/freshness.ts'
import { head, httpDate, policy } from './messages.ts'

type Fields = Record<string, string | string[]>

function lifetime(
  fields: Fields,
  { status = 200, ...changes }: Partial<ReturnType<typeof policy>> & { status?: number } = {},
) {
  const { lifetime: seconds, source } = freshnessOf(head(fields, { status }), policy(changes))
  return `${seconds} ${source}`
}

const MODIFIED = { 'last-modified': httpDate(-86_400) }

void test('the lifetime comes from the strongest that speaks (RFC 9111 §4.2.1, RFC 9213 §2.2)', (t) => {
  const expires = { expires: httpDate(40) }
  t.equal(lifetime({ ...MODIFIED }), '8640 heuristic')
  t.equal(lifetime({ ...MODIFIED }, { ttl: 50 }), '50 ttl')
  t.equal(lifetime({ ...MODIFIED, ...expires }, { ttl: 50 }), '40 expires')
  t.equal(lifetime({ ...expires, 'cache-control': 'max-age=30' }), '30 max-age')
  t.equal(lifetime({ ...expires, 'cache-control': 'max-age=30, s-maxage=20' }), '20 s-maxage')
  t.equal(lifetime({ 'cache-control': 's-maxage=20', 'cdn-cache-control': 'max-age=10' }), '10 targeted')
  t.equal(lifetime({}), '0 none')
  t.end()
})

void test('s-maxage beats max-age whichever is longer, over several lines too', (t) => {
  t.equal(lifetime({ 'cache-control': ['max-age=3600', 's-maxage=1'] }), '1 s-maxage')
  t.equal(lifetime({ 'cache-control': 'max-age=0, s-maxage=3600', expires: httpDate(-10) }), '3600 s-maxage')
  t.equal(lifetime({ 'cache-control': 'max-age=10, s-maxage=x' }), '0 s-maxage')
  t.end()
})

void test('a targeted field silences Cache-Control and Expires, though not the heuristic', (t) => {
  t.equal(lifetime({ 'cdn-cache-control': 'max-age=9', expires: '0' }), '9 targeted')
  t.equal(lifetime({ 'cdn-cache-control': 'max-age=0', expires: httpDate(100) }), '0 targeted')
  t.equal(lifetime({ 'cdn-cache-control': 'none', expires: httpDate(100) }), '0 none')
  t.equal(lifetime({ 'cdn-cache-control': 'none', 'cache-control': 'max-age=5', ...MODIFIED }), '8640 heuristic')
  t.end()
})

void test('Expires is measured from Date, or from the arrival', (t) => {
  t.equal(lifetime({ date: httpDate(-10), expires: httpDate(10) }), '20 expires')
  t.equal(lifetime({ date: httpDate(400), expires: httpDate(300) }), '0 expires')
  t.equal(lifetime({ date: 'foo', expires: httpDate(10) }), '10 expires')
  t.equal(lifetime({ date: [], expires: httpDate(10) }), '10 expires')
  t.equal(lifetime({ expires: httpDate(0) }), '0 expires')
  t.equal(lifetime({ expires: 'Sun, 21 Nov 2286 04:46:39 GMT' }), '2147483647 expires')
  t.end()
})

void test('an Expires that is no date is in the past, and so are two', (t) => {
  for (const expires of ['0', '-1', '', 'Thu, 18 Aug 2050 02:01:18 UTC']) {
    t.equal(lifetime({ expires, ...MODIFIED }, { ttl: 60 }), '0 expires', expires)
  }
  t.equal(lifetime({ expires: [httpDate(10), httpDate(10)] }), '0 expires')
  t.end()
})

void test('the heuristic is a tenth of the time since Last-Modified, a day at most (RFC 9111 §4.2.2)', (t) => {
  t.equal(lifetime({ 'last-modified': httpDate(-100) }), '10 heuristic')
  t.equal(lifetime({ 'last-modified': httpDate(-5) }), '0 heuristic')
  t.equal(lifetime({ 'last-modified': httpDate(100) }), '0 heuristic')
  t.equal(lifetime({ 'last-modified': httpDate(-864_000 - 10) }), '86400 heuristic')
  t.equal(lifetime({ 'last-modified': 'yesterday' }), '0 none')
  t.equal(lifetime({ ...MODIFIED, pragma: 'no-cache' }), '8640 heuristic', 'Pragma means nothing in responses')
  t.end()
})

void test('the heuristic is for statuses of RFC 9110 §15.1, or with public', (t) => {
  for (const status of [200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501]) {
    t.equal(lifetime(MODIFIED, { status }), '8640 heuristic', `${status}`)
  }
  for (const status of [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599]) {
    t.equal(lifetime(MODIFIED, { status }), '0 none', `${status}`)
    t.equal(lifetime({ ...MODIFIED, 'cache-control': 'public' }, { status }), '8640 heuristic', `${status} public`)
    t.equal(lifetime({ 'cache-control': 'max-age=5' }, { status }), '5 max-age', `${status} explicit`)
  }
  t.end()
})

void test('ttl is for the same statuses, and for those that the policy names', (t) => {
  t.equal(lifetime({}, { ttl: 60, status: 404 }), '60 ttl')
  t.equal(lifetime({}, { ttl: 60, status: 500 }), '0 none')
  t.equal(lifetime({}, { ttl: 60, status: 302 }), '0 none')
  t.equal(lifetime({}, { ttl: 60, status: 302, statuses: new Set([302]) }), '60 ttl')
  t.end()
})

void test('negativeTtl is for what is missing, and for errors that the policy names', (t) => {
  const negative = { ttl: 60, negativeTtl: 5 }
  for (const status of [404, 405, 410, 414, 501])
    t.equal(lifetime({}, { ...negative, status }), '5 negative', `${status}`)
  t.equal(lifetime({}, negative), '60 ttl')
  t.equal(lifetime({}, { ...negative, status: 503 }), '0 none')
  t.equal(lifetime({}, { ...negative, status: 503, statuses: new Set([503]) }), '5 negative')
  t.equal(lifetime({}, { ...negative, status: 500, statuses: new Set([500]) }), '5 negative')
  t.equal(lifetime({}, { ...negative, status: 403, statuses: new Set([403]) }), '60 ttl')
  t.equal(lifetime({ 'cache-control': 'max-age=9' }, { ...negative, status: 404 }), '9 max-age', 'the origin says')
  t.end()
})

void test('respectOrigin: false puts ttl before the origin, where ttl applies', (t) => {
  const ours = { ttl: 60, respectOrigin: false }
  t.equal(lifetime({ 'cache-control': 's-maxage=1' }, ours), '60 ttl')
  t.equal(lifetime({ 'cdn-cache-control': 'max-age=1' }, ours), '60 ttl')
  t.equal(lifetime({ expires: '0' }, ours), '60 ttl')
  t.equal(lifetime({ 'cache-control': 'max-age=1' }, { ...ours, status: 500 }), '1 max-age')
  t.equal(lifetime({ 'cache-control': 'max-age=1' }, { respectOrigin: false }), '1 max-age', 'no ttl to put there')
  t.equal(freshnessOf(head({ 'cache-control': 'no-cache' }), policy(ours)).alwaysRevalidate, false)
  t.equal(freshnessOf(head({ 'cache-control': 'no-cache' }), policy({ ttl: 60 })).alwaysRevalidate, true)
  t.end()
})

void test('what happens when it is stale comes from the origin, then from the policy', (t) => {
  const extras = (cacheControl: string, changes = {}) =>
    freshnessOf(head({ 'cache-control': cacheControl }), policy(changes))
  t.match(extras('max-age=1'), { staleWhileRevalidate: 0, staleIfError: null, mustRevalidate: false, immutable: false })
  t.match(extras('max-age=1, stale-while-revalidate=2, stale-if-error=3, immutable'), {
    staleWhileRevalidate: 2,
    staleIfError: 3,
    immutable: true,
  })
  const configured = { staleWhileRevalidate: 20, staleIfError: 30 }
  t.match(extras('max-age=1', configured), configured)
  t.match(extras('stale-while-revalidate=0, stale-if-error=0', configured), {
    staleWhileRevalidate: 0,
    staleIfError: 0,
  })
  for (const directive of ['must-revalidate', 'proxy-revalidate', 's-maxage=2']) {
    t.equal(extras(`max-age=2, ${directive}`).mustRevalidate, true, directive)
  }
  t.equal(extras('no-cache="a"').alwaysRevalidate, false, 'limited to a field')
  t.end()
})
