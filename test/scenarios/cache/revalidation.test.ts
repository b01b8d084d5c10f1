import { test } from 'tap'
import { PATIENCE } from '../../helper.ts'
import { standstill } from '../../signal.ts'
import type { Field } from '../../wire.ts'
import { cachedBefore, status } from './cached.ts'

const SHORT: Field = ['Cache-Control', 'max-age=10']

void test("a client's condition is answered from what the origin confirms by the gateway's own", {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, [
    (exchange) => exchange.respond(200, [SHORT, ['ETag', '"1"']], 'body'),
    (exchange) => exchange.respond(304, [SHORT, ['ETag', '"1"'], ['X-New', 'yes']], ''),
  ])
  await cached.get('/x')
  cached.pass(20)
  const sent = cached.upstream.received(2)
  const answer = await cached.get('/x', [['If-None-Match', '"other"']])
  t.equal((await sent).get('if-none-match'), '"1"')
  t.strictSame([answer.status, String(answer.body), answer.get('x-new')], [200, 'body', 'yes'])
  t.match(status(answer), /^fwd=stale; fwd-status=304; ttl=10; stored/)
  const same = await cached.get('/x', [['If-None-Match', 'W/"1"']])
  t.strictSame([same.status, same.get('etag'), same.body.length], [304, '"1"', 0])
})

void test('a 304 about something else is followed by one plain request, never by more', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, [
    (exchange) => exchange.respond(200, [SHORT, ['ETag', '"1"']], 'old'),
    (exchange) => exchange.respond(304, [SHORT, ['ETag', '"2"']], ''),
    (exchange) => exchange.respond(200, [SHORT, ['ETag', '"2"']], 'new'),
  ])
  await cached.get('/x')
  cached.pass(20)
  t.equal(String((await cached.get('/x')).body), 'new')
  t.equal(cached.upstream.requests[2]?.get('if-none-match'), undefined)
  t.match(status(await cached.get('/x')), /^hit/)
  t.equal(cached.cache.flights, 0)
})

void test('an origin that says 304 whatever it is asked loops nobody', { timeout: PATIENCE }, async (t) => {
  let count = 0
  const cached = await cachedBefore(t, (exchange) =>
    ++count === 1
      ? exchange.respond(200, [SHORT, ['ETag', '"1"']], 'old')
      : exchange.respond(304, [SHORT, ['ETag', `"${count}"`]], ''),
  )
  t.equal((await cached.get('/unasked')).status, 200)
  cached.pass(20)
  t.equal((await cached.get('/unasked')).status, 304, 'as the origin says it')
  t.equal(cached.upstream.requests.length, 3)
  t.equal((await cached.get('/other')).status, 304)
  t.equal(cached.store.stats().entries, 0)
  t.equal(cached.cache.flights, 0)
})

void test('a 304 for what was purged meanwhile answers those who asked, and brings nothing back', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const cached = await cachedBefore(t, async (exchange) => {
    if (++count === 1 || exchange.request.get('if-none-match') === undefined) {
      return exchange.respond(200, [SHORT, ['ETag', '"1"']], `body ${count}`)
    }
    await gate.promise
    return exchange.respond(304, [SHORT, ['ETag', '"1"']], '')
  })
  await cached.get('/x')
  cached.pass(20)
  const asked = [cached.get('/x'), cached.get('/x')]
  await cached.upstream.received(2)
  await standstill(() => cached.upstream.requests.length)
  void cached.cache.purge({ kind: 'url', url: 'http://gateway.test/x' }, 'hard')
  gate.resolve()
  for (const answer of await Promise.all(asked)) {
    t.equal(String(answer.body), 'body 1')
    t.notMatch(status(answer), /stored/)
  }
  t.equal(cached.store.stats().entries, 0)
  t.equal(String((await cached.get('/x')).body), 'body 3')
})

