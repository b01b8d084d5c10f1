import { test } from 'tap'
import {
  addControls,
  compileSend,
  type SendPolicy,
  tell,
  type Telling,
} from '../../../../services/cache/rules/sending.ts'
import type { SendOptions } from '../../../../services/cache/send-options.ts'

const NO_KEYS = { headers: [], cookies: [] }

function send(options: Partial<SendOptions>, varyBy: { headers?: string[]; cookies?: string[] } = {}): SendPolicy {
  const whole = { cacheControl: null, cdnCacheControl: null, tags: 'origin' as const, ...options }
  return compileSend(whole, { ...NO_KEYS, ...varyBy })!
}

const telling = (fields: string[], rest: Partial<Telling> = {}): Telling => ({
  status: 200,
  fields,
  tags: [],
  isShared: true,
  isGiven: true,
  ...rest,
})

/** All that a client gets, so many seconds after the response was made; `null` for a stale one. */
function told(policy: SendPolicy, of: Telling, age: number | null = 0): string[] {
  const { fields, controls } = tell(policy, of)
  const own: string[] = []
  addControls(own, controls, age)
  return [...fields, ...own]
}

const BROWSERS = { cacheControl: 'max-age=60' }

void test('a route that says nothing leaves everything to the origin', async (t) => {
  t.equal(compileSend({ cacheControl: null, cdnCacheControl: null, tags: 'origin' }, NO_KEYS), null)
})

void test("a route's Cache-Control takes the place of the origin's, and of Expires and Pragma", async (t) => {
  const fields = [
    'etag',
    '"a"',
    'cache-control',
    's-maxage=600',
    'expires',
    'x',
    'pragma',
    'y',
    'cache-control',
    'public',
  ]
  t.strictSame(told(send(BROWSERS), telling(fields)), ['etag', '"a"', 'cache-control', 'max-age=60'])
  t.strictSame(told(send({ cacheControl: 'no-cache' }), telling(fields)), ['etag', '"a"', 'cache-control', 'no-cache'])
})

void test('CDN-Cache-Control alone leaves Cache-Control and Expires as they are', async (t) => {
  const fields = ['cache-control', 'max-age=5', 'expires', 'x', 'cdn-cache-control', 'max-age=9']
  t.strictSame(told(send({ cdnCacheControl: 'max-age=3600, stale-while-revalidate=60' }), telling(fields)), [
    'cache-control',
    'max-age=5',
    'expires',
    'x',
    'cdn-cache-control',
    'max-age=3600, stale-while-revalidate=60',
  ])
})

void test('lifetimes count from when the client gets it: the Age that it is told is added', async (t) => {
  const both = send({ cacheControl: 'public, max-age=60, s-maxage=600, immutable', cdnCacheControl: 's-maxage=10' })
  t.strictSame(told(both, telling([]), 7), [
    'cache-control',
    'public, max-age=67, s-maxage=607, immutable',
    'cdn-cache-control',
    's-maxage=17',
  ])
  const swr = send({ cacheControl: 'max-age=1, stale-while-revalidate=5' })
  t.strictSame(told(swr, telling([]), 7), ['cache-control', 'max-age=8, stale-while-revalidate=5'])
})

void test('what is stale here is stale for others', async (t) => {
  t.strictSame(told(send(BROWSERS), telling([]), null), ['cache-control', 'max-age=0'])
})

const CLOSED: [why: string, fields: string[], rest?: Partial<Telling>][] = [
  ['private', ['cache-control', 'private']],
  ['no-store', ['cache-control', 'max-age=60, no-store']],
  ['fields of one client', ['cache-control', 'max-age=60, private="x-user"']],
  ['fields that are to be validated', ['cache-control', 'max-age=60, no-cache="x-user"']],
  ['a cookie', ['cache-control', 'max-age=60', 'set-cookie', 'a=1']],
  ['private to all but this cache', ['cache-control', 'private', 'headrace-cache-control', 'max-age=60']],
  ['not for content networks', ['cache-control', 'max-age=9', 'cdn-cache-control', 'no-store']],
  ['not shared', ['cache-control', 'max-age=60'], { isShared: false, isGiven: false }],
  ['validated each time', ['cache-control', 'no-cache'], { isGiven: false }],
  ['an error', ['cache-control', 'max-age=60'], { status: 404 }],
]

