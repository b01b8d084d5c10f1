import { test } from 'tap'
import { isProblem, PATIENCE } from '../../helper.ts'
import { standstill } from '../../signal.ts'
import type { Field } from '../../wire.ts'
import { type Cached, cachedBefore, type CachedOptions, status } from './cached.ts'
import type { Test } from 'tap'

const FRESH: Field = ['Cache-Control', 'max-age=60']
const JSON_TYPE: Field = ['Content-Type', 'application/json']

/** An origin that says what it was asked. */
const echoing = (t: Test, options: CachedOptions = {}): Promise<Cached> =>
  cachedBefore(
    t,
    async (exchange) => {
      const body = String(await exchange.body())
      await exchange.respond(200, [FRESH, ['ETag', '"1"']], `${exchange.request.method} ${body.slice(0, 20)}`)
    },
    options,
  )

void test('a QUERY is cached by its content and what describes it (RFC 10008)', { timeout: PATIENCE }, async (t) => {
  const cached = await echoing(t)
  const ask = (body: string, fields: Field[] = [JSON_TYPE]) => cached.ask('QUERY', '/x', { body, fields })
  const miss = await ask('{"a":1}')
  t.strictSame([String(miss.body), status(miss)], ['QUERY {"a":1}', 'fwd=uri-miss; fwd-status=200; ttl=60; stored'])
  t.equal(cached.upstream.requests[0]?.get('content-length'), '7')
  const hit = await ask('{"a":1}')
  t.strictSame([String(hit.body), status(hit)], ['QUERY {"a":1}', 'hit; ttl=60'])
  for (const [body, fields] of [
    ['{"a":2}', [JSON_TYPE]],
    ['{"a":1}', [['Content-Type', 'text/plain']]],
    ['{"a":1}', [JSON_TYPE, ['Content-Encoding', 'gzip']]],
    ['{"a":1}', []],
  ] as [string, Field[]][]) {
    t.match(status(await ask(body, fields)), /^fwd=uri-miss/, `${body} ${String(fields)}`)
  }
  t.match(status(await cached.get('/x')), /^fwd=uri-miss/, 'a GET has nothing to do with it')
  const conditional = await ask('{"a":1}', [JSON_TYPE, ['If-None-Match', '"1"']])
  t.equal(conditional.status, 304)
})

void test('equal QUERYs at once are one request; a purge of the URL covers them', { timeout: PATIENCE }, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, async (exchange) => {
    await gate.promise
    await exchange.respond(200, [FRESH], String(await exchange.body()))
  })
  const asked = Array.from({ length: 20 }, (_, i) =>
    cached.ask('QUERY', '/x', { body: `q${i % 2}`, fields: [JSON_TYPE] }),
  )
  await cached.upstream.received(2)
  await standstill(() => cached.upstream.requests.length)
  gate.resolve()
  t.strictSame(
    (await Promise.all(asked)).map(({ body }) => String(body)),
    Array.from({ length: 20 }, (_, i) => `q${i % 2}`),
  )
  t.equal(cached.upstream.requests.length, 2)
  t.equal(await cached.cache.purge({ kind: 'url', url: 'http://gateway.test/x' }, 'hard'), 2)
})

void test('a stale QUERY is refreshed with its content', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, async (exchange) => {
    const body = String(await exchange.body())
    await exchange.respond(
      200,
      [['Cache-Control', 'max-age=1, stale-while-revalidate=60']],
      `${body} ${cached.upstream.requests.length}`,
    )
  })
  const ask = () => cached.ask('QUERY', '/x', { body: 'q', fields: [JSON_TYPE] })
  await ask()
  cached.pass(10)
  t.equal(String((await ask()).body), 'q 1')
  await cached.upstream.received(2)
  await standstill(() => cached.cache.flights)
  t.equal(String((await ask()).body), 'q 2')
})

void test('content that is large, or of unknown length, is passed on as it comes', { timeout: PATIENCE }, async (t) => {
  const cached = await echoing(t)
  const large = 'x'.repeat(65_537)
  for (let i = 0; i < 2; i++) {
    t.equal(status(await cached.ask('QUERY', '/x', { body: large, fields: [JSON_TYPE] })), 'fwd=method')
    const raw = await cached.raw()
    const chunked = await raw.exchange(
      'QUERY /x HTTP/1.1\r\nHost: gateway.test\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    )
    t.strictSame([String(chunked.body), status(chunked)], ['QUERY abc', 'fwd=method'])
  }
  t.equal(cached.upstream.requests[0]?.body.length, 65_537)
  t.equal(cached.store.stats().entries, 0)
})

void test('QUERY can be left out, and 100 Continue is said before its content is read', {
  timeout: PATIENCE,
}, async (t) => {
  const without = await echoing(t, { cache: { methods: [] } })
  for (let i = 0; i < 2; i++) t.equal(status(await without.ask('QUERY', '/x', { body: 'q' })), 'fwd=method')
  const cached = await echoing(t)
  const raw = await cached.raw()
  const incoming = raw.expect('QUERY')
  const interim = incoming.interim()
  await raw.send('QUERY /x HTTP/1.1\r\nHost: gateway.test\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n')
  t.equal((await interim).status, 100)
  await raw.send('q')
  t.equal(String((await incoming.whole()).body), 'QUERY q')
})

void test('content that breaks off, or is shorter than it says, is one problem and no lookup', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await echoing(t)
  const h2 = await cached.client('h2c')
  const lying = await h2
    .request({ method: 'QUERY', path: '/x', body: 'short', fields: [['content-length', '10']] })
    .catch(() => undefined)
  if (lying !== undefined) isProblem(t, lying, 400)
  const exchange = await (await cached.client()).open({
    method: 'QUERY',
    path: '/x',
    streamBody: true,
    fields: [['Content-Length', '10']],
  })
  await exchange.write('short')
  exchange.abort()
  await cached.over(1)
  t.equal(cached.finished.at(-1)?.code, 'CLIENT_ABORT')
  t.equal(cached.upstream.requests.length, 0)
  t.equal(String((await cached.ask('QUERY', '/x', { body: 'q' })).body), 'QUERY q')
})

