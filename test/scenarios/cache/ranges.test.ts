import { test } from 'tap'
import { PATIENCE } from '../../helper.ts'
import type { UpstreamExchange } from '../../upstream-exchange.ts'
import type { Field } from '../../wire.ts'
import { cachedBefore, status } from './cached.ts'

const FRESH: Field = ['Cache-Control', 'max-age=60']
const TEXT = '0123456789abcdefghij'

/** An origin that knows ranges of {@link TEXT}. */
function ranging(tag = '"1"'): (exchange: UpstreamExchange) => Promise<void> {
  return (exchange) => {
    const match = /^bytes=(\d+)-(\d*)$/.exec(exchange.request.get('range') ?? '')
    if (match === null) return exchange.respond(200, [FRESH, ['ETag', tag]], TEXT)
    const [first, last] = [Number(match[1]), Number(match[2] || TEXT.length - 1)]
    const range = `bytes ${first}-${last}/${TEXT.length}`
    return exchange.respond(206, [FRESH, ['ETag', tag], ['Content-Range', range]], TEXT.slice(first, last + 1))
  }
}

void test('ranges of what is stored', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, [ranging()])
  await cached.get('/x')
  const rows: [range: string, code: number, contentRange: string | undefined, body: string][] = [
    ['bytes=0-3', 206, 'bytes 0-3/20', '0123'],
    ['bytes=-2', 206, 'bytes 18-19/20', 'ij'],
    ['bytes=18-', 206, 'bytes 18-19/20', 'ij'],
    ['bytes=5-500', 206, 'bytes 5-19/20', TEXT.slice(5)],
    ['bytes=20-', 416, 'bytes */20', ''],
    ['lines=1-2', 200, undefined, TEXT],
    ['bytes=3-1', 200, undefined, TEXT],
  ]
  for (const [range, code, contentRange, body] of rows) {
    const answer = await cached.get('/x', [['Range', range]])
    t.strictSame([answer.status, answer.get('content-range'), String(answer.body)], [code, contentRange, body], range)
    t.ok(answer.get('date'), 'Date')
  }
  const head = await cached.ask('HEAD', '/x', { fields: [['Range', 'bytes=0-3']] })
  t.strictSame([head.status, head.get('content-length')], [200, '20'], 'HEAD has no ranges')
  const matching = await cached.get('/x', [
    ['Range', 'bytes=0-0'],
    ['If-Range', '"1"'],
  ])
  t.equal(matching.status, 206)
  const other = await cached.get('/x', [
    ['Range', 'bytes=0-0'],
    ['If-Range', '"2"'],
  ])
  t.equal(other.status, 200)
})

void test('several ranges of what is stored are a multipart answer', { timeout: PATIENCE }, async (t) => {
  const body = TEXT.repeat(20)
  const cached = await cachedBefore(t, [(exchange) => exchange.respond(200, [FRESH, ['Content-Type', 'text/x']], body)])
  await cached.get('/x')
  const answer = await cached.get('/x', [['Range', 'bytes=0-1,300-301']])
  t.equal(answer.status, 206)
  const boundary = /^multipart\/byteranges; boundary=(\w+)$/.exec(answer.get('content-type') ?? '')?.[1]
  t.equal(answer.fields.filter(([name]) => name === 'content-length').length, 1)
  t.equal(
    String(answer.body),
    ['0-1', '300-301']
      .map((range) => `\r\n--${boundary}\r\nContent-Type: text/x\r\nContent-Range: bytes ${range}/400\r\n\r\n01`)
      .join('') + `\r\n--${boundary}--\r\n`,
  )
})

void test('a part is stored, answers what it holds, and is no whole', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, ranging())
  const miss = await cached.get('/x', [['Range', 'bytes=0-9']])
  t.strictSame([miss.status, String(miss.body), miss.get('content-range')], [206, TEXT.slice(0, 10), 'bytes 0-9/20'])
  const inside = await cached.get('/x', [['Range', 'bytes=2-4']])
  t.strictSame([inside.status, String(inside.body), inside.get('content-range')], [206, '234', 'bytes 2-4/20'])
  t.match(status(inside), /^hit/)
  const outside = await cached.get('/x', [['Range', 'bytes=8-11']])
  t.strictSame([String(outside.body), status(outside).slice(0, 11)], ['89ab', 'fwd=partial'])
  t.match(status(await cached.get('/x', [['Range', 'bytes=0-11']])), /^hit/, 'combined')
  const whole = await cached.get('/x')
  t.strictSame([whole.status, String(whole.body), status(whole).slice(0, 11)], [200, TEXT, 'fwd=partial'])
  t.match(status(await cached.get('/x')), /^hit/)
  t.equal(cached.store.stats().entries, 1)
})

void test('only-if-cached is not asked of the origin, whatever of it is stored', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, ranging())
  const only: Field = ['Cache-Control', 'only-if-cached']
  await cached.get('/x', [['Range', 'bytes=0-3']])
  t.equal((await cached.get('/x', [['Range', 'bytes=1-2'], only])).status, 206)
  const refused = [await cached.get('/x', [['Range', 'bytes=8-11'], only]), await cached.get('/x', [only])]
  await cached.get('/y')
  refused.push(await cached.get('/y', [['If-Match', '"other"'], only]), await cached.get('/z', [only]))
  for (const answer of refused) {
    t.equal(answer.status, 504)
    // "An intermediary SHOULD NOT append a Cache-Status member to responses that it generates" (RFC 9211 §2).
    t.equal(answer.get('cache-status'), undefined)
  }
  t.equal(cached.upstream.requests.length, 2)
})

