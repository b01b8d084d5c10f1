import { test } from 'tap'
import { PATIENCE } from '../../helper.ts'
import { answering, cachedBefore, status } from './cached.ts'
import type { Field } from '../../wire.ts'

const FRESH: Field = ['Cache-Control', 'max-age=60']

/** Says everything of the request that an application might put into its answer. */
const reflecting = answering([FRESH])

void test('a GET with content is forwarded, not looked up and not stored', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, async (exchange) =>
    exchange.respond(200, [FRESH], `got ${String(await exchange.body())}`),
  )
  for (const body of ['poison', 'other']) {
    const answer = await cached.ask('GET', '/x', { body })
    t.strictSame([String(answer.body), status(answer)], [`got ${body}`, 'fwd=bypass'])
  }
  t.equal(cached.store.stats().entries, 0)
  t.equal(String((await cached.get('/x')).body), 'got ')
  t.equal(String((await cached.ask('GET', '/x', { body: 'poison' })).body), 'got poison')
  const raw = await cached.raw()
  const empty = await raw.exchange(
    'GET /x HTTP/1.1\r\nHost: gateway.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  )
  t.equal(status(empty), 'fwd=bypass')
})

const UNKEYED: Field[] = [
  ['X-Forwarded-Host', 'evil.test'],
  ['X-Forwarded-Proto', 'https'],
  // No port that the upstream of the test may have.
  ['X-Forwarded-Port', '65536'],
  ['X-Forwarded-Prefix', '/evil'],
  ['X-Forwarded-Server', 'evil.test'],
  ['X-Forwarded-Scheme', 'https'],
  ['X-Forwarded-For', '6.6.6.6'],
  ['X-Real-IP', '6.6.6.6'],
  ['Forwarded', 'host=evil.test;proto=https'],
]

void test('what no key holds of a forwarding field does not reach the origin', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, reflecting)
  for (const [name, value] of UNKEYED) {
    const path = `/${name.toLowerCase()}`
    await cached.get(path, [[name, value]])
    const request = cached.upstream.requests.at(-1)!
    t.notMatch(request.fields.flat().join('\n'), /evil|6\.6\.6\.6|65536/, name)
    t.equal(request.get('x-forwarded-host'), 'gateway.test')
    t.equal(request.get('x-forwarded-proto'), 'http')
    t.match(status(await cached.get(path)), /^hit/)
  }
})

void test('what makes another request of one does not reach the origin where the answer may be stored', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, reflecting, { cache: { varyBy: { headers: ['X-Original-Host'] } } })
  const names = ['X-HTTP-Method-Override', 'X-Method-Override', 'X-Original-URL', 'X-Rewrite-URL', 'X-Host', 'X_Host']
  for (const name of [...names, 'X-Forwarded-Ssl', 'X-Forwarded-Uri', 'Front-End-Https']) {
    const path = `/${name.toLowerCase()}`
    await cached.get(path, [
      [name, 'evil'],
      // As long as X-Host.
      ['X-Sort', 'kept'],
    ])
    const request = cached.upstream.requests.at(-1)!
    t.strictSame([request.get(name), request.get('x-sort')], [undefined, 'kept'], name)
    t.match(status(await cached.get(path)), /^hit/)
  }
  await cached.get('/keyed', [['X-Original-Host', 'a']])
  t.equal(cached.upstream.requests.at(-1)?.get('x-original-host'), 'a', 'what is in the key goes on')
  await cached.ask('POST', '/x', { fields: [['X-HTTP-Method-Override', 'PATCH']], body: 'x' })
  t.equal(cached.upstream.requests.at(-1)?.get('x-http-method-override'), 'PATCH', 'and what nobody else gets')
})

void test('a cookie that Connection takes off is in no key, and of several all are', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(
    t,
    (exchange) => exchange.respond(200, [FRESH], exchange.request.get('cookie') ?? 'none'),
    {
      cache: { varyBy: { cookies: ['theme'] } },
    },
  )
  const get = async (...fields: Field[]): Promise<string> => String((await cached.get('/x', fields)).body)
  t.equal(await get(['Cookie', 'theme=dark'], ['Connection', 'cookie']), 'none')
  t.equal(await get(['Cookie', 'theme=dark']), 'theme=dark')
  t.equal(await get(), 'none')
  t.equal(await get(['Cookie', 'theme=light; theme=dark']), 'theme=light; theme=dark')
  t.equal(await get(['Cookie', 'theme=light']), 'theme=light')
  t.equal(cached.upstream.requests.length, 4)
})

