import { test } from 'tap'
import type { CachePolicy } from '../../../../services/cache/policy.ts'
import { freshnessOf } from '../../../../services/cache/rules/freshness.ts'
import { lifespanOf, type Lifespan } from '../../../../services/cache/rules/lifespan.ts'
import { forbidsStoring, reuse, usableOnFailure, wantsOnlyStored } from '../../../../services/cache/rules/reuse.ts'
import { conditions, head, NOW, policy } from './messages.ts'

const PLAIN = conditions()

function lifespan(
  cacheControl: string,
  fields: Record<string, string> = {},
  rules: Partial<CachePolicy> = {},
): Lifespan {
  const response = head({ 'cache-control': cacheControl, ...fields })
  return lifespanOf(response, freshnessOf(response, policy(rules)))
}

/** What a request with this Cache-Control gets, so many seconds after the response came. */
function after(life: Lifespan, seconds: number, cacheControl?: string): string {
  const answer = reuse(life, conditions({ cacheControl }), policy(), NOW + seconds * 1000)
  return answer.kind === 'revalidate' ? `revalidate: ${answer.reason}` : answer.kind
}

void test('a response is fresh while its lifetime exceeds its age (RFC 9111 §4.2)', (t) => {
  t.equal(after(lifespan('max-age=10'), 0), 'fresh')
  t.equal(after(lifespan('max-age=10'), 9.999), 'fresh')
  t.equal(after(lifespan('max-age=10'), 10), 'revalidate: stale')
  t.equal(after(lifespan('max-age=0'), 0), 'revalidate: stale')
  t.equal(after(lifespan('max-age=3600', { age: '7200' }), 0), 'revalidate: stale')
  t.equal(after(lifespan('max-age=3600, must-revalidate'), 5), 'fresh')
  t.end()
})

void test('a hit makes no object', (t) => {
  const life = lifespan('max-age=10')
  t.equal(reuse(life, PLAIN, policy(), NOW), reuse(life, PLAIN, policy(), NOW + 1))
  t.ok(Object.isFrozen(reuse(life, PLAIN, policy(), NOW)))
  t.end()
})

void test('no-cache in the response asks before each use, fresh or not (RFC 9111 §5.2.2.4)', (t) => {
  const life = lifespan('max-age=10, no-cache, stale-while-revalidate=100')
  t.equal(after(life, 0), 'revalidate: no-cache')
  t.equal(after(life, 20), 'revalidate: no-cache')
  t.equal(after(life, 20, 'max-stale'), 'revalidate: no-cache')
  t.end()
})

void test('stale-while-revalidate serves within its window (RFC 5861 §3)', (t) => {
  const life = lifespan('max-age=10, stale-while-revalidate=5')
  t.equal(after(life, 9), 'fresh')
  t.equal(after(life, 10), 'stale-while-revalidate')
  t.equal(after(life, 14.999), 'stale-while-revalidate')
  t.equal(after(life, 15), 'revalidate: stale')
  t.equal(after(life, 12, 'max-age=100'), 'revalidate: stale', 'who limits age wants nothing stale')
  t.equal(after(life, 12, 'foo'), 'stale-while-revalidate')
  t.equal(after(life, 10, 'foo'), 'stale-while-revalidate')
  t.equal(after(life, 15, 'foo'), 'revalidate: stale')
  t.end()
})

void test('nothing stale goes out against must-revalidate, proxy-revalidate or s-maxage (RFC 9111 §4.2.4)', (t) => {
  for (const directive of ['must-revalidate', 'proxy-revalidate', 's-maxage=10']) {
    const life = lifespan(`max-age=10, stale-while-revalidate=100, stale-if-error=100, ${directive}`)
    t.equal(after(life, 11), 'revalidate: stale', directive)
    t.equal(after(life, 11, 'max-stale'), 'revalidate: stale', `${directive}, max-stale`)
    for (const failure of ['disconnected', 'error'] as const) {
      const asked = conditions({ cacheControl: 'stale-if-error=100' })
      t.equal(usableOnFailure(life, asked, policy(), { failure, now: NOW + 11_000 }), false, `${directive}, ${failure}`)
    }
  }
  t.end()
})