void test('parts that make up the whole are one', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, ranging())
  for (const range of ['bytes=0-9', 'bytes=10-']) await cached.get('/x', [['Range', range]])
  const whole = await cached.get('/x')
  t.strictSame([whole.status, String(whole.body), whole.get('content-range')], [200, TEXT, undefined])
  t.match(status(whole), /^hit/)
  t.equal(whole.fields.filter(([name]) => name === 'content-length').length, 1)
})

void test('parts of different representations are never combined', { timeout: PATIENCE }, async (t) => {
  for (const second of ['"2"', 'W/"1"', undefined]) {
    let count = 0
    const cached = await cachedBefore(t, (exchange) => {
      if (++count === 1) return ranging()(exchange)
      if (second !== undefined) return ranging(second)(exchange)
      return exchange.respond(206, [FRESH, ['Content-Range', 'bytes 10-19/20']], TEXT.slice(10))
    })
    await cached.get('/x', [['Range', 'bytes=0-9']])
    await cached.get('/x', [['Range', 'bytes=10-19']])
    t.match(status(await cached.get('/x')), /^fwd/, second ?? 'no tag')
  }
})

void test('a part that is not what it says it is, or has no strong validator, is not stored', {
  timeout: PATIENCE,
}, async (t) => {
  const answers: Field[][] = [
    [
      ['ETag', '"1"'],
      ['Content-Range', 'bytes 0-8/20'],
    ],
    [['ETag', '"1"']],
    [
      ['ETag', 'W/"1"'],
      ['Content-Range', 'bytes 0-9/20'],
    ],
    [
      ['ETag', '"1"'],
      ['Content-Type', 'multipart/byteranges; boundary=x'],
    ],
  ]
  for (const fields of answers) {
    const cached = await cachedBefore(t, (exchange) => exchange.respond(206, [FRESH, ...fields], TEXT.slice(0, 10)))
    const answer = await cached.get('/x', [['Range', 'bytes=0-9']])
    t.equal(answer.status, 206)
    t.notMatch(status(answer), 'stored', 'and it says so')
    t.equal(cached.store.stats().entries, 0, JSON.stringify(fields))
    // Nobody asked for a part: it is the origin's mistake, and no whole.
    await cached.get('/y')
    t.equal(cached.store.stats().entries, 0)
  }
})

void test('a stale part is asked for again as a part', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, ranging())
  await cached.get('/x', [['Range', 'bytes=0-9']])
  cached.pass(100)
  const answer = await cached.get('/x', [['Range', 'bytes=0-3']])
  t.strictSame([answer.status, String(answer.body)], [206, '0123'])
  t.equal(cached.upstream.requests.at(-1)?.get('range'), 'bytes=0-3')
})

void test('what is completed to more than is kept of one answer is not stored, and not said to be', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, ranging(), { cache: { maxEntryBytes: '15B' } })
  await cached.get('/x', [['Range', 'bytes=0-9']])
  const whole = await cached.get('/x')
  t.equal(String(whole.body), TEXT)
  t.equal(cached.upstream.requests.at(-1)?.get('range'), 'bytes=10-')
  t.notMatch(status(whole), 'stored')
  t.match(status(await cached.get('/x')), /^fwd/)
})

void test('an origin that has nothing behind a stored part any more is asked for the whole', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, [
    ranging(),
    // It knows no If-Range.
    (exchange) => exchange.respond(416, [['Content-Range', 'bytes */5']], ''),
    (exchange) => exchange.respond(200, [FRESH, ['ETag', '"2"']], '01234'),
  ])
  await cached.get('/x', [['Range', 'bytes=0-9']])
  const whole = await cached.get('/x')
  t.strictSame([whole.status, String(whole.body)], [200, '01234'])
  t.equal(cached.upstream.requests[2]?.get('range'), undefined)
  t.match(status(await cached.get('/x')), /^hit/)
})

void test('a stale part answers what it holds where the origin fails', { timeout: PATIENCE }, async (t) => {
  const error = (exchange: UpstreamExchange) => exchange.respond(503, [], 'error')
  let play: (exchange: UpstreamExchange) => unknown = ranging()
  const cached = await cachedBefore(t, (exchange) => play(exchange), { cache: { staleIfError: '1h' } })
  const ask = (range: string) => cached.get('/x', [['Range', range]])
  await ask('bytes=0-9')
  cached.pass(100)
  play = (exchange) => exchange.reset()
  const away = await ask('bytes=2-4')
  t.strictSame([away.status, String(away.body), status(away)], [206, '234', 'fwd=partial; ttl=-40'])
  play = error
  const failing = await ask('bytes=2-4')
  t.strictSame([failing.status, String(failing.body)], [206, '234'])
  t.equal(status(failing), 'fwd=partial; fwd-status=503; ttl=-40')
  const { length } = cached.upstream.requests
  t.equal((await ask('bytes=8-11')).status, 503, 'what it does not hold')
  t.equal(cached.upstream.requests.length, length + 1)
  play = ranging()
  t.equal(String((await ask('bytes=2-4')).body), '234')
  t.match(status(await ask('bytes=2-4')), /^hit/)
})
