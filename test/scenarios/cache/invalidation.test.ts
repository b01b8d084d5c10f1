import { test } from 'tap'
import { PATIENCE } from '../../helper.ts'
import type { Field } from '../../wire.ts'
import { type Cached, cachedBefore, type CachedOptions, status } from './cached.ts'
import type { Test } from 'tap'

const FRESH: Field = ['Cache-Control', 'max-age=60']

/** GETs are stored, with the groups that the path names; anything else is answered as `X-Answer` and the rest say. */
async function storing(t: Test, options: CachedOptions = {}): Promise<Cached> {
  return cachedBefore(
    t,
    (exchange) => {
      const { request } = exchange
      if (request.method === 'GET') {
        const group = /group-(\w+)/.exec(request.target)?.[1]
        return exchange.respond(200, group === undefined ? [FRESH] : [FRESH, ['Cache-Groups', `"${group}"`]], 'stored')
      }
      const [code = '200', ...fields] = (request.get('x-answer') ?? '').split('|')
      const answer = fields.map((field) => /^([^=]+)=(.*)$/.exec(field)!.slice(1) as [string, string])
      return exchange.respond(Number(code || '200'), answer, '')
    },
    options,
  )
}

const isStored = async (cached: Cached, path: string): Promise<boolean> =>
  status(await cached.get(path)).startsWith('hit')

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'PURGE']) {
  void test(`a ${method} that succeeds invalidates its target and what it names on the same origin`, {
    timeout: PATIENCE,
  }, async (t) => {
    const cached = await storing(t)
    const paths = ['/x?a=1', '/made%20here', '/location', '/else', '/x']
    for (const path of paths) await cached.get(path)
    const fields: Field[] = [['X-Answer', '201|Location=/made%20here|Content-Location=http://gateway.test/location']]
    await cached.ask(method, '/x?a=1', { fields })
    const left = await Promise.all(paths.map((path) => isStored(cached, path)))
    t.strictSame(left, [false, false, false, true, true])
  })
}

const ANSWERS: [answer: string, invalidates: boolean][] = [
  ['200', true],
  ['204', true],
  ['302', true],
  ['400', false],
  ['404', false],
  ['500', false],
]

for (const [answer, invalidates] of ANSWERS) {
  void test(`a PUT that is answered ${answer} invalidates ${invalidates ? 'it' : 'nothing'}`, {
    timeout: PATIENCE,
  }, async (t) => {
    const cached = await storing(t)
    await cached.get('/x')
    await cached.ask('PUT', '/x', { fields: [['X-Answer', answer]], body: 'new' })
    t.equal(await isStored(cached, '/x'), !invalidates)
  })
}

void test('safe methods invalidate nothing', { timeout: PATIENCE }, async (t) => {
  const cached = await storing(t)
  await cached.get('/x')
  for (const method of ['OPTIONS', 'PROPFIND', 'REPORT', 'SEARCH', 'QUERY']) await cached.ask(method, '/x')
  t.equal(await isStored(cached, '/x'), true)
})

void test("another origin's URL is not touched", { timeout: PATIENCE }, async (t) => {
  const cached = await storing(t)
  const client = await cached.client()
  const theirs = { path: '/x', authority: 'other.test' }
  await client.request(theirs)
  await cached.ask('POST', '/y', { fields: [['X-Answer', '201|Location=http://other.test/x']] })
  t.match(status(await client.request(theirs)), /^hit/)
})

void test('all variants go', { timeout: PATIENCE }, async (t) => {
  const cached = await cachedBefore(t, (exchange) => exchange.respond(200, [FRESH, ['Vary', 'X-A']], 'x'))
  for (const a of ['1', '2']) await cached.get('/x', [['X-A', a]])
  t.equal(cached.store.stats().entries, 2)
  await cached.ask('DELETE', '/x')
  t.equal(cached.store.stats().entries, 0)
})

