import { test } from 'tap'
import { isValidatable, storability, type StorableRequest } from '../../../../services/cache/rules/storable.ts'
import type { CachePolicy } from '../../../../services/cache/policy.ts'
import { conditions, head, httpDate, NOW, policy, request } from './messages.ts'

interface Case {
  status?: number
  asked?: Partial<StorableRequest>
  by?: Partial<CachePolicy>
}

function decide(fields: Record<string, string | string[]>, { status = 200, asked = {}, by = {} }: Case = {}) {
  return storability(request(asked), head(fields, { status }), policy(by), NOW)
}

/** `stored`, or why not; with `!` where later requests need not wait. */
function outcome(fields: Record<string, string | string[]>, details: Case = {}): string {
  const result = decide(fields, details)
  return result.store ? 'stored' : `${result.reason}${result.lasting ? '!' : ''}`
}

const FRESH = { 'cache-control': 'max-age=60' }
const withControl = (directives: string) => ({ 'cache-control': directives })

void test('GET is stored, QUERY and POST by option, nothing else (RFC 9111 §3)', (t) => {
  t.equal(outcome(FRESH), 'stored')
  t.equal(outcome(FRESH, { asked: { method: 'QUERY', hasBody: true } }), 'stored')
  t.equal(outcome(FRESH, { asked: { method: 'QUERY', hasBody: true }, by: { queries: false } }), 'method')
  for (const method of ['HEAD', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'get', 'X']) {
    t.equal(outcome(FRESH, { asked: { method } }), 'method', method)
  }
  t.equal(outcome(FRESH, { asked: { hasBody: true } }), 'request-body', 'a GET with content')
  t.end()
})

void test('a POST is stored with explicit freshness and its own URI as Content-Location (RFC 9110 §9.3.3)', (t) => {
  const post = { asked: { method: 'POST', hasBody: true } }
  const own = { ...FRESH, 'content-location': '/a?b=1' }
  t.equal(outcome(own, post), 'stored')
  t.equal(outcome({ ...own, 'content-location': 'http://API.test:80/a?b=1' }, post), 'stored')
  t.equal(outcome(own, { ...post, by: { post: false } }), 'method')
  t.equal(outcome(FRESH, post), 'method')
  t.equal(outcome({ ...FRESH, 'content-location': '/b' }, post), 'method')
  t.equal(outcome({ ...FRESH, 'content-location': 'https://api.test/a?b=1' }, post), 'method')
  t.equal(outcome({ ...FRESH, 'content-location': 'http://[' }, post), 'method')
  t.equal(
    outcome({ 'content-location': '/a?b=1', etag: '"a"' }, { ...post, by: { ttl: 60 } }),
    'method',
    'ttl is not explicit',
  )
  t.equal(outcome({ ...withControl('max-age=0'), 'content-location': '/a?b=1', etag: '"a"' }, post), 'method')
  const unasked = { 'content-location': '/a?b=1', 'last-modified': httpDate(-86_400) }
  t.equal(outcome(unasked, post), 'method', 'nor is the heuristic')
  t.equal(outcome(unasked, { ...post, status: 404, by: { negativeTtl: 60 } }), 'method')
  t.end()
})

void test('no-store keeps out, from either side (RFC 9111 §5.2.1.5, §5.2.2.5)', (t) => {
  t.equal(outcome(withControl('max-age=60, no-store')), 'no-store!')
  t.equal(outcome({ ...FRESH, 'cdn-cache-control': 'no-store' }), 'no-store!')
  t.equal(outcome({ ...withControl('no-store'), 'cdn-cache-control': 'max-age=60' }), 'stored')
  const asked = { conditions: conditions({ cacheControl: 'no-store' }) }
  t.equal(outcome(FRESH, { asked }), 'request-no-store')
  t.equal(outcome(FRESH, { asked, by: { clientDirectives: 'ignore' } }), 'stored')
  t.end()
})

void test('must-understand lifts no-store for statuses that are understood (RFC 9111 §5.2.2.3)', (t) => {
  const field = withControl('max-age=3600, no-store, must-understand')
  t.equal(outcome(field), 'stored')
  t.equal(outcome(field, { status: 599 }), 'must-understand')
  t.equal(outcome(withControl('max-age=3600, must-understand'), { status: 299 }), 'must-understand!')
  t.end()
})

