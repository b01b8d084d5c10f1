import { type Test, test } from 'tap'
import { PATIENCE, TIMEOUTS } from '../../helper.ts'
import { standstill } from '../../signal.ts'
import { passUntil, SHORT } from '../../standing-clock.ts'
import type { UpstreamExchange } from '../../upstream-exchange.ts'
import type { Field } from '../../wire.ts'
import { cachedBefore, status } from './cached.ts'

const SWR: Field = ['Cache-Control', 'max-age=10, stale-while-revalidate=60']
const ETAG: Field = ['ETag', '"1"']

/** First an answer that can be stored, then plays. */
const then = (fields: Field[], ...plays: ((exchange: UpstreamExchange) => unknown)[]) => [
  (exchange: UpstreamExchange) => exchange.respond(200, fields, 'first'),
  ...plays,
]

void test('many who find it stale are answered at once, and one request refreshes it', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  const cached = await cachedBefore(
    t,
    then([SWR], async (exchange) => {
      await gate.promise
      await exchange.respond(200, [SWR], 'second')
    }),
  )
  await cached.get('/x')
  cached.pass(15)
  const answers = await Promise.all(Array.from({ length: 50 }, () => cached.get('/x')))
  t.ok(answers.every((answer) => String(answer.body) === 'first' && status(answer) === 'hit; ttl=-5'))
  t.equal(answers[0]?.get('age'), '15')
  await cached.upstream.received(2)
  gate.resolve()
  await standstill(() => cached.cache.flights)
  const fresh = await cached.get('/x')
  t.strictSame([String(fresh.body), status(fresh)], ['second', 'hit; ttl=10'])
  t.equal(cached.upstream.requests.length, 2)
})

const REFRESHES: [name: string, play: (exchange: UpstreamExchange) => unknown, next: string][] = [
  ['304', (exchange) => exchange.respond(304, [SWR, ETAG], ''), 'first hit; ttl=10'],
  ['200', (exchange) => exchange.respond(200, [SWR], 'second'), 'second hit; ttl=10'],
  ['500', (exchange) => exchange.respond(500, [], 'error'), 'first hit; ttl=-5'],
  ['no HTTP at all', (exchange) => exchange.garbage(), 'first hit; ttl=-5'],
  ['private', (exchange) => exchange.respond(200, [['Cache-Control', 'private']], 'mine'), 'third fwd=uri-miss'],
  ['no-store', (exchange) => exchange.respond(200, [['Cache-Control', 'no-store']], 'secret'), 'third fwd=uri-miss'],
  [
    '304 with private',
    (exchange) => exchange.respond(304, [['Cache-Control', 'private'], ETAG], ''),
    'third fwd=uri-miss',
  ],
  ['403', (exchange) => exchange.respond(403, [], 'no'), 'first hit; ttl=-5'],
  ['404', (exchange) => exchange.respond(404, [], 'gone'), 'third fwd=uri-miss'],
]

const REMEMBERED = ['private', 'no-store', '304 with private', '404']

for (const [name, play, next] of REFRESHES) {
  void test(`a refresh that brings ${name}`, { timeout: PATIENCE }, async (t) => {
    const later = (exchange: UpstreamExchange) => exchange.respond(200, [['Cache-Control', 'no-store']], 'third')
    const cached = await cachedBefore(t, then([SWR, ETAG], play, later))
    await cached.get('/x')
    cached.pass(15)
    t.equal(String((await cached.get('/x')).body), 'first')
    const sent = await cached.upstream.received(2)
    t.equal(sent.get('if-none-match'), '"1"')
    await standstill(() => cached.cache.flights)
    t.equal(cached.cache.flights, 0)
    t.equal(cached.passes.size, REMEMBERED.includes(name) ? 1 : 0, 'remembered as not shareable')
    const answer = await cached.get('/x')
    t.match(`${String(answer.body)} ${status(answer)}`, next)
  })
}

void test('stale-while-revalidate ends', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(
    t,
    then([SWR], (exchange) => exchange.respond(200, [SWR], 'second')),
  )
  await cached.get('/x')
  cached.pass(71)
  const answer = await cached.get('/x')
  t.strictSame([String(answer.body), status(answer)], ['second', 'fwd=stale; fwd-status=200; ttl=10; stored'])
})

const SIE: Field = ['Cache-Control', 'max-age=10, stale-if-error=60']
const MUST: Field = ['Cache-Control', 'max-age=10, stale-if-error=60, must-revalidate']

interface Failure {
  name: string
  stored: Field
  play: (exchange: UpstreamExchange) => unknown
  after: number
  /** What the client gets: the stored answer, or a status. */
  gets: 'first' | number
}

