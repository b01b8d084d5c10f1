import { test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'

const UPSTREAMS = { o: { targets: ['http://127.0.0.1:1'] } }

/** What is said of routes with these caches: `path: message`, and what was meant. */
function told(routes: Record<string, unknown>, rest: object = {}): string[] {
  const full = Object.entries(routes).map(([key, cache]) => [key, { to: 'o', cache }])
  try {
    resolveConfig({ upstreams: UPSTREAMS, routes: Object.fromEntries(full), ...rest })
    return []
  } catch (error) {
    const { problems } = error as { problems: { path: string; message: string; suggestion: string | null }[] }
    return problems.map(
      ({ path, message, suggestion }) => `${path}: ${message}${suggestion === null ? '' : `; ${suggestion}?`}`,
    )
  }
}

const one = (cache: unknown, key = '/a'): string[] => told({ [key]: cache })

void test('a cache that means something is left alone', async (t) => {
  t.strictSame(
    told({
      '/a': true,
      '/b': {},
      '/c': { ttl: 'short', statuses: [200, 404, 503], tags: ['c'], ignoreQuery: ['utm_*', 'fbclid'] },
      '/d': {
        ttl: '90s',
        respectOrigin: false,
        varyBy: { headers: ['X-Tenant'], cookies: ['theme'] },
        languages: ['de'],
      },
      'DELETE,PUT /e': { invalidates: ['c', 'made-by-code'] },
      'PATCH /f': true,
      'POST /g': { ttl: '1m', methods: ['POST'] },
      'QUERY /h': { ttl: '1m' },
    }),
    [],
  )
})

void test('a lifetime without its unit says how it is written', async (t) => {
  t.match(one({ ttl: 60 }), [/ttl: expected 'short' \(5 minutes\), 'long' \(1 hour\) or a duration .* got 60; '60s'\?/])
  t.match(one({ ttl: '90' }), [/'90s'\?/])
  t.match(one({ ttl: '5 minutes' }), [/'5m'\?/])
  t.match(one({ staleIfError: 5 }), [/'5s'\?/])
})

void test('statuses that are never stored are told, with what to do instead', async (t) => {
  t.match(one({ statuses: [200, 206] }), [/statuses\[1\]: a 206 is a part of a 200.*list 200/])
  for (const status of [304, 401, 407, 412, 416, 429])
    t.match(one({ statuses: [status] }), [/leave it out/], String(status))
  t.match(one({ statuses: [404, 404] }), [/404 is listed already/])
})

void test('what must not stand in a key, and what does anyway', async (t) => {
  const headers = (...names: string[]): string[] => one({ varyBy: { headers: names } })
  t.match(headers('Authorization'), [/varyBy.headers\[0\]: what depends on credentials is not shared/])
  t.match(headers('cookie'), [/varyBy\.cookies/])
  t.match(headers('X-Forwarded-For'), [/the gateway writes it anew/])
  t.match(headers('X-Forwarded-Host'), [/part of every key/])
  t.match(headers('Host'), [/part of every key/])
  t.match(headers('x-a', 'X-A'), [/'X-A' is listed already/])
  t.match(headers('x a'), [/no name of a field/])
  t.match(one({ varyBy: { cookies: ['a', 'a', 'b;c'] } }), [/'a' is listed already/, /no name of a cookie/])
})

void test('parameters that are left out twice, or a star that stands for itself', async (t) => {
  const ignore = (...names: string[]): string[] => one({ ignoreQuery: names })
  t.match(ignore('utm_*', 'utm_source'), [/ignoreQuery\[1\]: 'utm_\*' covers 'utm_source' already/])
  t.match(ignore('a', 'b', 'a'), [/ignoreQuery\[2\]: 'a' is listed already/])
  t.match(ignore('a*b'), [/the \* stands for itself/])
})

void test('what has no effect', async (t) => {
  t.match(one({ respectOrigin: false }), [/respectOrigin: without a ttl/])
  t.match(one({ ttl: '1m' }, 'DELETE,PUT /a'), [/cache.ttl: nothing of DELETE, PUT is stored, so ttl has no effect/])
  t.match(one({ tags: ['a'] }, 'POST /a'), [/keep invalidates; POST is with methods: \['POST'\]/])
  t.match(one({ send: { cacheControl: 'max-age=1' } }, 'POST /a'), [/cache.send: nothing of POST is stored/])
  t.match(told({ '/a': { maxEntryBytes: '2MiB' } }, { cache: { memory: { bytes: '1MiB' } } }), [
    /maxEntryBytes: nothing larger/,
  ])
})

void test('lists have an end, and no name is empty', async (t) => {
  t.match(one({ tags: Array.from({ length: 65 }, (_, i) => `t${i}`) }), [/tags: expected at most 64 items, got 65/])
  t.match(one({ tags: [''] }), [/tags\[0\]: expected a name, got ''/])
  t.match(one({ languages: [] }), [/languages: expected at least 1 item/])
})
