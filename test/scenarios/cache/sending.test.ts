import type { Test } from 'tap'
import { test } from 'tap'
import { everyProtocol, PATIENCE } from '../../helper.ts'
import type { Field } from '../../wire.ts'
import { answering, type Cached, cachedBefore, status } from './cached.ts'

const ORIGIN: Field[] = [
  ['Cache-Control', 'public, max-age=600'],
  ['Expires', 'Thu, 01 Jan 2099 00:00:00 GMT'],
  ['ETag', '"a"'],
  ['Surrogate-Key', 'one two'],
]
const SEND = { cacheControl: 'max-age=60', cdnCacheControl: 'max-age=3600', tags: 'cache-tag' }
const BODY = '0123456789'

type Answered = Awaited<ReturnType<Cached['get']>>

const told = (answer: Answered): unknown => ({
  age: answer.get('age'),
  browsers: answer.get('cache-control'),
  networks: answer.get('cdn-cache-control'),
  tags: answer.get('cache-tag'),
  expires: answer.get('expires'),
  keys: answer.get('surrogate-key'),
})

/** What a client gets that long after the origin's answer. */
const toldAfter = (seconds: number): unknown => ({
  age: seconds === 0 ? undefined : String(seconds),
  browsers: `max-age=${60 + seconds}`,
  networks: `max-age=${3600 + seconds}`,
  tags: 'route,one,two',
  expires: undefined,
  keys: undefined,
})

const tagged = (t: Test, fields = ORIGIN): Promise<Cached> =>
  cachedBefore(t, answering(fields, { body: BODY }), { cache: { tags: ['route'], send: SEND } })

everyProtocol('a miss, a hit, a 304, a part and HEAD say what the route says', async (t, protocol) => {
  const cached = await tagged(t)
  const client = await cached.client(protocol)
  const ask = (fields: Field[] = [], method = 'GET'): Promise<Answered> =>
    client.request({ method, path: '/x', fields })
  const miss = await ask()
  t.match(status(miss), /^fwd=uri-miss/)
  t.strictSame(told(miss), toldAfter(0))
  cached.pass(7)
  for (let times = 0; times < 2; times++) {
    const hit = await ask()
    t.match(status(hit), /^hit/)
    t.strictSame(told(hit), toldAfter(7))
    t.equal(String(hit.body), BODY)
  }
  t.strictSame(told(await ask([], 'HEAD')), toldAfter(7))
  const unchanged = await ask([['If-None-Match', '"a"']])
  t.equal(unchanged.status, 304)
  t.strictSame(told(unchanged), toldAfter(7))
  const part = await ask([['Range', 'bytes=2-4']])
  t.equal(part.status, 206)
  t.equal(String(part.body), '234')
  t.strictSame(told(part), toldAfter(7))
  t.equal(cached.upstream.requests.length, 1)
})

void test('a miss that the client’s condition turns into a 304 says it too', { timeout: PATIENCE }, async (t) => {
  const answer = await (await tagged(t)).get('/x', [['If-None-Match', '"a"']])
  t.equal(answer.status, 304)
  t.strictSame(told(answer), toldAfter(0))
})

void test('HEAD says the same where nothing is stored', { timeout: PATIENCE }, async (t) => {
  const cached = await tagged(t)
  const answer = await cached.ask('HEAD', '/x')
  t.match(status(answer), /^fwd=uri-miss/)
  t.strictSame(told(answer), toldAfter(0))
})

void test('what is validated is told anew; what is stale has no lifetime', { timeout: PATIENCE }, async (t) => {
  let there = true
  const cached = await cachedBefore(
    t,
    ({ request, respond }) =>
      there ? respond(request.get('if-none-match') === undefined ? 200 : 304, ORIGIN, '') : respond(503),
    { cache: { send: SEND, staleIfError: '1h' } },
  )
  await cached.get('/x')
  cached.pass(601)
  const validated = await cached.get('/x')
  t.match(status(validated), /^fwd=stale; fwd-status=304/)
  t.equal(validated.get('cache-control'), 'max-age=60')
  there = false
  cached.pass(700)
  const stale = await cached.get('/x')
  t.match(status(stale), /fwd-status=503/)
  t.equal(stale.get('cache-control'), 'max-age=0')
  t.equal(stale.get('cdn-cache-control'), 'max-age=0')
})

