import { test } from 'tap'
import { PATIENCE } from '../../helper.ts'
import { standstill } from '../../signal.ts'
import type { Field } from '../../wire.ts'
import { FakeTier } from '../../services/cache/fake-tier.ts'
import { answering, cachedBefore, cachedBeside, status } from './cached.ts'

const FRESH: Field = ['Cache-Control', 'max-age=60']

void test('what a response says of the query holds for those that come later', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, (exchange) =>
    exchange.respond(200, [FRESH, ['No-Vary-Search', 'params=("utm"), key-order']], exchange.request.target),
  )
  await cached.get('/x?a=1&b=2&utm=1')
  for (const query of ['a=1&b=2', 'b=2&a=1', 'utm=2&b=2&a=1', 'a=%31&b=2']) {
    const answer = await cached.get(`/x?${query}`)
    t.strictSame([String(answer.body), status(answer).slice(0, 3)], ['/x?a=1&b=2&utm=1', 'hit'], query)
  }
  for (const query of ['a=2&b=2', 'a=1', 'a=1&b=2&c=3']) {
    t.equal(String((await cached.get(`/x?${query}`)).body), `/x?${query}`)
  }
  t.equal(String((await cached.get('/y?a=1&utm=1')).body), '/y?a=1&utm=1')
})

void test('one that says something else, or nothing, is found by what it says', { timeout: PATIENCE }, async (t) => {
  const says = new Map<string, string | undefined>([
    ['/x?a=1&b=1', 'params=("b")'],
    ['/x?a=2&b=1', undefined],
    ['/x?a=3&b=1', 'params=("a")'],
  ])
  const cached = await cachedBefore(t, (exchange) => {
    const { target } = exchange.request
    const said = says.get(target)
    return exchange.respond(200, said === undefined ? [FRESH] : [FRESH, ['No-Vary-Search', said]], target)
  })
  for (const target of says.keys()) t.equal(String((await cached.get(target)).body), target)
  t.equal(String((await cached.get('/x?a=2&b=2')).body), '/x?a=2&b=2')
  t.equal(String((await cached.get('/x?a=9&b=1')).body), '/x?a=3&b=1')
  t.equal(String((await cached.get('/x?a=2&b=1')).body), '/x?a=3&b=1', 'the last that speaks for it')
})

void test('those who wait by what was said before do not get what it is not said of', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const cached = await cachedBefore(t, async (exchange) => {
    if (++count === 1) return exchange.respond(200, [FRESH, ['No-Vary-Search', 'params=("b")']], 'first')
    await gate.promise
    return exchange.respond(200, [FRESH], exchange.request.target)
  })
  await cached.get('/x?b=0')
  cached.pass(100)
  const targets = ['/x?b=1', '/x?b=2', '/x?b=3']
  const asked = targets.map((target) => cached.get(target))
  await cached.upstream.received(2)
  await standstill(() => cached.upstream.requests.length)
  t.equal(cached.upstream.requests.length, 2, 'they wait')
  gate.resolve()
  t.strictSame(
    (await Promise.all(asked)).map(({ body }) => String(body)),
    targets,
  )
  for (const target of targets) t.match(status(await cached.get(target)), /^hit/)
  t.equal(cached.cache.flights, 0)
})

void test('those who wait and are covered get the one answer', { timeout: PATIENCE }, async (t) => {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const cached = await cachedBefore(t, async (exchange) => {
    if (++count > 1) await gate.promise
    return exchange.respond(200, [FRESH, ['No-Vary-Search', 'params']], `answer ${count}`)
  })
  await cached.get('/x?b=0')
  cached.pass(100)
  const asked = ['/x?b=1', '/x?c=2', '/x'].map((target) => cached.get(target))
  await cached.upstream.received(2)
  await standstill(() => cached.upstream.requests.length)
  gate.resolve()
  t.strictSame(
    (await Promise.all(asked)).map(({ body }) => String(body)),
    ['answer 2', 'answer 2', 'answer 2'],
  )
})

