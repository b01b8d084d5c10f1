import { test } from 'tap'
import { PATIENCE } from '../../helper.ts'
import { keyFor } from '../../services/access/given.ts'
import type { UpstreamExchange } from '../../upstream-exchange.ts'
import type { Field } from '../../wire.ts'
import { type CachedOptions, cachedBefore, status } from '../cache/cached.ts'

const [acme, globex] = [keyFor(), keyFor()]
const ACCESS = {
  consumers: { acme: { keys: [acme.entry], scopes: ['all'] }, globex: { keys: [globex.entry] } },
}
const as = (key: string): Field[] => [['x-api-key', key]]
const A = as(acme.key)
const G = as(globex.key)

/** Tells the caller who it is, as the most careless origin would: shared by everybody, for long. */
const careless =
  (fields: Field[] = []) =>
  (exchange: UpstreamExchange): Promise<void> => {
    const caching: Field = ['Cache-Control', 'public, max-age=60, s-maxage=60, stale-while-revalidate=600']
    return exchange.respond(200, [caching, ['ETag', '"1"'], ...fields], `for ${exchange.request.get('x-consumer-id')}`)
  }

function guarded(options: CachedOptions = {}): CachedOptions {
  return { ...options, route: { access: ['key'], ...options.route }, config: { access: ACCESS, ...options.config } }
}

for (const profile of ['secure', 'rfc']) {
  void test(`nobody is answered with what is stored for another (${profile})`, { timeout: PATIENCE }, async (t) => {
    const cached = await cachedBefore(t, careless(), guarded({ cache: { profile } }))
    for (const [fields, who] of [
      [A, 'acme'],
      [G, 'globex'],
    ] as const) {
      const first = await cached.get('/a', fields)
      t.equal(first.body.toString(), `for ${who}`)
      t.match(status(first), 'fwd=uri-miss')
      const second = await cached.get('/a', fields)
      t.equal(second.body.toString(), `for ${who}`)
      t.match(status(second), 'hit', 'and each has a cache of their own')
      t.equal((await cached.ask('HEAD', '/a', { fields })).status, 200)
      const part = await cached.get('/a', [...fields, ['Range', 'bytes=4-']])
      t.equal(part.body.toString(), who)
    }
    t.equal((await cached.get('/a')).status, 401, 'what is stored is for nobody who shows nothing')
    t.equal((await cached.get('/a', as(`${acme.key}x`))).status, 401)
    t.equal(cached.upstream.requests.length, 2)
    cached.pass(120)
    t.equal((await cached.get('/a', G)).body.toString(), 'for globex', 'nor while it is stale')
    t.equal((await cached.get('/a', A)).body.toString(), 'for acme')
    await cached.upstream.received(4)
    t.strictSame(
      cached.upstream.requests
        .slice(2)
        .map((request) => request.get('x-consumer-id') ?? '')
        .toSorted((one, other) => one.localeCompare(other)),
      ['acme', 'globex'],
      'and it is refreshed in the name of who asked',
    )
  })
}