void test('a 304 that forbids storing answers the one who asked; others get their own', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const cached = await cachedBefore(t, async (exchange) => {
    if (++count === 1) return exchange.respond(200, [SHORT, ['ETag', '"1"']], 'shared')
    if (count === 2) {
      await gate.promise
      return exchange.respond(
        304,
        [
          ['Cache-Control', 'private'],
          ['ETag', '"1"'],
          ['X-For', 'leader'],
        ],
        '',
      )
    }
    return exchange.respond(200, [['Cache-Control', 'private']], 'own')
  })
  await cached.get('/x')
  cached.pass(20)
  const leader = cached.get('/x')
  await cached.upstream.received(2)
  const follower = cached.get('/x')
  await standstill(() => cached.upstream.requests.length)
  gate.resolve()
  const answer = await leader
  t.strictSame([String(answer.body), answer.get('x-for'), answer.get('cache-control')], ['shared', 'leader', 'private'])
  t.strictSame([String((await follower).body), (await follower).get('x-for')], ['own', undefined])
  t.equal(cached.store.stats().entries, 0)
})

void test('no-cache is validated each time, and says how long it would have been fresh', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, (exchange) =>
    exchange.request.get('if-none-match') === undefined
      ? exchange.respond(
          200,
          [
            ['Cache-Control', 'no-cache, max-age=10'],
            ['ETag', '"1"'],
          ],
          'body',
        )
      : exchange.respond(304, [['ETag', '"1"']], ''),
  )
  await cached.get('/x')
  const answer = await cached.get('/x')
  t.equal(String(answer.body), 'body')
  t.match(status(answer), /fwd-status=304; ttl=10; stored/)
})

void test('a vary-miss asks about what other variants have', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, [
    (exchange) => exchange.respond(200, [SHORT, ['Vary', 'X-A'], ['ETag', '"1"']], 'body'),
    (exchange) => exchange.respond(304, [SHORT, ['Vary', 'X-A'], ['ETag', '"1"']], ''),
  ])
  await cached.get('/x', [['X-A', '1']])
  const answer = await cached.get('/x', [['X-A', '2']])
  t.equal(cached.upstream.requests[1]?.get('if-none-match'), '"1"')
  t.strictSame([answer.status, String(answer.body)], [200, 'body'])
  t.match(status(await cached.get('/x', [['X-A', '2']])), /^hit/)
})

void test("a HEAD's answer updates what is stored, without what was said to that client alone", {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, [
    (exchange) => exchange.respond(200, [SHORT, ['ETag', '"1"']], 'body'),
    (exchange) => exchange.respond(200, [SHORT, ['ETag', '"1"'], ['X-New', 'yes']], 'body'),
    (exchange) => exchange.respond(200, [SHORT, ['ETag', '"2"']], 'other'),
    (exchange) => exchange.respond(200, [SHORT, ['ETag', '"2"']], 'other'),
  ])
  await cached.get('/x')
  cached.pass(20)
  await cached.ask('HEAD', '/x')
  const answer = await cached.get('/x')
  t.match(status(answer), /^hit; ttl=10/)
  t.equal(answer.get('x-new'), 'yes')
  for (const name of ['x-request-id', 'cache-status']) {
    t.equal(answer.fields.filter((field) => field[0] === name).length, 1, name)
  }
  cached.pass(20)
  await cached.ask('HEAD', '/x')
  t.match(status(await cached.get('/x')), /^fwd=stale; fwd-status=200/, 'one that disagrees makes it stale')
})

void test('a 304 that says by what else the answer is chosen leaves nothing for those who would choose another', {
  timeout: PATIENCE,
}, async (t) => {
  const control: Field = ['Cache-Control', 'max-age=10, stale-while-revalidate=100']
  const vary: Field = ['Vary', 'Accept-Language']
  const cached = await cachedBefore(t, [
    (exchange) => exchange.respond(200, [control, ['ETag', '"de"']], 'deutsch'),
    (exchange) => exchange.respond(304, [control, ['ETag', '"de"'], vary], ''),
    (exchange) => exchange.respond(200, [control, ['ETag', '"fr"'], vary], 'français'),
  ])
  const ask = (language: string, fields: Field[] = []) => cached.get('/x', [['Accept-Language', language], ...fields])
  await ask('de')
  cached.pass(20)
  await ask('de', [['Cache-Control', 'max-age=0']])
  t.equal(String((await ask('fr')).body), 'français')
  t.match(status(await ask('de')), /^hit/)
  t.match(status(await ask('fr')), /^hit/)
})