void test('beside s-maxage, what the origin says may be stale is; not in profile rfc, nor against more than that', (t) => {
  const said = 's-maxage=10, stale-while-revalidate=59, stale-if-error=100'
  const onFailure = (life: Lifespan, seconds: number, cacheControl?: string): boolean[] =>
    (['disconnected', 'error'] as const).map((failure) =>
      usableOnFailure(life, conditions({ cacheControl }), policy(), { failure, now: NOW + seconds * 1000 }),
    )
  const life = lifespan(said, {}, { profile: 'secure' })
  t.equal(after(life, 11), 'stale-while-revalidate')
  t.equal(after(life, 70), 'revalidate: stale')
  t.equal(after(life, 70, 'max-stale'), 'revalidate: stale')
  t.same(onFailure(life, 70), [true, true])
  t.same(onFailure(life, 111, 'stale-if-error=1000'), [false, false])
  const forbidden: [said: string, rules: Partial<CachePolicy>][] = [
    [said, { profile: 'rfc' }],
    [`${said}, must-revalidate`, { profile: 'secure' }],
    [`${said}, proxy-revalidate`, { profile: 'secure' }],
    [`${said}, no-cache`, { profile: 'secure' }],
    ['s-maxage=10', { profile: 'secure', staleWhileRevalidate: 59, staleIfError: 100 }],
  ]
  for (const [control, rules] of forbidden) {
    t.match(after(lifespan(control, {}, rules), 11), /^revalidate/, control)
    t.same(onFailure(lifespan(control, {}, rules), 11), [false, false], control)
  }
  t.end()
})

void test('where the route’s lifetime wins over s-maxage, so do its rules for what is stale', (t) => {
  const ours = { ttl: 20, respectOrigin: false, staleWhileRevalidate: 30 }
  t.equal(after(lifespan('s-maxage=10', {}, ours), 21), 'stale-while-revalidate')
  t.equal(after(lifespan('s-maxage=10, must-revalidate', {}, ours), 21), 'revalidate: stale')
  t.end()
})

void test('no-cache and Pragma in the request ask the origin (RFC 9111 §5.2.1.4, §5.4)', (t) => {
  const life = lifespan('max-age=100')
  t.equal(after(life, 1, 'no-cache'), 'revalidate: request')
  t.equal(after(life, 1, 'No-Cache, foo'), 'revalidate: request')
  const pragma = (value: string, cacheControl?: string) =>
    reuse(life, conditions({ pragma: value, cacheControl }), policy(), NOW).kind
  t.equal(pragma('no-cache'), 'revalidate')
  t.equal(pragma('foo, No-Cache'), 'revalidate')
  t.equal(pragma('unrecognised-extension'), 'fresh')
  t.equal(pragma('no-cache-x'), 'fresh')
  t.equal(pragma('no-cache', 'max-age=1000'), 'fresh', 'only without Cache-Control')
  t.end()
})

void test('max-age of the request limits the age (RFC 9111 §5.2.1.1)', (t) => {
  const life = lifespan('max-age=3600', { age: '1800' })
  t.equal(after(life, 0, 'max-age=600'), 'revalidate: request')
  t.equal(after(life, 0, 'max-age=1801'), 'fresh')
  t.equal(after(lifespan('max-age=3600'), 0, 'max-age=0'), 'revalidate: request', 'within the first millisecond too')
  t.equal(after(lifespan('max-age=3600'), 0.5, 'max-age=1'), 'fresh')
  t.equal(after(lifespan('max-age=3600'), 0.5, 'max-age=x'), 'revalidate: request')
  t.equal(after(lifespan('max-age=1'), 5, 'max-age=100'), 'revalidate: stale')
  t.equal(after(lifespan('max-age=1'), 5, 'max-age=2, max-stale'), 'revalidate: stale')
  t.end()
})

void test('min-fresh of the request wants that much left (RFC 9111 §5.2.1.3)', (t) => {
  t.equal(after(lifespan('max-age=1500'), 0, 'min-fresh=2000'), 'revalidate: request')
  t.equal(after(lifespan('max-age=1500', { age: '1000' }), 0, 'min-fresh=1000'), 'revalidate: request')
  t.equal(after(lifespan('max-age=1500', { age: '1000' }), 0, 'min-fresh=500'), 'fresh')
  t.equal(after(lifespan('max-age=1, stale-while-revalidate=9'), 2, 'min-fresh=0'), 'revalidate: request')
  t.end()
})

void test('max-stale of the request takes what is stale (RFC 9111 §5.2.1.2)', (t) => {
  t.equal(after(lifespan('max-age=1'), 3, 'max-stale=1000'), 'stale')
  t.equal(after(lifespan('max-age=1500', { age: '2000' }), 0, 'max-stale=1000'), 'stale')
  t.equal(after(lifespan('max-age=1'), 3, 'max-stale'), 'stale')
  t.equal(after(lifespan('max-age=1'), 3, 'max-stale=2'), 'stale')
  t.equal(after(lifespan('max-age=1'), 3, 'max-stale=1'), 'revalidate: stale')
  t.equal(after(lifespan('max-age=1'), 3, 'max-stale=x'), 'revalidate: stale')
  t.equal(after(lifespan('max-age=1, stale-while-revalidate=9'), 3, 'max-stale'), 'stale-while-revalidate')
  t.end()
})