void test('a URL is invalidated however the parameters that are left out or sorted stand in it', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await storing(t, { cache: { ignoreQuery: ['utm_*'], sortQuery: true } })
  for (const [stored, changed] of [
    ['/x?b=1&a=2', '/x?utm_source=y&a=2&b=1'],
    ['/y', '/y?utm_source=y'],
  ] as const) {
    await cached.get(stored)
    await cached.ask('PUT', changed)
    t.equal(await isStored(cached, stored), false, stored)
  }
  await cached.get('/z?b=1&a=2')
  await cached.ask('POST', '/other', { fields: [['X-Answer', '201|Location=/z?b=1&utm_x=1&a=2']] })
  t.equal(await isStored(cached, '/z?b=1&a=2'), false)
})

void test('the port that the scheme has anyway makes no difference', { timeout: PATIENCE }, async (t) => {
  const cached = await storing(t)
  const client = await cached.client()
  for (const authority of ['gateway.test', 'gateway.test:80']) await client.request({ path: '/x', authority })
  await client.request({ method: 'PUT', path: '/x', authority: 'gateway.test:80' })
  t.equal(cached.store.stats().entries, 0)
})

void test('groups (RFC 9875) and the tags that a route names go', { timeout: PATIENCE }, async (t) => {
  const cached = await storing(t, {
    cache: { tags: ['all'] },
    routes: { '/change/*': { to: 'origin', cache: { invalidates: ['all'] } } },
  })
  const paths = ['/group-a', '/group-b', '/c']
  for (const path of paths) await cached.get(path)
  await cached.ask('POST', '/x', { fields: [['X-Answer', '200|Cache-Group-Invalidation="a"']] })
  t.strictSame(await Promise.all(paths.map((path) => isStored(cached, path))), [false, true, true])
  await cached.ask('POST', '/change/x', { fields: [['X-Answer', '500']] })
  t.equal(await isStored(cached, '/c'), true)
  await cached.ask('POST', '/change/x')
  t.strictSame(await Promise.all(paths.map((path) => isStored(cached, path))), [false, false, false])
})

void test('the tags that an origin gives are purged by, together with those of the route', {
  timeout: PATIENCE,
}, async (t) => {
  const fields: Record<string, Field[]> = {
    '/keys': [['Surrogate-Key', 'vehicle-7 list']],
    '/tags': [['Cache-Tag', 'vehicle-8, list']],
    '/plain': [],
  }
  const cached = await cachedBefore(
    t,
    ({ request, respond }) => respond(200, [FRESH, ...(fields[request.target] ?? [])], ''),
    { cache: { tags: ['all'] } },
  )
  const left = async (tag: string): Promise<boolean[]> => {
    for (const path of Object.keys(fields)) await cached.get(path)
    await cached.cache.purge({ kind: 'tag', tag }, 'hard')
    return Promise.all(Object.keys(fields).map((path) => isStored(cached, path)))
  }
  t.strictSame(await left('vehicle-7'), [false, true, true])
  t.strictSame(await left('vehicle-8'), [true, false, true])
  t.strictSame(await left('list'), [false, false, true])
  t.strictSame(await left('all'), [false, false, false])
})

void test('a 304 keeps the tags of what is stored, or replaces them; so does an answer to HEAD', {
  timeout: PATIENCE,
}, async (t) => {
  const ANSWERS: Field[][] = ['one', '', 'two', 'three'].map((key) => (key === '' ? [] : [['Surrogate-Key', key]]))
  let count = 0
  const cached = await cachedBefore(t, ({ request, respond }) => {
    const fields = ANSWERS[count++] ?? []
    return request.get('if-none-match') === undefined
      ? respond(200, [FRESH, ['ETag', '"a"'], ...fields], 'x')
      : respond(304, [FRESH, ['ETag', '"a"'], ...fields])
  })
  const tags = (): readonly string[] | undefined => cached.cache.find('/x')[0]?.entries[0]?.stored.tags
  await cached.get('/x')
  t.strictSame(tags(), ['one'])
  cached.pass(61)
  await cached.get('/x')
  t.strictSame(tags(), ['one'])
  cached.pass(61)
  await cached.get('/x')
  t.strictSame(tags(), ['two'])
  cached.pass(61)
  await cached.ask('HEAD', '/x')
  t.strictSame(tags(), ['three'])
})