void test('an ignored parameter with a semicolon is not ignored: some read several in it', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, answering([FRESH]), { cache: { ignoreQuery: ['utm_*'] } })
  await cached.get('/x?utm_a=1;q=evil&a=1')
  t.match(status(await cached.get('/x?a=1')), 'fwd=uri-miss')
  t.match(status(await cached.get('/x?a=1&utm_a=2')), 'hit')
})

void test('an answer that varies by what one client alone is known by is for nobody else', {
  timeout: PATIENCE,
}, async (t) => {
  for (const name of ['X-Forwarded-For', 'Forwarded', 'Via', 'X-Real-IP']) {
    const cached = await cachedBefore(t, answering([FRESH, ['Vary', `Accept, ${name}`]]))
    await cached.get('/x')
    t.notMatch(status(await cached.get('/x')), /^hit/, name)
    t.equal(cached.store.stats().entries, 0)
  }
})

void test('what a trusted proxy says of the host belongs to the key; the client that it names is told on', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(
    t,
    (exchange) => exchange.respond(200, [FRESH], exchange.request.get('x-forwarded-host')),
    { config: { forwarded: { trust: ['loopback'] } } },
  )
  const ask = (host: string) =>
    cached.get('/x', [
      ['X-Forwarded-Host', host],
      ['X-Forwarded-For', `<script>, 9.9.9.9`],
    ])
  t.equal(String((await ask('a.test')).body), 'a.test')
  t.equal(String((await ask('b.test')).body), 'b.test')
  t.equal(String((await cached.get('/x')).body), 'gateway.test')
  t.match(status(await ask('a.test')), /^hit/)
  t.equal(cached.upstream.requests[0]?.get('x-forwarded-for'), '9.9.9.9, 127.0.0.1')
})

void test('each host, scheme, path, case and query has a key of its own', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, reflecting)
  const h1 = await cached.client('h1')
  const tls = await cached.client('h1-tls')
  const different = [
    () => h1.request({ path: '/x?a=1&a=2' }),
    () => h1.request({ path: '/x?a=2&a=1' }),
    () => h1.request({ path: '/x?a=1' }),
    () => h1.request({ path: '/x?A=1' }),
    () => h1.request({ path: '/X?a=1' }),
    () => h1.request({ path: '/x/?a=1' }),
    () => h1.request({ path: '/x' }),
    () => h1.request({ path: '//x' }),
    () => h1.request({ path: '/x;a' }),
    () => h1.request({ path: '/a%2Fx' }),
    () => h1.request({ path: '/a/x' }),
    () => h1.request({ path: '/x', authority: 'other.test' }),
    () => h1.request({ path: '/x', authority: 'gateway.test:80' }),
    () => tls.request({ path: '/x' }),
  ]
  const bodies = new Set<string>()
  for (const ask of different) bodies.add(String((await ask()).body))
  t.equal(bodies.size, different.length)
})

void test('what means the same has the same key, and reaches the origin in the same form', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, reflecting)
  await cached.get('/a/x~y')
  for (const path of ['/a/./x~y', '/b/../a/x%7Ey', '/%61/x%7ey', '/a/%2e/x~y']) {
    t.match(status(await cached.get(path)), /^hit/, path)
  }
  const raw = await cached.raw()
  t.match(status(await raw.exchange('GET http://gateway.test/a/x~y HTTP/1.1\r\nHost: evil.test\r\n\r\n')), /^hit/)
  t.match(status(await raw.exchange('GET /a/x~y HTTP/1.1\r\nHost: GATEWAY.test\r\n\r\n')), /^hit/)
  t.equal(cached.upstream.requests[0]?.target, '/a/x~y')
})

void test('two Hosts and Hosts that are none are refused before any lookup', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, reflecting)
  await cached.get('/x')
  for (const hosts of [
    'Host: gateway.test\r\nHost: evil.test\r\n',
    'Host: gateway.test, evil.test\r\n',
    'Host: gateway.test/x\r\n',
  ]) {
    const raw = await cached.raw()
    t.equal((await raw.exchange(`GET /x HTTP/1.1\r\n${hosts}\r\n`)).status, 400)
  }
})

