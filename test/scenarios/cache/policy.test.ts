import type { Test } from 'tap'
import { test } from 'tap'
import { PATIENCE } from '../../helper.ts'
import type { Field } from '../../wire.ts'
import { answering, type Cached, cachedBefore, status } from './cached.ts'

/** What each option of a route's `cache` makes of answers, over real sockets. */

const nothingSaid = answering([])

/** Lifetimes by Cache-Status: what `ttl` says of the first answer. */
async function lifetimes(
  t: Test,
  cache: Record<string, unknown> | true,
  origins: { status?: number; fields: Field[] }[],
): Promise<(number | undefined)[]> {
  const cached = await cachedBefore(
    t,
    ({ request, respond }) => {
      const { status: code = 200, fields } = origins[Number(request.target.slice(1))]!
      return respond(code, fields, 'x')
    },
    { route: { cache } },
  )
  const found: (number | undefined)[] = []
  for (const index of origins.keys()) {
    const said = status(await cached.get(`/${index}`))
    const ttl = /ttl=(-?\d+)/.exec(said)?.[1]
    found.push(said.includes('stored') ? Number(ttl) : undefined)
  }
  return found
}

const control = (value: string): Field => ['Cache-Control', value]

void test('a route without a cache, or with cache: false, passes everything', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, answering([control('max-age=60')]), {
    route: { cache: false },
    routes: { '/absent/*': { to: 'origin' } },
  })
  for (const path of ['/x', '/absent/x']) {
    for (let times = 0; times < 2; times++) t.equal((await cached.get(path)).get('cache-status'), undefined)
  }
  t.equal(cached.upstream.requests.length, 4)
})

void test("true and {} are the origin's rules alone", { timeout: PATIENCE }, async (t) => {
  const modified: Field = ['Last-Modified', new Date(Date.now() - 1_000_000_000).toUTCString()]
  const origins = [
    { fields: [control('max-age=60')] },
    { fields: [] },
    { fields: [control('private, max-age=60')] },
    { fields: [modified] },
  ]
  for (const cache of [true, {}] as const) {
    const [explicit, none, kept, heuristic = 0] = await lifetimes(t, cache, origins)
    t.strictSame([explicit, none, kept], [60, undefined, undefined])
    t.ok(heuristic >= 86_399 && heuristic <= 86_400, 'a tenth of the time since the change, a day at most')
  }
})

void test('targeted fields go before Cache-Control, the nearest first, and go on to clients', {
  timeout: PATIENCE,
}, async (t) => {
  const fields: Field[] = [control('no-store'), ['CDN-Cache-Control', 'max-age=5']]
  const nearest: Field = ['Headrace-Cache-Control', 'max-age=7']
  t.strictSame(await lifetimes(t, true, [{ fields }, { fields: [...fields, nearest] }]), [5, 7])
  t.strictSame(
    await lifetimes(t, true, [{ fields: [control('max-age=3'), ['CDN-Cache-Control', 'max-age="5"']] }]),
    [3],
  )
  const cached = await cachedBefore(t, answering([...fields, nearest]))
  for (let times = 0; times < 2; times++) {
    const answer = await cached.get('/x')
    t.strictSame(
      ['cache-control', 'cdn-cache-control', 'headrace-cache-control'].map((name) => answer.get(name)),
      ['no-store', 'max-age=5', 'max-age=7'],
    )
  }
  t.equal(cached.upstream.requests.length, 1)
})

void test('ttl fills in where the origin gives no lifetime, before the heuristic', { timeout: PATIENCE }, async (t) => {
  const origins: { status?: number; fields: Field[] }[] = [
    { fields: [] },
    { fields: [['Last-Modified', new Date(Date.now() - 1_000_000_000).toUTCString()]] },
    { fields: [control('max-age=60')] },
    { fields: [['Expires', '0']] },
    { fields: [control('no-store')] },
    { fields: [control('private')] },
    { fields: [['Set-Cookie', 'a=1']] },
    { status: 404, fields: [] },
    { status: 500, fields: [] },
  ]
  for (const [ttl, seconds] of [
    ['short', 300],
    ['long', 3600],
    ['90s', 90],
    ['1.5m', 90],
  ] as const) {
    const none = undefined
    t.strictSame(
      await lifetimes(t, { ttl }, origins),
      [seconds, seconds, 60, none, none, none, none, seconds, none],
      ttl,
    )
  }
})