void test('the answer to a POST that names its own URI is stored for GET where the route says so', {
  timeout: PATIENCE,
}, async (t) => {
  const answer = (location: string | undefined, control = 'max-age=60'): Field[] => {
    const fields: Field[] = [['Cache-Control', control]]
    return location === undefined ? fields : [...fields, ['Content-Location', location]]
  }
  const rows: [name: string, fields: Field[], options: CachedOptions, stored: boolean][] = [
    ['its own', answer('/x'), { cache: { methods: ['POST'] } }, true],
    ['its own, absolute', answer('http://gateway.test/x'), { cache: { methods: ['POST'] } }, true],
    ['another', answer('/y'), { cache: { methods: ['POST'] } }, false],
    ['none', answer(undefined), { cache: { methods: ['POST'] } }, false],
    ['private', answer('/x', 'private, max-age=60'), { cache: { methods: ['POST'] } }, false],
    ['without the option', answer('/x'), {}, false],
  ]
  for (const [name, fields, options, stored] of rows) {
    const cached = await cachedBefore(
      t,
      (exchange) => exchange.respond(200, fields, `to ${exchange.request.method}`),
      options,
    )
    await cached.get('/x')
    const posted = await cached.ask('POST', '/x', { body: 'new' })
    t.equal(String(posted.body), 'to POST')
    const got = await cached.get('/x')
    t.strictSame([String(got.body), status(got).startsWith('hit')], [stored ? 'to POST' : 'to GET', stored], name)
    if (stored) t.equal(got.fields.filter(([field]) => field === 'x-request-id' || field === 'cache-status').length, 2)
  }
})

void test('the answer to a POST that ends with its connection is not stored: it may have broken off', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(
    t,
    async (exchange) => {
      if (exchange.request.method === 'GET') return exchange.respond(200, [FRESH], 'whole')
      await exchange.body()
      await exchange.send('HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Location: /x\r\n\r\nhal')
      exchange.fin()
    },
    { cache: { methods: ['POST'] } },
  )
  t.equal(String((await cached.ask('POST', '/x', { body: 'new' })).body), 'hal')
  t.equal(String((await cached.get('/x')).body), 'whole')
})

void test('a purge while a POST is answered keeps its answer out', { timeout: PATIENCE }, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(
    t,
    async (exchange) => {
      if (exchange.request.method === 'POST') await gate.promise
      await exchange.respond(200, [FRESH, ['Content-Location', '/x']], exchange.request.method)
    },
    { cache: { methods: ['POST'] } },
  )
  const posted = cached.ask('POST', '/x', { body: 'new' })
  await cached.upstream.received(1)
  void cached.cache.purge({ kind: 'all' }, 'hard')
  gate.resolve()
  await posted
  t.equal(String((await cached.get('/x')).body), 'GET')
})

void test('an answer to a POST that grows too large, or is purged while it comes, is not stored', {
  timeout: PATIENCE,
}, async (t) => {
  const more = Promise.withResolvers<void>()
  const head = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\nContent-Location: '
  const cached = await cachedBefore(
    t,
    async (exchange) => {
      const { method, target } = exchange.request
      if (method === 'GET') return exchange.respond(200, [FRESH], 'whole')
      await exchange.body()
      await exchange.send(`${head}${target}\r\n\r\n`)
      await exchange.chunk(target === '/large' ? 'a'.repeat(101) : 'part')
      if (target === '/purged') await more.promise
      await exchange.lastChunk()
    },
    { cache: { methods: ['POST'], maxEntryBytes: '100B' } },
  )
  await cached.ask('POST', '/large', { body: 'x' })
  t.equal(String((await cached.get('/large')).body), 'whole')
  const { response } = await (await cached.client()).open({ method: 'POST', path: '/purged', body: 'x' })
  await response.chunk()
  await cached.cache.purge({ kind: 'all' }, 'hard')
  more.resolve()
  await response.whole()
  t.equal(String((await cached.get('/purged')).body), 'whole')
})

void test('an answer to a POST is stored up to the largest size, and neither a part nor what only one client is known by', {
  timeout: PATIENCE,
}, async (t) => {
  const answers: Record<string, [number, Field[], string]> = {
    '/most': [200, [], 'a'.repeat(100)],
    '/more': [200, [], 'a'.repeat(101)],
    '/part': [206, [['Content-Range', 'bytes 0-3/10']], 'part'],
    '/vary': [200, [['Vary', 'X-Forwarded-For']], 'mine'],
  }
  const cached = await cachedBefore(
    t,
    async (exchange) => {
      const { method, target } = exchange.request
      if (method === 'GET') return exchange.respond(200, [FRESH], 'GET')
      await exchange.body()
      const [code, fields, body] = answers[target]!
      return exchange.respond(code, [FRESH, ['Content-Location', target], ...fields], body)
    },
    { cache: { methods: ['POST'], maxEntryBytes: '100B' } },
  )
  for (const target of Object.keys(answers)) await cached.ask('POST', target, { body: 'x' })
  t.equal(cached.store.stats().entries, 1)
  for (const target of Object.keys(answers)) {
    t.equal(String((await cached.get(target)).body), target === '/most' ? 'a'.repeat(100) : 'GET', target)
  }
})