void test('a HEAD that says by what else the answer is chosen leaves nothing for those who would choose another', {
  timeout: PATIENCE,
}, async (t) => {
  const vary: Field = ['Vary', 'Accept-Language']
  let varies = false
  const cached = await cachedBefore(t, (exchange) =>
    exchange.respond(200, varies ? [SHORT, vary] : [SHORT], exchange.request.get('accept-language') ?? 'none'),
  )
  const german: Field[] = [['Accept-Language', 'de']]
  await cached.get('/x', german)
  cached.pass(20)
  varies = true
  await cached.ask('HEAD', '/x', { fields: german })
  t.equal(String((await cached.get('/x', [['Accept-Language', 'fr']])).body), 'fr')
  await cached.get('/x', german)
  cached.pass(20)
  await cached.ask('HEAD', '/x', { fields: german })
  t.match(status(await cached.get('/x', german)), /^hit; ttl=10/, 'the same Vary changes nothing')
})

for (const [name, field] of [
  ['no-store', ['Cache-Control', 'no-store']],
  ['credentials', ['Authorization', 'Basic eA==']],
] as [string, Field][]) {
  void test(`a 304 to a client's ${name} leaves what is stored to the others`, { timeout: PATIENCE }, async (t) => {
    const cached = await cachedBefore(t, (exchange) =>
      exchange.request.get('if-none-match') === undefined
        ? exchange.respond(200, [SHORT, ['ETag', '"1"']], 'body')
        : exchange.respond(304, [SHORT, ['ETag', '"1"']], ''),
    )
    await cached.get('/x')
    cached.pass(20)
    const own = await cached.get('/x', [field])
    t.strictSame([own.status, String(own.body)], [200, 'body'])
    t.notMatch(status(own), /stored/)
    const next = await cached.get('/x')
    t.equal(String(next.body), 'body')
    t.match(status(next), /^fwd=stale; fwd-status=304; ttl=10; stored/, 'as stale as before')
  })
}

void test("a client's credentials or no-store on a HEAD change nothing that is stored", {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, (exchange) => exchange.respond(200, [SHORT, ['ETag', '"1"']], 'body'))
  await cached.get('/x')
  cached.pass(20)
  await cached.ask('HEAD', '/x', { fields: [['Authorization', 'Basic eA==']] })
  await cached.ask('HEAD', '/x', { fields: [['Cache-Control', 'no-store, no-cache']] })
  t.equal(cached.store.stats().entries, 1)
})

void test("a HEAD's answer does not lift a purge that came after its request", { timeout: PATIENCE }, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, [
    (exchange) => exchange.respond(200, [SHORT, ['ETag', '"1"']], 'body'),
    async (exchange) => {
      await gate.promise
      await exchange.send(`HTTP/1.1 200 OK\r\n${SHORT.join(': ')}\r\nETag: "1"\r\nContent-Length: 4\r\n\r\n`)
    },
    (exchange) => exchange.respond(304, [SHORT, ['ETag', '"1"']], ''),
  ])
  await cached.get('/x')
  const asked = cached.ask('HEAD', '/x', { fields: [['Cache-Control', 'no-cache']] })
  await cached.upstream.received(2)
  await cached.cache.purge({ kind: 'url', url: '/x' }, 'soft')
  gate.resolve()
  await asked
  t.match(status(await cached.get('/x')), /^fwd=stale; fwd-status=304/)
})

void test('a HEAD that says no shared cache may have it leaves nothing stored', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, (exchange) => {
    const control: Field = exchange.request.method === 'HEAD' ? ['Cache-Control', 'private'] : SHORT
    return exchange.respond(200, [control, ['ETag', '"1"']], 'body')
  })
  await cached.get('/x')
  await cached.ask('HEAD', '/x', { fields: [['Cache-Control', 'no-cache']] })
  t.equal(cached.store.stats().entries, 0)
})

void test('a HEAD of another length, and with no word of a validator, outdates what is stored', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, (exchange) =>
    exchange.respond(200, [SHORT], exchange.request.method === 'HEAD' ? 'longer' : 'body'),
  )
  await cached.get('/x')
  await cached.ask('HEAD', '/x', { fields: [['Cache-Control', 'no-cache']] })
  t.match(status(await cached.get('/x')), /^fwd=stale/)
})