void test('who asks after a purge of a tag is not answered with what was asked for before', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const cached = await cachedBefore(t, async (exchange) => {
    const own = ++count
    await exchange.send(
      'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nSurrogate-Key: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    await exchange.chunk(`answer ${own}`)
    if (own === 1) await gate.promise
    await exchange.lastChunk()
  })
  const first = await (await cached.client()).open({ path: '/x' })
  await first.response.chunk()
  await cached.cache.purge({ kind: 'tag', tag: 'a' }, 'hard')
  t.equal(String((await cached.get('/x')).body), 'answer 2')
  gate.resolve()
  t.equal(String((await first.response.whole()).body), 'answer 1')
  t.equal(String((await cached.get('/x')).body), 'answer 2')
})

/** Mutations go to a route of their own, which has no cache. */
const PLAIN = { routes: { 'POST,PUT,PURGE /*': { to: 'origin' } } }

for (const method of ['POST', 'PURGE']) {
  void test(`a ${method} on a route without a cache invalidates what routes with one have stored`, {
    timeout: PATIENCE,
  }, async (t) => {
    const cached = await storing(t, { ...PLAIN, cache: { ignoreQuery: ['utm_*'] } })
    const paths = ['/x?a=1', '/here?a=1', '/location', '/else']
    for (const path of paths) await cached.get(path)
    const named = 'Location=/here?utm_source=y&a=1|Content-Location=http://gateway.test/location'
    const fields: Field[] = [['X-Answer', `201|${named}`]]
    const answer = await cached.ask(method, '/x?utm_source=y&a=1', { fields })
    t.equal(answer.get('cache-status'), undefined, 'and says nothing of a cache')
    const left = await Promise.all(paths.map((path) => isStored(cached, path)))
    t.strictSame(left, [false, false, false, true])
  })
}

void test('a mutation on a route without a cache that fails invalidates nothing', { timeout: PATIENCE }, async (t) => {
  const cached = await storing(t, PLAIN)
  await cached.get('/x')
  for (const answer of ['400', '404', '500']) await cached.ask('PUT', '/x', { fields: [['X-Answer', answer]] })
  t.equal(await isStored(cached, '/x'), true)
})

void test('groups that a route without a cache names go', { timeout: PATIENCE }, async (t) => {
  const cached = await storing(t, PLAIN)
  for (const path of ['/group-a', '/group-b']) await cached.get(path)
  await cached.ask('POST', '/other', { fields: [['X-Answer', '200|Cache-Group-Invalidation="a"']] })
  t.equal(await isStored(cached, '/group-a'), false)
  t.equal(await isStored(cached, '/group-b'), true)
})

void test('what shares a group with what is invalidated goes with it, and nothing beyond (RFC 9875 §2.2.1)', {
  timeout: PATIENCE,
}, async (t) => {
  const groups: Record<string, string> = { '/7': '"list"', '/list': '"list", "all"', '/all': '"all"' }
  const cached = await cachedBefore(
    t,
    ({ request, respond }) =>
      respond(200, request.method === 'GET' ? [FRESH, ['Cache-Groups', groups[request.target] ?? '']] : [], ''),
    PLAIN,
  )
  const paths = ['/7', '/list', '/all']
  for (const path of paths) await cached.get(path)
  await cached.ask('PUT', '/7')
  t.strictSame(await Promise.all(paths.map((path) => isStored(cached, path))), [false, false, true])
})

void test('a mutation is watched only where some route caches, and purges only what routes store', {
  timeout: PATIENCE,
}, async (t) => {
  const announced: unknown[] = []
  const cached = await storing(t, {
    route: { cache: false },
    routes: { 'GET /cached/*': { to: 'origin', cache: true }, '/cached/*': { to: 'origin' } },
  })
  cached.cache.announce = (selectors) => announced.push(...selectors)
  await cached.ask('POST', '/x')
  t.strictSame(announced, [], 'no other process hears of what nobody stores')
  await cached.ask('POST', '/cached/x')
  const url = 'http://gateway.test/cached/x'
  t.strictSame(announced, [
    { kind: 'url', url },
    { kind: 'tag', tag: `url ${url}` },
  ])
  const without = await storing(t, { route: { cache: false } })
  await without.ask('POST', '/x')
  await without.ask('POST', '/x')
  t.same(
    [...cached.finished, ...without.finished].map(({ reply }) => reply.constructor.name),
    ['ObservedReply', 'ObservedReply', 'Http1Reply', 'Http1Reply'],
  )
})