void test("respectOrigin: false puts ttl before the origin's lifetime, not before what forbids", {
  timeout: PATIENCE,
}, async (t) => {
  t.strictSame(
    await lifetimes(t, { ttl: '90s', respectOrigin: false }, [
      { fields: [control('max-age=5')] },
      { fields: [control('s-maxage=5')] },
      { fields: [control('no-cache')] },
      { fields: [control('no-store')] },
      { fields: [control('private')] },
    ]),
    [90, 90, 90, undefined, undefined],
  )
})

void test('negativeTtl is for what is missing, statuses say what is stored at all', {
  timeout: PATIENCE,
}, async (t) => {
  const origins = [200, 301, 404, 410, 500, 503].map((code) => ({ status: code, fields: [] }))
  const none = undefined
  t.strictSame(await lifetimes(t, { negativeTtl: '10s' }, origins), [none, none, 10, 10, none, none])
  t.strictSame(await lifetimes(t, { ttl: '90s', negativeTtl: '10s', statuses: [200, 404, 503] }, origins), [
    90,
    none,
    10,
    none,
    none,
    10,
  ])
  t.strictSame(
    await lifetimes(t, { statuses: [404] }, [{ fields: [control('max-age=60')] }]),
    [none],
    'an explicit lifetime makes no difference to that',
  )
})

void test("the route's times for what is stale hold where the origin gives none", { timeout: PATIENCE }, async (t) => {
  let failing = false
  const cached = await cachedBefore(
    t,
    ({ request, respond }) => {
      if (failing) return respond(503)
      return respond(200, [control(decodeURIComponent(request.target.slice(1)))], 'kept')
    },
    { cache: { staleWhileRevalidate: '30s', staleIfError: '1h' } },
  )
  const paths = {
    nothing: '/max-age=10',
    own: '/max-age=10%2Cstale-while-revalidate=0%2Cstale-if-error=0',
    forbidden: '/max-age=10%2Cmust-revalidate',
    implied: '/s-maxage=10',
    besides: '/s-maxage=10%2Cstale-while-revalidate=59%2Cstale-if-error=600',
  }
  for (const path of Object.values(paths)) await cached.get(path)
  failing = true
  const answers = async (): Promise<unknown> => {
    const found: Record<string, string> = {}
    for (const [name, path] of Object.entries(paths)) {
      const answer = await cached.get(path)
      // What is of no use any more may have been swept, or not.
      found[name] = answer.status === 503 ? 'lost' : (status(answer).split(';', 1)[0] as string)
    }
    return found
  }
  const [stale, kept, lost] = ['hit', 'fwd=stale', 'lost']
  cached.pass(15)
  t.strictSame(await answers(), { nothing: stale, own: lost, forbidden: lost, implied: lost, besides: stale })
  cached.pass(40)
  t.strictSame(await answers(), { nothing: kept, own: lost, forbidden: lost, implied: lost, besides: stale })
  cached.pass(20)
  t.strictSame(await answers(), { nothing: kept, own: lost, forbidden: lost, implied: lost, besides: kept })
  cached.pass(3600)
  t.strictSame(await answers(), { nothing: lost, own: lost, forbidden: lost, implied: lost, besides: lost })
})

void test('in profile rfc nothing is stale against s-maxage', { timeout: PATIENCE }, async (t) => {
  const fields = [control('s-maxage=10, stale-while-revalidate=59')]
  const cached = await cachedBefore(t, answering(fields), { cache: { profile: 'rfc' } })
  await cached.get('/x')
  cached.pass(11)
  t.match(status(await cached.get('/x')), /^fwd=stale/)
})