void test('nobody else is made to keep what is one client’s', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(
    t,
    ({ request, respond }) => respond(200, [['Cache-Control', decodeURIComponent(request.target.slice(1))]], 'x'),
    { cache: { send: SEND, ttl: '1h', tags: ['route'] } },
  )
  for (const control of ['private', 'no-store', 'private%2C max-age=60', 'no-cache']) {
    const path = `/${control.replaceAll(' ', '%20')}`
    for (let times = 0; times < 2; times++) {
      const answer = await cached.get(path)
      t.equal(answer.get('cache-control'), decodeURIComponent(control))
      t.equal(answer.get('cdn-cache-control'), undefined)
    }
  }
})

void test('what is validated each time keeps the origin’s words, from the store too', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(
    t,
    ({ request, respond }) =>
      respond(
        request.get('if-none-match') === undefined ? 200 : 304,
        [
          ['Cache-Control', 'no-cache'],
          ['ETag', '"a"'],
        ],
        '',
      ),
    { cache: { send: SEND } },
  )
  for (const expected of [/^fwd=uri-miss/, /fwd-status=304/]) {
    const answer = await cached.get('/x')
    t.match(status(answer), expected)
    t.same([answer.get('cache-control'), answer.get('cdn-cache-control')], ['no-cache', undefined])
  }
})

void test('the Age that the origin’s own caches say is added, too', { timeout: PATIENCE }, async (t) => {
  const cached = await tagged(t, [...ORIGIN, ['Age', '30']])
  t.strictSame(told(await cached.get('/x')), toldAfter(30))
  cached.pass(5)
  t.strictSame(told(await cached.get('/x')), toldAfter(35))
})

void test('answers to credentials keep the origin’s words, also where everybody may have them', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await tagged(t, [['Cache-Control', 's-maxage=10'], ...ORIGIN.slice(2)])
  const known: Field[] = [['Authorization', 'Bearer x']]
  for (const [fields, control] of [
    [known, 's-maxage=10'],
    [[], 'max-age=60'],
    [known, 's-maxage=10'],
    [[], 'max-age=60'],
  ] as const) {
    const answer = await cached.get('/x', [...fields])
    t.equal(answer.get('cache-control'), control)
    t.equal(answer.get('cdn-cache-control'), fields.length === 0 ? 'max-age=3600' : undefined)
    t.equal(answer.get('cache-tag'), 'route,one,two')
    t.equal(answer.get('surrogate-key'), undefined)
  }
  t.equal(cached.upstream.requests.length, 1)
})

void test('tags are taken out of every answer of the route, stored or not', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(
    t,
    ({ request, respond }) =>
      respond(200, [
        ['Cache-Control', request.target === '/stored' ? 'max-age=60' : 'private'],
        ['Surrogate-Key', 'a'],
        ['Cache-Tag', 'b'],
      ]),
    { cache: { send: { tags: 'none' } } },
  )
  for (const [method, path] of [
    ['GET', '/stored'],
    ['GET', '/stored'],
    ['GET', '/private'],
    ['GET', '/private'],
    ['HEAD', '/head'],
    ['POST', '/changed'],
  ] as const) {
    const answer = await cached.ask(method, path)
    t.same([answer.get('surrogate-key'), answer.get('cache-tag')], [undefined, undefined], `${method} ${path}`)
  }
  t.strictSame(cached.cache.find('/stored')[0]?.entries[0]?.stored.tags, ['a', 'b'], 'they are known here')
})

void test('the key’s fields are said in Vary', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(
    t,
    answering([
      ['Cache-Control', 'max-age=60'],
      ['Vary', 'Accept'],
    ]),
    {
      cache: { varyBy: { headers: ['X-Tenant'], cookies: ['theme'] } },
    },
  )
  for (let times = 0; times < 2; times++) t.equal((await cached.get('/x')).get('vary'), 'Accept, x-tenant, cookie')
})
