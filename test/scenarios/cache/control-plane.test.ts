import { request } from 'undici'
import { test, type Test } from 'tap'
import { managedGatewayBefore, PATIENCE, startManagedGateway } from '../../helper.ts'
import { startUpstream } from '../../upstream-server.ts'

/** What the routes answer, as far as these tests look at it. */
interface Body {
  purged?: number
  variants: { fields: { name: string; value: string }[] }[]
  metrics: { values: unknown[] }[]
}

interface Answer {
  status: number
  body: Body
}

interface Cached {
  /** Cache-Status of a GET. */
  get(path: string, authority?: string, fields?: [string, string][]): Promise<string>
  admin(method: 'GET' | 'POST', path: string, body?: object): Promise<Answer>
  purge(body: object): Promise<Answer>
}

async function cached(t: Test, cache: object = {}, further: [string, string][] = []): Promise<Cached> {
  const { gateway } = await managedGatewayBefore(
    t,
    (exchange) =>
      exchange.respond(
        200,
        [
          ['Cache-Control', 'max-age=60'],
          ['ETag', '"e"'],
          ['Vary', 'Accept-Language, Cookie'],
          ['Set-Cookie', 'session=canary-4711'],
          ['X-Api-Key', 'canary-4711'],
          ...further,
        ],
        'body-4711',
      ),
    { route: { cache: { profile: 'rfc', ...cache } } },
  )
  const admin: Cached['admin'] = async (method, path, body) => {
    const { statusCode, body: answer } = await request(`${gateway.adminUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${gateway.token}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    })
    return { status: statusCode, body: (await answer.json()) as Body }
  }
  return {
    async get(path, authority = 'a.test', fields = []) {
      const client = await gateway.client('h1')
      return (await client.request({ path, authority, fields })).get('cache-status') ?? ''
    },
    admin,
    purge: (body) => admin('POST', '/performance/cache/purge', body),
  }
}

const HIT = /headrace; hit/
const MISS = /fwd=uri-miss/

void test('a URL is purged however it is written, and nothing beside it', { timeout: PATIENCE }, async (t) => {
  const { get, purge } = await cached(t, { ignoreQuery: ['utm_*'], sortQuery: true })
  for (const url of [
    'http://A.TEST:80/%61?x=1&b=2',
    'http://a.test/a?b=2&x=1&utm_source=mail',
    '/a?b=2&x=1',
    '/./%61?utm_x=1&x=1&b=2',
  ]) {
    t.match(await get('/a?b=2&x=1&utm_campaign=y'), MISS)
    t.match(await get('/a?x=1&b=2'), HIT)
    await get('/d/a?b=2&x=1')
    t.strictSame(await purge({ url }), { status: 200, body: { purged: 1, processes: 1, waiting: 0 } }, url)
    t.match(await get('/d/a?b=2&x=1'), HIT, 'another path')
  }
  t.match(await get('/a', 'a.test:80'), MISS)
  t.match((await purge({ url: 'http://a.test/a' })).body, { purged: 1 }, 'the default port was written by the client')
})

void test('what stands for several queries is found and purged by each, routes left out of the query or not', {
  timeout: PATIENCE,
}, async (t) => {
  const { get, admin, purge } = await cached(t, { ignoreQuery: ['utm_*'] }, [['No-Vary-Search', 'params=("s")']])
  for (const target of ['/a?q=a%20b&utm_x=1&s=5', '/a?q=a+b&s=6', '/a?s=7&utm_y=2&q=a%20b']) {
    t.match(await get('/a?q=a%20b&s=5&utm_z=3'), MISS)
    for (const url of [target, `http://A.test${target}`]) {
      const { body } = await admin('GET', `/performance/cache/entry?url=${encodeURIComponent(url)}`)
      t.match(body.variants, [{ url: 'http://a.test/a?q=a+b', tags: [] }], url)
    }
    t.strictSame((await purge({ url: target, mode: 'soft' })).body, { purged: 1, processes: 1, waiting: 0 }, target)
    t.strictSame((await purge({ url: target })).body, { purged: 1, processes: 1, waiting: 0 }, target)
  }
})

void test('a prefix, a pattern, a tag, everything; hard and soft', { timeout: PATIENCE }, async (t) => {
  const { get, purge } = await cached(t, { tags: ['vehicles'] })
  const fill = async (): Promise<void> => {
    for (const path of ['/v/1', '/v/1/photo', '/v/2/photo']) await get(path)
    await get('/v/1', 'b.test')
  }
  const purged = async (body: object): Promise<number | undefined> => {
    await fill()
    return (await purge(body)).body.purged
  }
  t.equal(await purged({ prefix: '/v/1' }), 3)
  t.equal(await purged({ prefix: 'http://a.test' }), 3)
  t.equal(await purged({ pattern: '/v/*/photo' }), 2)
  t.equal(await purged({ pattern: 'http://*.test/v/1' }), 2)
  t.equal(await purged({ tag: 'other' }), 0)
  t.equal(await purged({ tag: 'vehicles', mode: 'soft' }), 4)
  t.match(await get('/v/1'), /fwd=stale/, 'still there, and validated')
  t.equal(await purged({ all: true }), 4)
  t.match(await get('/v/1'), MISS)
})