for (const [family, told, plain] of [
  ['X-Forwarded-Host', 'API.test:80', 'api.test'],
  ['Forwarded', 'host=API.test', 'api.test'],
] as const) {
  void test(`what a trusted proxy was asked for by its public name goes by that too (${family})`, {
    timeout: PATIENCE,
  }, async (t) => {
    const cached = await storing(t, {
      cache: { ignoreQuery: ['utm_*'] },
      config: { forwarded: { trust: ['loopback'] } },
    })
    const fields: Field[] = [[family, told]]
    const get = async (path: string): Promise<string> => status(await cached.get(path, fields)).slice(0, 3)
    const url = `http://${plain}/y?a=1`
    for (const location of [url, '/y?a=1', 'http://gateway.test/y?a=1&utm_x=1']) {
      for (const path of ['/y?a=1&utm_y=1', '/x', '/z']) await cached.get(path, fields)
      t.equal(await get('/y?a=1'), 'hit')
      await cached.ask('POST', '/x', { fields: [...fields, ['X-Answer', `201|Location=${location}`]] })
      t.strictSame([await get('/y?a=1'), await get('/x'), await get('/z')], ['fwd', 'fwd', 'hit'], location)
    }
    t.equal(cached.cache.find(url).length, 1)
    t.equal(await cached.cache.purge({ kind: 'url', url: 'http://other.test/y?a=1' }, 'hard'), 0)
    t.equal(await cached.cache.purge({ kind: 'url', url: `http://${plain}/y?a=2` }, 'hard'), 0)
    t.equal(await cached.cache.purge({ kind: 'url', url }, 'hard'), 1)
    t.equal(await get('/y?a=1'), 'fwd')
    for (const selector of [
      { kind: 'url', url: 'http://gateway.test/y?a=1' },
      { kind: 'prefix', prefix: `http://${plain}/y` },
      { kind: 'pattern', pattern: `*://${plain}/*` },
    ] as const) {
      await cached.get('/y?a=1', fields)
      await cached.cache.purge(selector, 'hard')
      t.equal(await get('/y?a=1'), 'fwd', selector.kind)
    }
    // Whoever asks the gateway itself changes the same.
    await cached.ask('PUT', '/y?a=1')
    t.equal(await get('/y?a=1'), 'fwd')
  })
}

void test('a mutation without a Host (HTTP/1.0) is answered, and invalidates', { timeout: PATIENCE }, async (t) => {
  const cached = await storing(t)
  for (const path of ['/', '/x']) {
    for (const method of ['GET', 'POST', 'GET']) {
      const raw = await cached.raw()
      const answer = await raw.exchange(`${method} ${path} HTTP/1.0\r\n\r\n`, method)
      t.equal(answer.status, 200)
      if (method === 'GET') t.match(status(answer), /^fwd=uri-miss/)
    }
  }
})

void test('a fill that began before a mutation was answered is not stored after it', {
  timeout: PATIENCE,
}, async (t) => {
  const gate = Promise.withResolvers<void>()
  let count = 0
  const cached = await cachedBefore(t, async (exchange) => {
    const own = ++count
    if (own === 1) await gate.promise
    await exchange.respond(200, [FRESH], `answer ${own}`)
  })
  const reading = cached.get('/x')
  await cached.upstream.received(1)
  await cached.ask('PUT', '/x')
  gate.resolve()
  t.equal(String((await reading).body), 'answer 1')
  t.equal(cached.store.stats().entries, 0)
  t.equal(String((await cached.get('/x')).body), 'answer 3')
})

void test('a mutation purges nothing by the tags of what is stored at its URL', { timeout: PATIENCE }, async (t) => {
  const tagged: Field[] = [FRESH, ['Surrogate-Key', 'list']]
  const cached = await cachedBefore(t, (exchange) => exchange.respond(200, tagged), { cache: { tags: ['own'] } })
  for (const path of ['/x', '/y']) await cached.get(path)
  await cached.ask('PUT', '/x')
  t.match(status(await cached.get('/x')), /^fwd/)
  t.match(status(await cached.get('/y')), /^hit/)
})