const FAILURES: Failure[] = [
  ...[500, 502, 503, 504].flatMap((code): Failure[] => {
    const play = (exchange: UpstreamExchange) => exchange.respond(code, [], 'error')
    return [
      { name: `${code}`, stored: SIE, play, after: 15, gets: 'first' },
      { name: `${code} too late`, stored: SIE, play, after: 71, gets: code },
      { name: `${code} with must-revalidate`, stored: MUST, play, after: 15, gets: code },
    ]
  }),
  { name: '501', stored: SIE, play: (exchange) => exchange.respond(501, [], ''), after: 15, gets: 501 },
  { name: '404', stored: SIE, play: (exchange) => exchange.respond(404, [], ''), after: 15, gets: 404 },
  { name: 'a reset', stored: SIE, play: (exchange) => exchange.reset(), after: 15, gets: 'first' },
  { name: 'a reset too late', stored: SIE, play: (exchange) => exchange.reset(), after: 71, gets: 502 },
  { name: 'a reset with must-revalidate', stored: MUST, play: (exchange) => exchange.reset(), after: 15, gets: 502 },
  { name: 'garbage', stored: SIE, play: (exchange) => exchange.garbage(), after: 15, gets: 'first' },
  { name: 'silence', stored: SIE, play: (exchange) => exchange.stall(), after: 15, gets: 'first' },
  {
    name: 'a reset without a word on stale',
    stored: ['Cache-Control', 'max-age=10'],
    play: (exchange) => exchange.reset(),
    after: 1000,
    gets: 'first',
  },
  {
    name: '500 without a word on stale',
    stored: ['Cache-Control', 'max-age=10'],
    play: (exchange) => exchange.respond(500, [], ''),
    after: 15,
    gets: 500,
  },
]

for (const { name, stored, play, after, gets } of FAILURES) {
  const about = async (t: Test, method: string): Promise<void> => {
    const timeout = { ...TIMEOUTS, firstByte: SHORT }
    const cached = await cachedBefore(t, then([stored, ETAG], play, play), { to: { timeout } })
    await cached.get('/x')
    cached.pass(after)
    const asked = cached.ask(method, '/x')
    const answer = await (name === 'silence' ? passUntil(asked) : asked)
    if (gets === 'first') {
      t.strictSame([answer.status, String(answer.body)], [200, method === 'HEAD' ? '' : 'first'])
      t.match(status(answer), new RegExp(`^fwd=stale.*ttl=${10 - after}`))
      t.equal(cached.finished[1]?.cacheResult, 'stale')
    } else t.equal(answer.status, gets)
    t.equal(cached.cache.flights, 0)
  }
  for (const method of ['GET', 'HEAD']) {
    void test(`${method} of what is stored and stale, and ${name} from the origin`, { timeout: PATIENCE }, (t) =>
      about(t, method),
    )
  }
}

void test('a soft purge leaves it to be served while it is refreshed, or to be validated', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, async (exchange) => {
    if (exchange.request.get('if-none-match') !== undefined) return exchange.respond(304, [ETAG], '')
    const swr = exchange.request.target === '/swr'
    return exchange.respond(200, [swr ? SWR : ['Cache-Control', 'max-age=10'], ETAG], 'body')
  })
  for (const path of ['/swr', '/plain']) await cached.get(path)
  t.equal(await cached.cache.purge({ kind: 'all' }, 'soft'), 2)
  cached.pass(1)
  t.match(status(await cached.get('/swr')), /^hit; ttl=-1/)
  t.match(status(await cached.get('/plain')), /^fwd=stale; fwd-status=304; ttl=10; stored/)
  await standstill(() => cached.cache.flights)
  t.match(status(await cached.get('/swr')), /^hit; ttl=10/)
})

void test('what a HEAD finds stale is refreshed for all', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(
    t,
    then([SWR, ETAG], (exchange) => exchange.respond(200, [SWR], 'second')),
  )
  await cached.get('/x')
  cached.pass(15)
  t.match(status(await cached.ask('HEAD', '/x')), 'hit; ttl=-5')
  const sent = await cached.upstream.received(2)
  t.strictSame([sent.method, sent.get('if-none-match')], ['GET', '"1"'])
  await standstill(() => cached.cache.flights)
  const fresh = await cached.get('/x')
  t.strictSame([String(fresh.body), status(fresh)], ['second', 'hit; ttl=10'])
})

void test('who wants nothing stored causes no refresh, which would bring nothing', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(
    t,
    then([SWR], (exchange) => exchange.respond(200, [SWR], 'second')),
  )
  await cached.get('/x')
  cached.pass(15)
  const answer = await cached.get('/x', [['Cache-Control', 'no-store']])
  t.strictSame([String(answer.body), status(answer)], ['first', 'hit; ttl=-5'])
  t.equal(cached.cache.flights, 0)
  t.equal(status(await cached.get('/x')), 'hit; ttl=-5')
  await cached.upstream.received(2)
  await standstill(() => cached.cache.flights)
  t.equal(status(await cached.get('/x')), 'hit; ttl=10')
})