void test('maxEntryBytes keeps out what is larger, by its length and by its bytes', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(
    t,
    async (exchange) => {
      const size = Number(exchange.request.target.slice(2))
      if (exchange.request.target.startsWith('/l')) return exchange.respond(200, [], 'x'.repeat(size))
      await exchange.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
      await exchange.chunk('x'.repeat(size))
      return exchange.lastChunk()
    },
    { cache: { ttl: '1h', maxEntryBytes: '1KiB' } },
  )
  for (const path of ['/l1024', '/l1025', '/c1024', '/c1025'])
    t.equal((await cached.get(path)).body.length, +path.slice(2))
  t.strictSame(
    ['/l1024', '/l1025', '/c1024', '/c1025'].map((path) => cached.cache.find(path).length),
    [1, 0, 1, 0],
  )
})

/** Which of these requests are answered by one that came before. */
async function shared(cached: Cached, requests: [path: string, fields?: Field[]][]): Promise<boolean[]> {
  const found: boolean[] = []
  for (const [path, fields] of requests) found.push(status(await cached.get(path, fields)).startsWith('hit'))
  return found
}

void test('clientDirectives: ignore makes reloads cheap', { timeout: PATIENCE }, async (t) => {
  const reloads: [string, Field[]][] = [
    ['/x', []],
    ['/x', [control('no-cache')]],
    ['/x', [control('max-age=0')]],
    ['/x', [['Pragma', 'no-cache']]],
    ['/x', [control('only-if-cached')]],
  ]
  const heeding = await cachedBefore(t, answering([control('max-age=60')]))
  t.strictSame(await shared(heeding, reloads), [false, false, false, false, true])
  const deaf = await cachedBefore(t, answering([control('max-age=60')]), { cache: { clientDirectives: 'ignore' } })
  t.strictSame(await shared(deaf, reloads), [false, true, true, true, true])
  await deaf.get('/y', [control('no-store')])
  t.strictSame(await shared(deaf, [['/y', [control('only-if-cached')]]]), [true])
})

void test('varyBy tells apart by fields and by single cookies, without Vary', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, nothingSaid, {
    cache: { ttl: '1h', varyBy: { headers: ['X-Tenant'], cookies: ['theme'] } },
  })
  t.strictSame(
    await shared(cached, [
      ['/x'],
      ['/x', [['X-Tenant', 'a']]],
      ['/x', [['x-tenant', 'a']]],
      ['/x', [['X-Tenant', 'b']]],
      ['/x', [['X-Other', 'c']]],
      ['/x', [['Cookie', 'theme=dark; session=1']]],
      ['/x', [['Cookie', 'session=2; theme=dark']]],
      ['/x', [['Cookie', 'theme=light']]],
      ['/x', [['Cookie', 'session=3']]],
      // No value of one is taken for another.
      ['/x', [['X-Tenant', 'theme=dark']]],
    ]),
    [false, false, true, false, true, false, true, false, true, false],
  )
})

void test('ignoreQuery leaves parameters out of the key, sortQuery their order; the origin gets them as they came', {
  timeout: PATIENCE,
}, async (t) => {
  const requests: [string][] = [['/x?b=1&a=2'], ['/x?utm_source=m&b=1&a=2&fbclid=9'], ['/x?a=2&b=1'], ['/x?b=2&a=2']]
  const cached = await cachedBefore(t, nothingSaid, { cache: { ttl: '1h', ignoreQuery: ['utm_*', 'fbclid'] } })
  t.strictSame(await shared(cached, requests), [false, true, false, false])
  t.strictSame(await shared(cached, [['/y?utm_x=1&z'], ['/y?z'], ['/y?fbclids=1&z']]), [false, true, false])
  t.equal(cached.upstream.requests.at(-2)?.target, '/y?utm_x=1&z')
  const sorted = await cachedBefore(t, nothingSaid, { cache: { ttl: '1h', sortQuery: true } })
  t.strictSame(await shared(sorted, [...requests, ['/x?a=2&b=1&b=0'], ['/x?b=0&a=2&b=1']]), [
    false,
    false,
    true,
    false,
    false,
    false,
  ])
  t.equal(sorted.upstream.requests[0]?.target, '/x?b=1&a=2')
})