for (const [why, fields, rest] of CLOSED) {
  void test(`what the origin does not give away keeps the origin's words: ${why}`, async (t) => {
    const policy = send({ ...BROWSERS, cdnCacheControl: 'max-age=3600' })
    t.strictSame(told(policy, telling(fields, rest)), fields)
  })
}

const TAGGED = ['surrogate-key', 'a b', 'cache-tag', 'c', 'etag', '"x"']
const TAGS = ['route', 'a', 'b', 'c', 'two words', 'x,y', 'group https://a.test g', 'ü']

void test('tags go on as they came, are taken out, or all stand in one field', async (t) => {
  const of = telling(TAGGED, { tags: TAGS })
  t.strictSame(told(send({ tags: 'origin', ...BROWSERS }), of), [...TAGGED, 'cache-control', 'max-age=60'])
  t.strictSame(told(send({ tags: 'none' }), of), ['etag', '"x"'])
  t.strictSame(told(send({ tags: 'surrogate-key' }), of), ['etag', '"x"', 'surrogate-key', 'route a b c'])
  t.strictSame(told(send({ tags: 'cache-tag' }), of), ['etag', '"x"', 'cache-tag', 'route,a,b,c,two words'])
})

void test('what is not shared has no tags, unless they go on as they came', async (t) => {
  const of = telling(TAGGED, { tags: TAGS, isShared: false, isGiven: false })
  for (const tags of ['none', 'surrogate-key', 'cache-tag'] as const)
    t.strictSame(told(send({ tags }), of), ['etag', '"x"'], tags)
  t.strictSame(told(send(BROWSERS), of), TAGGED)
})

void test('no more tags are said than content networks take', async (t) => {
  const tags = Array.from({ length: 500 }, (_, i) => `${i}-${'x'.repeat(96)}`)
  const [, value = ''] = told(send({ tags: 'surrogate-key' }), telling([], { tags }))
  t.ok(value.length > 16_000 && value.length <= 16_384, `${value.length}`)
  t.strictSame(value.split(' '), tags.slice(0, value.split(' ').length))
})

void test('tags fill the field to its last byte, with what stands between them; without any there is no field', (t) => {
  const tagged = (tags: string[]) => told(send({ tags: 'cache-tag' }), telling([], { tags }))
  const half = 'a'.repeat(8192)
  const less = 'b'.repeat(8191)
  t.strictSame(tagged([half, less]), ['cache-tag', `${half},${less}`])
  t.strictSame(tagged([half, `${less}b`]), ['cache-tag', half])
  t.strictSame(tagged([]), [])
  t.end()
})

void test('what chooses answers here is said in Vary, once', async (t) => {
  const policy = send({}, { headers: ['accept', 'x-tenant'], cookies: ['theme'] })
  t.strictSame(told(policy, telling(['vary', 'Accept'])), ['vary', 'Accept', 'vary', 'x-tenant, cookie'])
  t.strictSame(told(policy, telling(['vary', 'Accept, X-Tenant, Cookie'])), ['vary', 'Accept, X-Tenant, Cookie'])
  t.strictSame(told(policy, telling([], { isShared: false, isGiven: false })), [])
  t.strictSame(told(send({}, { headers: ['x-a'] }), telling(['vary', '*'])), ['vary', '*'], 'which is all')
})

void test('a field of the key is said in Vary once', async (t) => {
  const policy = send({}, { headers: ['x-tenant'] })
  t.strictSame(told(policy, telling([])), ['vary', 'x-tenant'])
  t.strictSame(told(policy, telling(['vary', 'X-Tenant'])), ['vary', 'X-Tenant'])
})