void test('only-if-cached gets what is usable, or 504 (RFC 9111 §5.2.1.7)', (t) => {
  t.equal(after(lifespan('max-age=10'), 1, 'only-if-cached'), 'fresh')
  t.equal(after(lifespan('max-age=10'), 11, 'only-if-cached'), 'unavailable')
  t.equal(after(lifespan('max-age=10'), 11, 'only-if-cached, max-stale'), 'stale')
  t.equal(after(lifespan('max-age=10'), 1, 'only-if-cached, no-cache'), 'unavailable')
  t.equal(after(lifespan('max-age=10, no-cache'), 1, 'only-if-cached'), 'unavailable')
  const asked = conditions({ cacheControl: 'only-if-cached' })
  t.equal(wantsOnlyStored(asked, policy()), true)
  t.equal(wantsOnlyStored(asked, policy({ clientDirectives: 'ignore' })), false)
  t.equal(wantsOnlyStored(PLAIN, policy()), false)
  t.end()
})

void test('no-store of the request keeps nothing from being used, only from being stored (RFC 9111 §5.2.1.5)', (t) => {
  t.equal(after(lifespan('max-age=10'), 1, 'no-store'), 'fresh')
  const asked = conditions({ cacheControl: 'no-store' })
  t.equal(forbidsStoring(asked, policy()), true)
  t.equal(forbidsStoring(asked, policy({ clientDirectives: 'ignore' })), false)
  t.equal(forbidsStoring(PLAIN, policy()), false)
  t.end()
})

void test('immutable spares reloads while it is fresh (RFC 8246 §2)', (t) => {
  const life = lifespan('max-age=10, immutable')
  t.equal(after(life, 5, 'max-age=0'), 'fresh')
  t.equal(after(life, 5, 'no-cache'), 'revalidate: request')
  t.equal(after(life, 11, 'max-age=0'), 'revalidate: stale')
  t.equal(after(life, 11), 'revalidate: stale')
  t.end()
})

void test('a route can take no directives from clients', (t) => {
  const deaf = policy({ clientDirectives: 'ignore' })
  const life = lifespan('max-age=10, stale-while-revalidate=5')
  for (const cacheControl of ['no-cache', 'max-age=0', 'min-fresh=100', 'only-if-cached']) {
    t.equal(reuse(life, conditions({ cacheControl }), deaf, NOW).kind, 'fresh', cacheControl)
    t.equal(reuse(life, conditions({ cacheControl }), deaf, NOW + 12_000).kind, 'stale-while-revalidate', cacheControl)
  }
  t.equal(reuse(life, conditions({ pragma: 'no-cache' }), deaf, NOW).kind, 'fresh')
  t.equal(reuse(life, conditions({ cacheControl: 'max-stale' }), deaf, NOW + 60_000).kind, 'revalidate')
  t.end()
})

void test('stale-if-error serves on errors within its window (RFC 5861 §4)', (t) => {
  const life = lifespan('max-age=10, stale-if-error=5')
  const usable = (seconds: number, cacheControl?: string, changes = {}) =>
    usableOnFailure(life, conditions({ cacheControl }), policy(changes), {
      failure: 'error',
      now: NOW + seconds * 1000,
    })
  t.equal(usable(14.9), true)
  t.equal(usable(15), false)
  t.equal(usable(16, 'stale-if-error=7'), true, 'the client takes more')
  t.equal(usable(17, 'stale-if-error=7'), false)
  t.equal(usable(16, 'stale-if-error=7', { clientDirectives: 'ignore' }), false)
  t.equal(usable(5, 'no-cache'), true, 'a fresh one, when a reload finds the origin down')
  t.end()
})

void test('without a limit a response serves on disconnect, not on errors (RFC 9111 §4.2.4)', (t) => {
  const usable = (cacheControl: string, failure: 'disconnected' | 'error', seconds: number) =>
    usableOnFailure(lifespan(cacheControl), PLAIN, policy(), { failure, now: NOW + seconds * 1000 })
  t.equal(usable('max-age=2', 'disconnected', 1000), true)
  t.equal(usable('max-age=2', 'error', 3), false)
  t.equal(usable('max-age=2, stale-if-error=60', 'disconnected', 3), true)
  t.equal(usable('max-age=2, stale-if-error=60', 'disconnected', 63), false, 'the limit holds for both')
  t.equal(usable('max-age=2, no-cache', 'disconnected', 1), false)
  t.equal(usable('max-age=2, must-revalidate', 'disconnected', 1), true, 'still fresh')
  t.end()
})