const FAILING: [name: string, play: (exchange: UpstreamExchange) => unknown, forwarded: string][] = [
  ['503', (exchange) => exchange.respond(503, [], 'error'), 'fwd=stale; fwd-status=503; ttl=-5'],
  ['no answer', (exchange) => exchange.reset(), 'fwd=stale; ttl=-5'],
]

for (const [name, play, forwarded] of FAILING) {
  void test(`HEAD is answered stale as GET is: ${name}`, { timeout: PATIENCE }, async (t) => {
    const fields: Field[] = [['Cache-Control', 'max-age=10, stale-if-error=60'], ETAG]
    const cached = await cachedBefore(
      t,
      async (exchange) => (cached.now() === begin ? exchange.respond(200, fields, 'first') : play(exchange)),
      { cache: { send: { cacheControl: 'max-age=5' } } },
    )
    const begin = cached.now()
    await cached.get('/x')
    cached.pass(15)
    const client = await cached.client()
    for (const method of ['GET', 'HEAD']) {
      const answer = await client.request({ method, path: '/x' })
      t.strictSame([answer.status, status(answer), answer.get('age')], [200, forwarded, '15'], method)
      t.strictSame([answer.get('content-length'), answer.get('cache-control')], ['5', 'max-age=0'], method)
      const { status: logged, cacheResult, code } = cached.finished.at(-1)!
      t.strictSame([logged, cacheResult, code], [200, 'stale', ''], method)
    }
    const known = await client.request({ method: 'HEAD', path: '/x', fields: [['If-None-Match', '"1"']] })
    t.strictSame([known.status, status(known)], [304, forwarded])
    const other = await client.request({ method: 'HEAD', path: '/x', fields: [['If-Match', '"2"']] })
    t.strictSame([other.status >= 500, status(other)], [true, 'fwd=request'])
    t.equal(cached.store.stats().entries, 1)
    cached.pass(60)
    const late = await client.request({ method: 'HEAD', path: '/x' })
    t.strictSame([late.status >= 500, status(late)], [true, 'fwd=request'])
  })
}

void test('a refresh is for all: it asks for nothing that the client alone wants', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(
    t,
    then([SWR, ETAG, ['Vary', 'Pragma']], (exchange) =>
      exchange.respond(200, [SWR, ETAG, ['Vary', 'Pragma']], 'second'),
    ),
  )
  await cached.get('/x', [['Pragma', 'which']])
  cached.pass(15)
  const wishes: Field[] = [
    ['cache-control', 'only-if-cached, max-stale'],
    ['Pragma', 'which'],
    ['IF-MATCH', '"1"'],
    ['If-Unmodified-Since', new Date(cached.now()).toUTCString()],
    ['Range', 'bytes=0-1'],
    ['If-Range', '"1"'],
    ['X-Other', 'sent'],
  ]
  const answer = await cached.get('/x', wishes)
  t.strictSame([answer.status, String(answer.body)], [206, 'fi'])
  const sent = await cached.upstream.received(2)
  t.strictSame(
    wishes.map(([name]) => sent.get(name.toLowerCase())),
    [undefined, 'which', undefined, undefined, undefined, undefined, 'sent'],
    'what chooses the answer stays',
  )
  t.equal(sent.get('if-none-match'), '"1"')
  await standstill(() => cached.cache.flights)
  t.equal(String((await cached.get('/x', [['Pragma', 'which']])).body), 'second')
})

for (const control of ['public', 's-maxage=10', 'immutable']) {
  const stored: Field = ['Cache-Control', `max-age=10, stale-while-revalidate=60, ${control}`]
  const isLeft = control !== 'immutable'
  void test(`with credentials a refresh is begun where its answer can be stored: ${control}`, {
    timeout: PATIENCE,
  }, async (t) => {
    const cached = await cachedBefore(
      t,
      then([stored], (exchange) => exchange.respond(200, [stored], 'second')),
    )
    await cached.get('/x')
    cached.pass(15)
    const answer = await cached.get('/x', [['Authorization', 'Basic eA==']])
    t.strictSame([String(answer.body), status(answer)], ['first', 'hit; ttl=-5'])
    t.equal(cached.cache.flights, isLeft ? 1 : 0)
    if (!isLeft) t.equal(String((await cached.get('/x')).body), 'first')
    const sent = await cached.upstream.received(2)
    t.equal(sent.get('authorization'), isLeft ? 'Basic eA==' : undefined)
    await standstill(() => cached.cache.flights)
    t.equal(String((await cached.get('/x')).body), 'second')
    t.equal(cached.upstream.requests.length, 2)
  })
}