void test('Accept-Encoding comes down to the codings that there are', { timeout: PATIENCE }, async (t) => {
  const asked = (...values: string[]): [string, Field[]][] =>
    values.map((value) => ['/x', [['Accept-Encoding', value]]])
  const fields = [control('max-age=60'), ['Vary', 'Accept-Encoding']] as Field[]
  const plain = await cachedBefore(t, answering([...fields, ['Content-Encoding', 'br']]))
  t.strictSame(await shared(plain, asked('gzip, br', 'br;q=1.0,GZIP', 'made-up, br, gzip', 'br', 'br, identity;q=0')), [
    false,
    true,
    true,
    false,
    false,
  ])
  const odd = await cachedBefore(t, answering([...fields, ['Content-Encoding', 'made-up']]))
  t.strictSame(await shared(odd, asked('made-up, br', 'br', 'made-up, br')), [false, false, true])
})

void test('languages bring Accept-Language to one that the origin has', { timeout: PATIENCE }, async (t) => {
  const varying = answering([control('max-age=60'), ['Vary', 'Accept-Language']])
  const requests = ['de-CH, en;q=0.5', 'de', 'fr, de;q=0.9, en;q=0.1', 'en, de;q=0.9', 'en-GB'].map(
    (accepted): [string, Field[]] => ['/x', [['Accept-Language', accepted]]],
  )
  const plain = await cachedBefore(t, varying)
  t.strictSame(await shared(plain, requests), [false, false, false, false, false])
  const known = await cachedBefore(t, varying, { cache: { languages: ['en', 'de'] } })
  t.strictSame(await shared(known, requests), [false, true, true, false, true])
})

void test('a route has its own profile', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, answering([control('max-age=60'), ['Set-Cookie', 'a=1']]), {
    routes: { '/rfc/*': { to: 'origin', cache: { profile: 'rfc' } } },
  })
  t.strictSame(await shared(cached, [['/x'], ['/x'], ['/rfc/x'], ['/rfc/x']]), [false, false, false, true])
})

void test('details say the key in Cache-Status, and why an answer is not stored', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(
    t,
    ({ request, respond }) => respond(200, [control(request.target === '/x?a=1' ? 'max-age=60' : 'private')], 'x'),
    { cache: { details: true, ignoreQuery: ['utm_*'], varyBy: { headers: ['X-Tenant'] } } },
  )
  const key = '[\\w-]{8} http://gateway.test/x\\?a=1%0Ax-tenant: t'
  const fields: Field[] = [['X-Tenant', 't']]
  const miss = status(await cached.get('/x?a=1', fields))
  t.match(miss, new RegExp(`^fwd=uri-miss; fwd-status=200; ttl=60; stored; key="${key}"$`))
  t.match(status(await cached.get('/x?a=1&utm_a=b', fields)), new RegExp(`^hit; ttl=60; key="${key}"$`))
  t.match(status(await cached.get('/y', fields)), /^fwd=uri-miss; fwd-status=200; key="[^"]+"; detail="private"$/)
  t.match(status(await cached.get('/y', fields)), /^fwd=uri-miss; key="[^"]+"$/)
  t.equal(status(await cached.ask('POST', '/x')), 'fwd=method')
})

void test('the log has the status of what is stored', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, [(exchange) => exchange.respond(404, [['Cache-Control', 'max-age=60']], 'none')])
  for (let i = 0; i < 2; i++) t.equal((await cached.get('/x')).status, 404)
  t.strictSame(
    cached.finished.map((exchange) => [exchange.cacheResult, exchange.status]),
    [
      ['miss', 404],
      ['hit', 404],
    ],
  )
})