void test('an answer to a malformed or oversized head is one client’s', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, (exchange) =>
    exchange.request.get('x-large') === undefined
      ? exchange.respond(200, [FRESH], 'good')
      : exchange.respond(431, [FRESH], 'too large'),
  )
  t.equal((await cached.get('/x', [['X-Large', 'x'.repeat(4000)]])).status, 431)
  t.equal((await cached.get('/x')).status, 200)
})

void test('entries of one route are not served to requests of another', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, reflecting, {
    key: '/*',
    routes: { 'GET /x': { to: 'origin', cache: { ttl: '1h' } }, 'GET /y': { to: 'origin', cache: { ttl: '1h' } } },
  } as never)
  await cached.get('/x')
  t.match(status(await cached.ask('HEAD', '/x')), /^fwd=uri-miss/, 'HEAD falls to the other route')
})

void test('a Cookie in the request makes no answer one of its own, but what sets one is not shared', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, (exchange) =>
    exchange.respond(200, exchange.request.target === '/set' ? [FRESH, ['Set-Cookie', 'a=1']] : [FRESH], 'x'),
  )
  await cached.get('/x', [['Cookie', 'a=1']])
  t.match(status(await cached.get('/x', [['Cookie', 'a=2']])), /^hit/)
  await cached.get('/set')
  t.notMatch(status(await cached.get('/set')), /^hit/)
})

void test('what was got with credentials is not shared without the origin’s leave', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, (exchange) =>
    exchange.respond(
      200,
      [exchange.request.target === '/public' ? ['Cache-Control', 'public, max-age=60'] : FRESH],
      'secret',
    ),
  )
  const mine: Field[] = [['Authorization', 'Bearer x']]
  for (const path of ['/x', '/public']) await cached.get(path, mine)
  t.notMatch(status(await cached.get('/x')), /^hit/)
  t.match(status(await cached.get('/public')), /^hit/)
})

void test('Vary that names much, twice, in any case, or what is not there is held to', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, (exchange) =>
    exchange.respond(200, [FRESH, ['Vary', 'X-A, x-b'], ['Vary', ', X-A,,']], `${exchange.request.get('x-a')}`),
  )
  t.equal(String((await cached.get('/x')).body), 'undefined')
  t.equal(String((await cached.get('/x', [['X-A', '']])).body), '')
  t.equal(String((await cached.get('/x', [['x-a', '1']])).body), '1')
  t.match(status(await cached.get('/x', [['X-A', ' 1 ']])), /^hit/)
  t.match(status(await cached.get('/x')), /^hit/)
})

void test('with the guard, a page under the name of a style sheet stays with its client', {
  timeout: PATIENCE,
}, async (t) => {
  let count = 0
  const cached = await cachedBefore(
    t,
    ({ request, respond }) =>
      respond(
        200,
        [['Content-Type', request.target.startsWith('/account') ? 'text/html' : 'text/css']],
        `answer ${++count}`,
      ),
    { cache: { ttl: '1h', guard: true } },
  )
  for (const path of ['/account/x.css', '/account;x.css', '/account%2Fx.css', '/account/x%2Ecss', '/account/x.css?a']) {
    const bodies = [await cached.get(path), await cached.get(path)].map(({ body }) => String(body))
    t.not(bodies[0], bodies[1], path)
  }
  t.equal(cached.store.stats().entries, 0)
  const style = String((await cached.get('/site.css')).body)
  t.equal(String((await cached.get('/site.css')).body), style)
  t.match(status(await cached.get('/account')), /^fwd=uri-miss; .*stored/, 'the page itself is its own matter')
})

void test('with the guard, those who wait together for such a page get one each', { timeout: PATIENCE }, async (t) => {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const cached = await cachedBefore(
    t,
    async (exchange) => {
      const own = ++count
      if (own === 1) await gate.promise
      await exchange.respond(200, [['Content-Type', 'text/html']], `page ${own}`)
    },
    { cache: { ttl: '1h', guard: true } },
  )
  const client = await cached.client('h2')
  const opened = await Promise.all([1, 2, 3].map(() => client.open({ path: '/account/x.css' })))
  await cached.upstream.received(1)
  gate.resolve()
  const bodies = await Promise.all(opened.map(async ({ response }) => String((await response.whole()).body)))
  t.strictSame(
    bodies.sort((a, b) => a.localeCompare(b)),
    ['page 1', 'page 2', 'page 3'],
  )
})