void test('a mutation of any of the equal URLs invalidates what is stored for them', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, (exchange) =>
    exchange.respond(200, [FRESH, ['No-Vary-Search', 'params=("utm")']], 'x'),
  )
  await cached.get('/x?a=1&utm=1')
  await cached.ask('PUT', '/x?utm=5&a=1')
  t.equal(cached.store.stats().entries, 0)
})

for (const [said, asked, other] of [
  ['params', '/x?a=1&s=2', '/x?b=1'],
  ['params=("s")', '/x?a=1&s=2', '/x?s=3&a=1'],
  ['params=("s")', '/x?a=a%20b', '/x?a=a+b&s=1'],
  ['key-order', '/x?b=1&a=2', '/x?a=2&b=1'],
] as const) {
  void test(`${said}: what was stored for ${asked} is found and purged by it`, { timeout: PATIENCE }, async (t) => {
    const cached = await cachedBefore(t, (exchange) =>
      exchange.respond(200, [FRESH, ['No-Vary-Search', said]], exchange.request.target),
    )
    await cached.get('/y?a=1')
    for (const target of [asked, other]) {
      for (const url of [target, `http://gateway.test:80${target}`]) {
        t.match(status(await cached.get(asked)), /^fwd=uri-miss/)
        t.equal(cached.cache.find(url).length, 1, url)
        t.equal(await cached.cache.purge({ kind: 'url', url }, 'soft'), 1, url)
        t.equal(await cached.cache.purge({ kind: 'url', url }, 'hard'), 1, url)
      }
    }
    await cached.get(asked)
    t.equal(cached.cache.find('/x?c=5').length, said === 'params' ? 1 : 0, 'what answers it, no more')
    t.match(status(await cached.get('/y?a=1')), /^hit/)
  })
}

void test('what it says of the query is no matter for the count of a purge', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, (exchange) => exchange.respond(200, [FRESH, ['No-Vary-Search', 'params']], 'x'))
  await cached.get('/x')
  t.equal(await cached.cache.purge({ kind: 'url', url: '/x' }, 'soft'), 1)
  t.equal(await cached.cache.purge({ kind: 'url', url: '/x' }, 'hard'), 1)
})

void test('a purge and a mutation where nobody knows what answers say of the query', {
  timeout: PATIENCE,
}, async (t) => {
  const made: { tier?: FakeTier } = {}
  const tier = (now: () => number): FakeTier => (made.tier ??= new FakeTier(now))
  const one = await cachedBefore(
    t,
    answering(({ request: { method } }) => (method === 'GET' ? [FRESH, ['No-Vary-Search', 'params=("s")']] : [])),
    { tier },
  )
  const other = await cachedBeside(t, one, { tier })
  other.cache.announce = (selectors) => one.cache.heard(selectors)
  const target = '/x?q=1&s=5'
  await one.get(target)
  await other.ask('POST', target, { body: '1' })
  t.match(status(await one.get(target)), /^fwd=uri-miss/)
  t.match(status(await one.get(target)), /^hit/)
  await other.cache.purge({ kind: 'url', url: target }, 'hard')
  one.store.invalidate({ kind: 'all' }, 'hard')
  t.match(status(await one.get(target)), /^fwd=uri-miss/, 'nor has the second tier it any more')
})

void test('a purge of what was asked for keeps out what is stored by less of the query', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(t, async (exchange) => {
    await gate.promise
    await exchange.respond(200, [FRESH, ['No-Vary-Search', 'params=("s")']], 'x')
  })
  const asked = cached.get('/x?s=1')
  await cached.upstream.received(1)
  await cached.cache.purge({ kind: 'prefix', prefix: '/x?s=' }, 'hard')
  gate.resolve()
  await asked
  t.equal(cached.store.stats().entries, 0)
})
