import { test, type Test } from 'tap'
import { everyProtocol, PATIENCE } from '../../helper.ts'
import type { Script } from '../../upstream-server.ts'
import type { Field } from '../../wire.ts'
import { FakeTier } from '../../services/cache/fake-tier.ts'
import { type Cached, cachedBefore, cachedBeside, type CachedOptions, status } from './cached.ts'
import { until } from '../../until.ts'

/** What one process has stored answers the clients of another, through the second tier; with memory and without. */

const FRESH: Field = ['Cache-Control', 'max-age=60']
const MEMORIES = [
  { what: 'with memory', store: {} },
  { what: 'without memory', store: { maxEntries: 0 } },
]

interface Two {
  one: Cached
  other: Cached
  tier: FakeTier
  /** Requests that reached the origin since the last look. */
  asked(): string[]
}

/** Two processes before one upstream. */
async function two(t: Test, script: Script, options: CachedOptions = {}): Promise<Two> {
  const made: { tier?: FakeTier } = {}
  const shared = { ...options, tier: (now: () => number) => (made.tier ??= new FakeTier(now)) }
  const one = await cachedBefore(t, script, shared)
  const other = await cachedBeside(t, one, shared)
  let seen = 0
  return {
    one,
    other,
    tier: made.tier as FakeTier,
    asked: () => {
      const since = one.upstream.requests.slice(seen)
      seen = one.upstream.requests.length
      return since.map(({ method, target }) => `${method} ${target}`)
    },
  }
}