void test('private keeps out (RFC 9111 §5.2.2.7)', (t) => {
  t.equal(outcome(withControl('private, max-age=60')), 'private!')
  t.equal(outcome({ ...FRESH, 'cdn-cache-control': 'private' }), 'private!')
  t.equal(outcome(withControl('private'), { by: { ttl: 60, respectOrigin: false } }), 'private!', 'ttl never beats it')
  t.equal(outcome(withControl('no-store'), { by: { ttl: 60, respectOrigin: false } }), 'no-store!')
  t.end()
})

void test('answers to Authorization are stored by leave of the origin only (RFC 9111 §3.5)', (t) => {
  const asked = { conditions: conditions({ authorization: 'Basic x' }) }
  t.equal(outcome(FRESH, { asked }), 'authorization')
  t.equal(outcome({ expires: httpDate(60) }, { asked }), 'authorization')
  t.equal(outcome({}, { asked, by: { ttl: 60, respectOrigin: false } }), 'authorization', 'ttl is no leave')
  t.equal(outcome(withControl('max-age=60, proxy-revalidate'), { asked }), 'authorization')
  t.equal(outcome(withControl('max-age=60, public'), { asked }), 'stored')
  t.equal(outcome(withControl('max-age=60, must-revalidate'), { asked }), 'stored')
  t.equal(outcome(withControl('s-maxage=60'), { asked }), 'stored')
  t.equal(outcome(FRESH, { asked: { hasCredentials: true } }), 'authorization', 'other credentials count alike')
  t.equal(outcome(withControl('max-age=60, public'), { asked: { hasCredentials: true } }), 'stored')
  t.end()
})

void test('what sets a cookie is stored in profile rfc, not in secure', (t) => {
  const secure: Case = { by: { profile: 'secure' } }
  t.equal(outcome({ ...FRESH, 'set-cookie': 'a=b' }), 'stored')
  t.equal(outcome({ ...FRESH, 'set-cookie': 'a=b' }, secure), 'set-cookie!')
  t.equal(outcome({ ...FRESH, 'set-cookie2': 'a=b' }, secure), 'set-cookie!')
  t.equal(outcome({ ...FRESH, 'x-a': 'set-cookie' }, secure), 'stored', 'a value is no name')
  const without = decide({ ...withControl('max-age=60, no-cache="Set-Cookie"'), 'set-cookie': 'a=b' }, secure)
  t.ok(without.store && !without.fields.includes('set-cookie'), 'the origin itself leaves it out')
  t.end()
})

void test('Vary: * keeps out, anywhere (RFC 9111 §4.1)', (t) => {
  for (const vary of ['*', 'accept, *', ['accept', ' * ']]) t.equal(outcome({ ...FRESH, vary }), 'vary!', String(vary))
  t.equal(outcome({ ...FRESH, vary: 'accept' }), 'stored')
  t.end()
})

void test('any final status is stored with explicit freshness', (t) => {
  for (const status of [200, 203, 204, 299, 301, 302, 303, 307, 308, 400, 404, 410, 499, 500, 502, 503, 504, 599]) {
    t.equal(outcome(FRESH, { status }), 'stored', `${status}`)
  }
  t.end()
})

void test('what answers one request only is never stored', (t) => {
  for (const status of [304, 407, 412, 416, 417, 421, 425, 428, 429, 431, 511]) {
    t.equal(outcome({ ...FRESH, etag: '"a"' }, { status }), 'status', `${status}`)
  }
  t.equal(outcome(FRESH, { status: 103 }).startsWith('status'), true)
  t.end()
})

void test('a policy can name the statuses', (t) => {
  const by = { statuses: new Set([200, 503]) }
  t.equal(outcome(FRESH, { by }), 'stored')
  t.equal(outcome(FRESH, { by, status: 206 }), 'stored', 'a part of a 200')
  t.equal(outcome(FRESH, { by, status: 301 }), 'status!')
  t.equal(outcome(FRESH, { by: { statuses: new Set([429]) }, status: 429 }), 'status', 'never')
  t.equal(outcome({}, { by: { ...by, negativeTtl: 5 }, status: 503 }), 'stored')
  t.end()
})

void test('a 206 is storable as a part', (t) => {
  t.match(decide(FRESH, { status: 206 }), { store: true, part: true })
  t.match(decide(FRESH), { store: true, part: false })
  t.end()
})

void test('somebody has to say that it may be stored (RFC 9111 §3)', (t) => {
  const validator = { etag: '"a"' }
  t.equal(outcome(validator, { status: 201 }), 'no-freshness!')
  t.equal(outcome(validator, { status: 599 }), 'no-freshness')
  t.equal(outcome({ ...validator, ...withControl('public') }, { status: 201 }), 'stored')
  t.equal(outcome(validator), 'stored', 'the status does')
  t.end()
})