void test('what a purge cannot mean is a problem that says what to do', { timeout: PATIENCE }, async (t) => {
  const { purge, admin } = await cached(t)
  for (const [body, code] of [
    [{}, 'HR_CACHE_SELECTOR'],
    [{ url: '/a', tag: 'b' }, 'HR_CACHE_SELECTOR'],
    [{ mode: 'soft' }, 'HR_CACHE_SELECTOR'],
    [{ url: 'vehicles' }, 'HR_CACHE_TARGET'],
    [{ prefix: '/a%zz' }, 'HR_CACHE_TARGET'],
    [{ all: false }, 'FST_ERR_VALIDATION'],
    [{ url: '' }, 'FST_ERR_VALIDATION'],
    [{ tag: 'a', mode: 'gentle' }, 'FST_ERR_VALIDATION'],
  ] as const) {
    t.match(await purge(body), { status: 400, body: { code } }, JSON.stringify(body))
  }
  t.match(await admin('GET', '/performance/cache/entry?url=nothing'), {
    status: 400,
    body: { code: 'HR_CACHE_TARGET' },
  })
  t.match(await admin('GET', '/performance/cache/entry'), { status: 400 })
})

void test('an entry is told with all but its body and credentials', { timeout: PATIENCE }, async (t) => {
  const { get, admin } = await cached(t, { tags: ['vehicles'], varyBy: { headers: ['X-Tenant'] } })
  const fields: [string, string][] = [
    ['X-Tenant', 'canary-4711'],
    ['Cookie', 'session=canary-4711'],
    ['Accept-Language', 'de'],
  ]
  for (let turn = 0; turn < 3; turn++) await get('/a?b=1', 'a.test', fields)
  const { status, body } = await admin('GET', `/api/v1/performance/cache/entry?url=${encodeURIComponent('/%61?b=1')}`)
  t.equal(status, 200)
  t.match(body, { url: '/a?b=1', more: 0, missing: [] })
  t.equal(body.variants.length, 1)
  t.match(body.variants[0], {
    pid: process.pid,
    url: 'http://a.test/a?b=1',
    route: '/*',
    varyBy: ['x-tenant'],
    status: 200,
    state: 'fresh',
    invalidated: false,
    freshness: { source: 'max-age', lifetime: 60 },
    tags: ['vehicles'],
    vary: { 'accept-language': 'de', cookie: '[hidden]' },
    hits: 2,
    bodyBytes: 9,
    hidden: ['set-cookie', 'x-api-key'],
  })
  t.ok(body.variants[0]?.fields.some(({ name, value }) => name === 'etag' && value === '"e"'))
  t.notMatch(JSON.stringify(body), '4711')
  t.match((await admin('GET', '/performance/cache/entry?url=/other')).body, { variants: [] })
})

void test('the report has every cached route with its policy, and top keys without their URLs', {
  timeout: PATIENCE,
}, async (t) => {
  const { get, admin } = await cached(t, { ttl: 'short', send: { cacheControl: 'max-age=60' }, guard: true })
  for (let turn = 0; turn < 4; turn++) await get('/secret-path')
  const { body } = await admin('GET', '/performance/cache')
  t.match(body, {
    requests: { hits: 3, misses: 1, stores: 1, hitRatio: 0.75 },
    memory: { entries: 1, keys: 1 },
    tiers: [],
    flights: 0,
    missing: [],
    routes: [
      {
        route: '/*',
        hits: 3,
        policy: {
          profile: 'rfc',
          ttl: 300,
          guard: true,
          details: false,
          send: { cacheControl: 'max-age=60', cdnCacheControl: null, tags: 'origin' },
          words: { store: Array, send: ['Cache-Control: max-age=60'] },
        },
      },
    ],
    top: [{ hits: 3, variants: 1 }],
  })
  t.notMatch(JSON.stringify(body), 'secret-path')
  t.strictSame(
    (await admin('GET', '/performance/metrics?name=headrace_cache_requests_total')).body.metrics[0]?.values[0],
    {
      labels: { route: '/*', result: 'hit' },
      value: 3,
    },
  )
})

void test('without the token nothing is told and nothing purged', { timeout: PATIENCE }, async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200))
  const gateway = await startManagedGateway(t, {
    upstreams: { o: { targets: [upstream.origin] } },
    routes: { '/*': { to: 'o', cache: true } },
  })
  for (const [method, path] of [
    ['GET', '/performance/cache'],
    ['GET', '/performance/cache/entry?url=/a'],
    ['POST', '/performance/cache/purge'],
  ] as const) {
    const { statusCode, body } = await request(`${gateway.adminUrl}${path}`, { method })
    await body.dump()
    t.equal(statusCode, 401, path)
  }
})