for (const { what, store } of MEMORIES) {
  const options = { timeout: PATIENCE }

  void test(`${what}: what one process has stored another answers with`, options, async (t) => {
    const { one, other, tier, asked } = await two(
      t,
      (exchange) => exchange.respond(200, [FRESH, ['ETag', '"1"']], 'a body'),
      { store },
    )
    t.equal(status(await one.get('/a')), 'fwd=uri-miss; fwd-status=200; ttl=60; stored')
    one.pass(20)
    asked()
    const hit = await other.get('/a')
    t.match([status(hit), hit.get('age'), String(hit.body)], ['hit; ttl=40', '20', 'a body'])
    for (const [how, answer] of [
      ['HEAD', await other.ask('HEAD', '/a')],
      ['only-if-cached', await other.get('/a', [['Cache-Control', 'only-if-cached']])],
      ['If-None-Match', await other.get('/a', [['If-None-Match', '"1"']])],
      ['Range', await other.get('/a', [['Range', 'bytes=2-3']])],
    ] as const) {
      t.equal(status(answer), 'hit; ttl=40', how)
    }
    t.same(asked(), [])
    t.equal(tier.reads.length, store.maxEntries === 0 ? 6 : 2, 'memory is asked first')
    t.equal((await other.get('/b', [['Cache-Control', 'only-if-cached']])).status, 504)
  })

  everyProtocol(`${what}: of something large, the whole and its parts`, async (t, protocol) => {
    const text = '0123456789abcdef'.repeat(2500)
    const { one, other, asked } = await two(t, (exchange) => exchange.respond(200, [FRESH, ['ETag', '"1"']], text), {
      store,
    })
    await (await one.client(protocol)).request({ path: '/a' })
    asked()
    const client = await other.client(protocol)
    for (const [from, to] of [
      [0, 9],
      [9000, 9099],
      [1, 39_998],
    ] as const) {
      const answer = await client.request({ path: '/a', fields: [['Range', `bytes=${from}-${to}`]] })
      t.strictSame([answer.status, String(answer.body)], [206, text.slice(from, to + 1)])
    }
    const several = await client.request({ path: '/a', fields: [['Range', 'bytes=0-1,20007-20008']] })
    t.match(String(several.body), `\r\n\r\n${text.slice(0, 2)}\r\n`)
    t.match(String(several.body), `\r\n\r\n${text.slice(20_007, 20_009)}\r\n`)
    t.equal(String((await client.request({ path: '/a' })).body), text)
    t.same(asked(), [])
  })

  void test(`${what}: each look is for what is not here, variants too`, options, async (t) => {
    const { one, other, asked } = await two(
      t,
      (exchange) => exchange.respond(200, [FRESH, ['Vary', 'X-Kind']], String(exchange.request.get('x-kind'))),
      { store },
    )
    await one.get('/a', [['X-Kind', 'a']])
    await other.get('/a', [['X-Kind', 'b']])
    asked()
    for (const kind of ['a', 'b']) {
      for (const process of [one, other]) {
        const answer = await process.get('/a', [['X-Kind', kind]])
        t.strictSame([status(answer), String(answer.body)], ['hit; ttl=60', kind])
      }
    }
    t.same(asked(), [])
  })

  void test(`${what}: what another process has had validated is not validated again`, options, async (t) => {
    const { one, other, asked } = await two(
      t,
      (exchange) =>
        exchange.request.get('if-none-match') === undefined
          ? exchange.respond(200, [FRESH, ['ETag', '"1"']], 'a')
          : exchange.respond(304, [FRESH, ['ETag', '"1"']]),
      { store },
    )
    await one.get('/a')
    await other.get('/a')
    one.pass(61)
    asked()
    t.match(status(await one.get('/a')), /^fwd=stale; fwd-status=304; ttl=60; stored$/)
    t.equal(status(await other.get('/a', [['Cache-Control', 'only-if-cached']])), 'hit; ttl=60')
    t.equal(status(await other.get('/a')), 'hit; ttl=60')
    t.same(asked(), ['GET /a'])
  })

  void test(`${what}: what a 304 makes private is in no tier any more`, options, async (t) => {
    const { one, tier } = await two(
      t,
      (exchange) =>
        exchange.request.get('if-none-match') === undefined
          ? exchange.respond(200, [FRESH, ['ETag', '"1"']], 'a')
          : exchange.respond(304, [
              ['Cache-Control', 'private'],
              ['ETag', '"1"'],
            ]),
      { store },
    )
    await one.get('/a')
    one.pass(61)
    t.equal(String((await one.get('/a')).body), 'a')
    t.same(tier.stored(tier.reads[0]!), [])
  })

  void test(`${what}: a refresh behind the clients' backs happens once for all processes`, options, async (t) => {
    let count = 0
    const control: Field = ['Cache-Control', 'max-age=60, stale-while-revalidate=600']
    const { one, other, tier, asked } = await two(t, (exchange) => exchange.respond(200, [control], `${++count}`), {
      store,
    })
    await one.get('/a')
    await other.get('/a')
    one.pass(61)
    asked()
    t.equal(status(await one.get('/a')), 'hit; ttl=-1')
    await until(() => tier.stored(tier.reads[0]!)[0]?.body === '2')
    t.same(asked(), ['GET /a'])
    // Its own is stale, in memory; where there is none it finds the new one.
    await other.get('/a')
    await until(async () => status(await other.get('/a')) === 'hit; ttl=60')
    t.equal(String((await other.get('/a')).body), '2')
    t.same(asked(), [])
  })

  void test(`${what}: parts are there for others, and combined by them`, options, async (t) => {
    const { one, other, asked } = await two(
      t,
      (exchange) => {
        const [, from, to] = /bytes=(\d+)-(\d+)/.exec(exchange.request.get('range') ?? '') ?? []
        const range = `bytes ${from}-${to}/10`
        const fields: Field[] = [FRESH, ['ETag', '"1"'], ['Content-Range', range]]
        return exchange.respond(206, fields, '0123456789'.slice(Number(from), Number(to) + 1))
      },
      { store },
    )
    const part = async (process: Cached, range: string) => {
      const answer = await process.get('/a', [['Range', `bytes=${range}`]])
      return [status(answer).split(';')[0], String(answer.body)]
    }
    t.strictSame(await part(one, '0-4'), ['fwd=uri-miss', '01234'])
    t.strictSame(await part(other, '1-3'), ['hit', '123'])
    t.strictSame(await part(other, '5-9'), ['fwd=partial', '56789'])
    asked()
    const whole = await one.get('/a')
    t.strictSame([status(whole), whole.status, String(whole.body)], ['hit; ttl=60', 200, '0123456789'])
    t.same(asked(), [])
  })

  void test(`${what}: what a HEAD says of it is known to others`, options, async (t) => {
    let tag = '"1"'
    const { one, other, asked } = await two(
      t,
      (exchange) => exchange.respond(200, [FRESH, ['ETag', tag], ['X-At', `${one.now()}`]], 'a'),
      { store },
    )
    await one.get('/a')
    one.pass(61)
    await one.ask('HEAD', '/a')
    asked()
    t.equal(status(await other.get('/a')), 'hit; ttl=60')
    t.same(asked(), [])
    one.pass(61)
    tag = '"2"'
    await one.ask('HEAD', '/a')
    t.match(status(await other.get('/a')), /^fwd=stale; fwd-status=200/)
  })

  void test(`${what}: a QUERY too`, options, async (t) => {
    const { one, other } = await two(t, (exchange) => exchange.respond(200, [FRESH], exchange.request.method), {
      store,
    })
    await one.ask('QUERY', '/a', { body: 'x' })
    t.equal(status(await other.ask('QUERY', '/a', { body: 'x' })), 'hit; ttl=60')
    t.match(status(await other.ask('QUERY', '/a', { body: 'y' })), /^fwd=uri-miss/)
  })

  void test(`${what}: many who ask at once are answered with one look, or with one request`, options, async (t) => {
    const { one, other, tier, asked } = await two(t, (exchange) => exchange.respond(200, [FRESH], 'a'), { store })
    await one.get('/a')
    asked()
    const release = tier.hold()
    tier.reads.length = 0
    const client = await other.client('h2c')
    const paths = Array.from({ length: 42 }, (_, i) => (i % 2 === 0 ? '/a' : '/b'))
    const all = Promise.all(paths.map((path) => client.request({ method: 'GET', path, fields: [] })))
    await until(() => tier.reads.length === 2)
    release()
    const answers = (await all).map(status)
    t.equal(answers.filter((each) => each === 'hit; ttl=60').length, 21)
    t.equal(answers.filter((each) => each.endsWith('; collapsed')).length, 20)
    t.same(asked(), ['GET /b'])
    t.same(
      tier.reads.toSorted().map((key) => key.slice(-1)),
      ['a', 'b'],
    )
  })

  void test(`${what}: a purge that comes while somebody looks holds`, options, async (t) => {
    const { one, other, tier } = await two(t, (exchange) => exchange.respond(200, [FRESH], 'a'), { store })
    await one.get('/a')
    const release = tier.hold()
    const asked = other.get('/a')
    await until(() => tier.reads.length === 2)
    other.purges.record({ kind: 'url', url: '/a' })
    release()
    t.match(status(await asked), /^fwd=uri-miss/)
  })

  void test(`${what}: a client that leaves while it is looked for is booked, and asks nobody`, options, async (t) => {
    const { other, tier, asked } = await two(t, (exchange) => exchange.respond(200, [FRESH], 'a'), { store })
    const release = tier.hold()
    const raw = await other.raw()
    await raw.send('GET /a HTTP/1.1\r\nHost: a.test\r\n\r\n')
    await until(() => tier.reads.length === 1)
    raw.socket.destroy()
    await other.over(1)
    t.match(other.finished, [{ status: 499, code: 'CLIENT_ABORT' }])
    release()
    await other.get('/b')
    t.same(asked(), ['GET /b'])
  })
}

void test('what nobody shares is not looked for', { timeout: PATIENCE }, async (t) => {
  const { one, tier } = await two(t, (exchange) => exchange.respond(200, [['Cache-Control', 'private']], 'a'))
  await one.get('/a')
  await one.get('/a')
  await one.get('/b', [['Cache-Control', 'no-store']])
  t.equal(tier.reads.length, 1)
})

void test('without any tier nothing is stored, and many at once are still one request', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(
    t,
    async (exchange) => {
      await gate.promise
      await exchange.respond(200, [FRESH], 'a')
    },
    { store: { maxEntries: 0 } },
  )
  const client = await cached.client('h2')
  const all = Promise.all(Array.from({ length: 20 }, () => client.request({ method: 'GET', path: '/a', fields: [] })))
  await until(() => cached.cache.flights === 1)
  gate.resolve()
  const answers = (await all).map(status)
  t.equal(answers.filter((each) => each === 'fwd=uri-miss; fwd-status=200; ttl=60').length, 1)
  t.equal(answers.filter((each) => each.endsWith('; collapsed')).length, 19)
  t.equal(cached.upstream.requests.length, 1)
  await cached.get('/a')
  t.equal(cached.upstream.requests.length, 2)
})