void test('what is of no use is not stored', (t) => {
  t.equal(outcome({}), 'no-freshness!')
  t.equal(outcome(withControl('max-age=0')), 'stale!')
  t.equal(outcome({ expires: httpDate(-5) }), 'stale!')
  t.equal(outcome({ ...FRESH, age: '61' }), 'stale!', 'old on arrival')
  t.equal(outcome(withControl('no-cache, max-age=60')), 'stale!', 'nothing to validate it by')
  t.equal(outcome(withControl('max-age=0'), { status: 500 }), 'stale')
  t.equal(outcome(withControl('max-age=0'), { status: 400 }), 'stale', 'an error says nothing of the next answer')
  t.equal(outcome(withControl('max-age=0'), { status: 410 }), 'stale!')
  t.end()
})

void test('what is stale at once is stored if it can be validated, or used stale', (t) => {
  t.equal(outcome({ ...withControl('no-cache'), etag: '"a"' }), 'stored')
  t.equal(outcome({ expires: '0', 'last-modified': httpDate(-10) }), 'stored')
  t.equal(outcome(withControl('max-age=0, stale-while-revalidate=60')), 'stored')
  t.equal(outcome(withControl('max-age=0, stale-if-error=60')), 'stored')
  t.equal(outcome(withControl('max-age=0, stale-if-error=60, must-revalidate')), 'stale!')
  t.equal(outcome(withControl('max-age=0'), { by: { staleIfError: 60 } }), 'stored')
  t.equal(outcome({ ...withControl('max-age=0'), etag: '"a"' }, { status: 404 }), 'stale!', 'a 404 cannot be validated')
  t.end()
})

void test('only a 2xx with a validator can be validated (RFC 9110 §13.2.1)', (t) => {
  t.equal(isValidatable(head({ etag: '"a"' })), true)
  t.equal(isValidatable(head({ 'last-modified': httpDate(-1) })), true)
  t.equal(isValidatable(head({})), false)
  t.equal(isValidatable(head({ etag: '"a"' }, { status: 299 })), true)
  t.equal(isValidatable(head({ etag: '"a"' }, { status: 404 })), false)
  t.end()
})

void test('fields of one connection and qualified ones are not kept (RFC 9111 §3.1)', (t) => {
  const result = decide({
    'cache-control': ['max-age=60, no-cache="a"', 'private="B, c"'],
    connection: 'D, close',
    'keep-alive': 'x',
    'proxy-authenticate': 'x',
    'proxy-authentication-info': 'x',
    'proxy-authorization': 'x',
    'proxy-connection': 'x',
    te: 'x',
    trailer: 'x',
    'transfer-encoding': 'chunked',
    upgrade: 'x',
    a: '1',
    b: '2',
    c: '3',
    d: '4',
    e: ['5', '6'],
    'www-authenticate': 'x',
    age: '1',
  })
  t.match(result, { store: true })
  const kept = result.store ? result.fields.join('|') : ''
  t.equal(
    kept,
    `date|${httpDate(0)}|cache-control|max-age=60, no-cache="a"|cache-control|private="B, c"|e|5|e|6|www-authenticate|x|age|1`,
  )
  t.end()
})

void test('what was decided comes with it', (t) => {
  t.match(decide({ ...FRESH, age: '10' }), {
    store: true,
    freshness: { lifetime: 60, source: 'max-age' },
    lifespan: { bornAt: NOW - 10_000, staleAt: NOW + 50_000, freshUntil: NOW + 50_000 },
  })
  t.end()
})

void test('an event stream is never stored, whatever is said of it', (t) => {
  for (const type of ['text/event-stream', 'Text/Event-Stream; charset=utf-8']) {
    t.equal(outcome({ ...FRESH, 'content-type': type }), 'event-stream!')
    t.equal(outcome({ 'content-type': type }, { by: { ttl: 60 } }), 'event-stream!')
  }
  t.equal(outcome({ ...FRESH, 'content-type': 'text/event-stream-log' }), 'stored')
  t.end()
})

void test('what is disguised is kept out by the guard alone', (t) => {
  const page = { ...FRESH, 'content-type': 'text/html' }
  const asked = { path: '/account/x.css' }
  t.equal(outcome(page, { asked, by: { guard: true } }), 'disguised!')
  t.equal(outcome(page, { asked, by: { guard: false } }), 'stored')
  t.end()
})
