import { readdirSync } from 'node:fs'
import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import responseCache, { type ResponseCacheOptions } from '../../plugins/response-cache.ts'
import { noRedis, startRedis } from '../redis-server.ts'
import type { PurgeSource } from '../../services/cache/purge-source.ts'

async function start(t: Test, options: ResponseCacheOptions = {}): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(responseCache, options)
  return app
}

/** Calls of each handler are counted in its answer. */
function counting(headers: Record<string, string> = {}) {
  let calls = 0
  return {
    calls: () => calls,
    handler: async (_request: unknown, reply: { headers(fields: Record<string, string>): unknown }) => {
      reply.headers(headers)
      return { call: ++calls }
    },
  }
}

void test('values are kept in an application of anybody', async (t) => {
  const app = await start(t, { memory: { entries: 10, bytes: '1MiB' } })
  let calls = 0
  const vehicle = app.responseCache.wrap(async (id: number) => ({ id, call: ++calls }), {
    key: (id) => `vehicle:${id}`,
    ttl: '5m',
    tags: ['vehicles'],
  })
  app.get('/vehicles/:id', async (request) => vehicle(Number((request.params as { id: string }).id)))
  t.same((await app.inject('/vehicles/1')).json(), { id: 1, call: 1 })
  t.same((await app.inject('/vehicles/1')).json(), { id: 1, call: 1 })
  t.equal(await app.responseCache.purge({ tag: 'vehicles' }), 1)
  t.same((await app.inject('/vehicles/1')).json(), { id: 1, call: 2 })
})

void test('options that mean nothing end the start, and say what is wrong', async (t) => {
  await t.rejects(async () => Fastify().register(responseCache, { memory: { bytes: 'much' } }), {
    code: 'HR_CACHE_OPTION',
    message: /responseCache\.memory\.bytes/,
  })
  await t.rejects(async () => Fastify().register(responseCache, { redis: { url: 'nowhere' } }), {
    code: 'HR_CACHE_OPTION',
    message: /responseCache\.redis\.url/,
  })
  const app = await start(t)
  for (const cache of [{ ttl: 'soon' }, { tagz: ['a'] } as never, 7 as never, { send: { tags: 'none' } } as never]) {
    t.throws(() => app.get('/x', { config: { cache } }, async () => 1), {
      code: 'HR_CACHE_OPTION',
      message: /cache of GET \/x/,
    })
  }
})

void test('answers to GET are kept: with an ETag, Age and Cache-Status, for HEAD and 304 too', async (t) => {
  const app = await start(t)
  const { handler, calls } = counting()
  app.get('/v', { config: { cache: { ttl: 'short' } } }, handler)
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })

  const first = await fetch(`${origin}/v`)
  t.match(first.headers.get('cache-status'), /^headrace; fwd=uri-miss; fwd-status=200; ttl=(300|299); stored$/)
  const etag = first.headers.get('etag') ?? ''
  t.match(etag, /^W\/"[\w-]{22}"$/)
  t.same(await first.json(), { call: 1 })

  const hit = await fetch(`${origin}/v`)
  t.match(hit.headers.get('cache-status'), /^headrace; hit; ttl=(300|299)$/)
  t.match(hit.headers.get('age'), /^[01]$/)
  t.equal(hit.headers.get('etag'), etag)
  t.equal(hit.headers.get('date'), first.headers.get('date'), 'the Date is that of the stored answer')
  t.equal(hit.headers.get('content-type'), 'application/json; charset=utf-8')
  t.same(await hit.json(), { call: 1 })

  // fetch would add no-cache to a condition.
  const { host } = new URL(origin)
  const headers = { host, 'if-none-match': etag }
  const notModified = await app.inject({ url: '/v', headers })
  t.equal(notModified.statusCode, 304)
  t.match(notModified.headers['cache-status'], /^headrace; hit/)
  t.equal(notModified.headers['content-type'], undefined)

  const head = await fetch(`${origin}/v`, { method: 'HEAD' })
  t.match(head.headers.get('cache-status'), /^headrace; hit/)
  t.equal(head.headers.get('content-length'), String('{"call":1}'.length))
  const headNotModified = await app.inject({ method: 'HEAD', url: '/v', headers })
  t.equal(headNotModified.statusCode, 304)
  t.equal(headNotModified.headers['content-length'], undefined)

  const part = await fetch(`${origin}/v`, { headers: { range: 'bytes=0-3' } })
  t.equal(part.status, 206)
  t.equal(await part.text(), '{"ca')
  t.equal(calls(), 1)
})

void test('a mutation outdates what other routes store, also on a route without a cache', async (t) => {
  const app = await start(t)
  const answer = async () => ({ done: true })
  app.post('/early', answer)
  const cache = { ttl: '1m', ignoreQuery: ['utm_*'] }
  const { handler } = counting()
  for (const path of ['/v', '/early', '/made', '/plain']) app.get(path, { config: { cache } }, handler)
  app.get('/sorted', { config: { cache: { ttl: '1m', sortQuery: true } } }, handler)
  app.post('/v', answer)
  app.put('/v', { config: { cache: {} } }, answer)
  app.patch('/v', { config: { cache: false } }, async (_request, reply) => {
    reply.header('location', '/made')
    return reply.send({ done: true })
  })
  app.delete('/v', async (_request, reply) => reply.code(409).send({ done: false }))
  app.route({ method: ['PUT', 'GET'], url: '/sorted/plain', handler: answer })
  app.put('/sorted', answer)
  const isStored = async (url: string): Promise<boolean> =>
    /; hit/.test(String((await app.inject(url)).headers['cache-status']))
  const paths = ['/v', '/v?a=1', '/early', '/made', '/plain', '/sorted?a=1&b=2']
  const outdated = async (method: 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'GET', url: string): Promise<string[]> => {
    for (const path of paths) await app.inject(path)
    const mutated = await app.inject({ method, url })
    if (url !== '/v' || method !== 'PUT') t.equal(mutated.headers['cache-status'], undefined, 'nothing else is touched')
    const stored = await Promise.all(paths.map(isStored))
    return paths.filter((_, index) => stored[index] !== true)
  }
  t.strictSame(await outdated('POST', '/v'), ['/v'])
  t.strictSame(await outdated('POST', '/early'), ['/early'], 'whichever was added first')
  t.strictSame(await outdated('PUT', '/v'), ['/v'])
  t.strictSame(await outdated('PATCH', '/v?utm_x=1&a=1'), ['/v?a=1', '/made'])
  t.strictSame(await outdated('PUT', '/sorted?b=2&a=1'), ['/sorted?a=1&b=2'])
  t.strictSame(await outdated('DELETE', '/v'), [], 'an error changes nothing')
  t.strictSame(await outdated('GET', '/sorted/plain'), [])
  await app.inject('/v?a=1')
  await app.inject({ method: 'PUT', url: '/v?a=1&utm_x=1' })
  t.equal(await isStored('/v?a=1'), false, 'queries are compared as the route that reads writes them')
})

void test('the rules decide: what the handler says, methods, credentials, cookies, Vary', async (t) => {
  const app = await start(t)
  const cases: [name: string, headers: Record<string, string>, request: Record<string, string>, stored: boolean][] = [
    ['explicit', { 'cache-control': 'max-age=60' }, {}, true],
    ['no-store', { 'cache-control': 'no-store' }, {}, false],
    ['private', { 'cache-control': 'private' }, {}, false],
    ['set-cookie', { 'cache-control': 'max-age=60', 'set-cookie': 'a=1' }, {}, false],
    ['vary-any', { 'cache-control': 'max-age=60', vary: '*' }, {}, false],
    ['credentials', { 'cache-control': 'max-age=60' }, { authorization: 'Bearer x' }, false],
    ['credentials-public', { 'cache-control': 'public, max-age=60' }, { authorization: 'Bearer x' }, true],
    ['nothing-said', {}, {}, false],
  ]
  const counted = cases.map(([name, headers]) => {
    const { handler, calls } = counting(headers)
    app.get(`/${name}`, { config: { cache: true } }, handler)
    return calls
  })
  const { handler } = counting({ vary: 'accept-language' })
  app.get('/vary', { config: { cache: { ttl: '1m' } } }, handler)
  for (const [i, [name, , request, stored]] of cases.entries()) {
    await app.inject({ url: `/${name}`, headers: request })
    await app.inject({ url: `/${name}`, headers: request })
    t.equal(counted[i]?.(), stored ? 1 : 2, name)
  }
  const asked = async (language: string) =>
    (await app.inject({ url: '/vary', headers: { 'accept-language': language } })).json<{ call: number }>().call
  t.same([await asked('en'), await asked('de'), await asked('en'), await asked('de')], [1, 2, 1, 2])
})

void test('host, path and query are in the key; a GET with content, and a host that is none, pass by', async (t) => {
  const app = await start(t)
  const { handler, calls } = counting()
  app.get('/*', { config: { cache: { ttl: '1m', ignoreQuery: ['utm_*'] } } }, handler)
  for (const [url, host] of [
    ['/a', 'a.test'],
    ['/a', 'b.test'],
    ['/b', 'a.test'],
    ['/a?q', 'a.test'],
  ] as const) {
    await app.inject({ url, headers: { host } })
  }
  t.equal(calls(), 4)
  await app.inject({ url: '/a?utm_source=x', headers: { host: 'A.test' } })
  t.equal(calls(), 4)
  for (const given of [{ host: 'a.test/x' }, { host: 'a.test', 'content-length': '1' }]) {
    const answer = await app.inject({ url: '/a', headers: given, payload: 'x' })
    t.equal(answer.headers['cache-status'], undefined, JSON.stringify(given))
  }
  t.equal(calls(), 6)
})

void test('requests for the same run the handler once; one that fails runs for each', async (t) => {
  const app = await start(t)
  const gates: PromiseWithResolvers<string>[] = []
  app.get('/slow', { config: { cache: { ttl: '1m' } } }, () => {
    const gate = Promise.withResolvers<string>()
    gates.push(gate)
    return gate.promise
  })
  const asked = Array.from({ length: 20 }, () => app.inject('/slow'))
  await until(() => gates.length > 0)
  gates[0]?.resolve('x')
  const answers = await Promise.all(asked)
  t.same(new Set(answers.map(({ body }) => body)), new Set(['x']))
  t.equal(gates.length, 1)

  await app.responseCache.purge({ url: '/slow' })
  const failing = Array.from({ length: 3 }, () => app.inject('/slow'))
  await until(() => gates.length === 2)
  gates[1]?.reject(new Error('no'))
  await until(() => gates.length === 4)
  for (const gate of gates.slice(2)) gate.resolve('y')
  t.same(
    (await Promise.all(failing)).map(({ statusCode }) => statusCode).toSorted((a, b) => a - b),
    [200, 200, 500],
  )
})

void test('a client that leaves takes nothing from the others', async (t) => {
  const app = await start(t)
  const gates: PromiseWithResolvers<string>[] = []
  app.get('/slow', { config: { cache: { ttl: '1m' } } }, () => {
    const gate = Promise.withResolvers<string>()
    gates.push(gate)
    return gate.promise
  })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  const leaving = new AbortController()
  const left = fetch(`${origin}/slow`, { signal: leaving.signal })
  await until(() => gates.length === 1)
  const staying = fetch(`${origin}/slow`)
  leaving.abort()
  await t.rejects(left)
  // Its handler never answers; the other one runs its own.
  await until(() => gates.length === 2)
  gates[1]?.resolve('y')
  t.equal(await (await staying).text(), 'y')
})

void test('while one client has a stale answer made anew, the others are answered stale', async (t) => {
  const app = await start(t)
  let gate: PromiseWithResolvers<string> | undefined
  app.get(
    '/v',
    { config: { cache: { ttl: '1m', staleWhileRevalidate: '1h', tags: ['v'] } } },
    () => gate?.promise ?? 'old',
  )
  await app.inject('/v')
  t.equal(await app.responseCache.purge({ tag: 'v', mode: 'soft' }), 1)
  gate = Promise.withResolvers()
  const one = app.inject('/v')
  await turn()
  const other = await app.inject('/v')
  t.equal(other.body, 'old')
  t.match(other.headers['cache-status'], /^headrace; hit; ttl=(0|-1)$/)
  gate.resolve('new')
  t.equal((await one).body, 'new')
  t.equal((await app.inject('/v')).body, 'new')
})

void test('where the handler fails, stale is answered if that is allowed', async (t) => {
  const app = await start(t)
  let fails = false
  const urls = { '/allowed': { ttl: '1m', staleIfError: '1h' }, '/not': { ttl: '1m', staleIfError: '0s' } }
  for (const [url, cache] of Object.entries(urls)) {
    app.get(url, { config: { cache } }, async (_request, reply) => {
      if (fails) throw new Error('down')
      return reply.header('x-from', 'handler').type('text/plain').send('old')
    })
  }
  for (const url of Object.keys(urls)) {
    fails = false
    await app.inject(url)
    await app.responseCache.purge({ url, mode: 'soft' })
    fails = true
    const answer = await app.inject(url)
    if (url === '/not') t.equal(answer.statusCode, 500)
    else {
      t.equal(answer.statusCode, 200)
      t.equal(answer.body, 'old')
      t.match(answer.headers, { 'content-type': 'text/plain', 'x-from': 'handler', 'content-length': '3' })
      t.match(answer.headers['cache-status'], /fwd=stale; fwd-status=500; ttl=(0|-1)$/)
    }
  }
})

void test('what hooks say to one client is not said to the next', async (t) => {
  const app = await start(t)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers({ 'x-remaining': request.headers['x-client'], 'cache-control': 'max-age=60' })
  })
  const { handler } = counting({ 'x-handler': 'yes' })
  app.get('/v', { config: { cache: true } }, handler)
  await app.inject({ url: '/v', headers: { 'x-client': 'one' } })
  const hit = await app.inject({ url: '/v', headers: { 'x-client': 'two' } })
  t.match(hit.headers, { 'x-remaining': 'two', 'x-handler': 'yes', 'cache-control': 'max-age=60', age: /[01]/ })
  t.same(hit.json(), { call: 1 })
})

void test('hooks of the route run before the look-up, and see a hit on its way', async (t) => {
  const app = await start(t)
  const { handler, calls } = counting()
  const seen: string[] = []
  app.get(
    '/v',
    {
      config: { cache: { ttl: '1m' } },
      preHandler: async (request, reply) => {
        if (request.headers['x-key'] !== 'right') await reply.code(403).send({ no: true })
      },
      onSend: async (_request, _reply, payload) => {
        seen.push(String(payload))
        return `${String(payload)}!`
      },
    },
    handler,
  )
  const headers = { 'x-key': 'right' }
  t.equal((await app.inject({ url: '/v', headers })).body, '{"call":1}!')
  t.equal((await app.inject({ url: '/v', headers })).body, '{"call":1}!', 'what is stored is what the handler made')
  t.equal((await app.inject('/v')).statusCode, 403)
  t.equal(calls(), 1)
  t.equal(seen.length, 3)
})

void test('a stream is passed on, and not stored', async (t) => {
  const app = await start(t)
  const { Readable } = await import('node:stream')
  let calls = 0
  app.get('/stream', { config: { cache: { ttl: '1m' } } }, async (_request, reply) =>
    reply.send(Readable.from([`${++calls}`, ' parts'])),
  )
  t.equal((await app.inject('/stream')).body, '1 parts')
  t.equal((await app.inject('/stream')).body, '2 parts')
})

void test('bodies of bytes, large ones and empty ones come back as they were', async (t) => {
  const app = await start(t)
  const bodies: Record<string, Buffer> = {
    bytes: Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
    large: Buffer.alloc(100_000, 'é'),
    empty: Buffer.alloc(0),
  }
  for (const [name, body] of Object.entries(bodies)) {
    app.get(`/${name}`, { config: { cache: { ttl: '1m' } } }, async (_request, reply) =>
      reply.type('image/x').send(body),
    )
  }
  for (const [name, body] of Object.entries(bodies)) {
    await app.inject(`/${name}`)
    const hit = await app.inject(`/${name}`)
    t.match(hit.headers['cache-status'], /hit/, name)
    t.same(hit.rawPayload, body, name)
    t.equal(hit.headers['content-type'], 'image/x')
  }
})

void test('a mutation that succeeds makes its URL invalid, and purges what the route names', async (t) => {
  const app = await start(t)
  const { handler, calls } = counting()
  app.get('/v/1', { config: { cache: { ttl: '1m' } } }, handler)
  let status = 400
  app.put('/v/1', { config: { cache: { invalidates: ['v'] } } }, async (_request, reply) => reply.code(status).send())
  await app.responseCache.set('v:1', 1, { tags: ['v'] })
  await app.inject('/v/1')
  await app.inject({ method: 'PUT', url: '/v/1' })
  await app.inject('/v/1')
  t.equal(calls(), 1)
  t.equal(await app.responseCache.get('v:1'), 1)
  status = 204
  await app.inject({ method: 'PUT', url: '/v/1' })
  await app.inject('/v/1')
  t.equal(calls(), 2)
  t.equal(await app.responseCache.get('v:1'), undefined)
})

void test('one tag purges values and answers, also of a handler that has begun', async (t) => {
  const app = await start(t)
  const gates: PromiseWithResolvers<string>[] = []
  app.get('/v', { config: { cache: { ttl: '1m', tags: ['v'] } } }, () => {
    const gate = Promise.withResolvers<string>()
    gates.push(gate)
    return gate.promise
  })
  await app.responseCache.set('v', 1, { tags: ['v'] })
  const before = app.inject('/v')
  await until(() => gates.length === 1)
  t.equal(await app.responseCache.purge({ tag: 'v' }), 1)
  gates[0]?.resolve('old')
  t.notMatch((await before).headers['cache-status'], /stored/)
  const after = app.inject('/v')
  await until(() => gates.length === 2)
  gates[1]?.resolve('new')
  t.equal((await after).body, 'new')
})

void test('only-if-cached is 504 where nothing is stored', async (t) => {
  const app = await start(t)
  const { handler, calls } = counting()
  app.get('/v', { config: { cache: { ttl: '1m' } } }, handler)
  const answer = await app.inject({ url: '/v', headers: { 'cache-control': 'only-if-cached' } })
  t.equal(answer.statusCode, 504)
  t.match(answer.body, 'HR_CACHE_ONLY_IF_CACHED')
  t.equal(calls(), 0)
})

void test('nothing outside its scope is changed, nor a route that does not ask for it', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  const config = { cache: { ttl: '1m' } }
  const before = counting()
  const beside = counting()
  const silent = counting()
  const inside = counting()
  app.get('/before', { config }, before.handler)
  await app.register(async (scope) => {
    await scope.register(responseCache)
    scope.get('/inside', { config }, inside.handler)
    scope.get('/silent', silent.handler)
    scope.get('/off', { config: { cache: false } }, silent.handler)
  })
  await app.register(async (scope) => {
    t.notOk(scope.hasDecorator('responseCache'))
    scope.get('/beside', { config }, beside.handler)
  })
  for (const url of ['/before', '/beside', '/silent', '/inside', '/before', '/beside', '/silent', '/inside', '/off']) {
    const { headers } = await app.inject(url)
    if (url !== '/inside') {
      t.equal(headers['cache-status'], undefined, url)
      t.equal(headers.etag, undefined, url)
    }
  }
  t.same([before.calls(), beside.calls(), silent.calls(), inside.calls()], [2, 2, 3, 1])
})

void test('a source purges from the start on, and stops with the application', async (t) => {
  let tell: Parameters<PurgeSource['start']>[0] = () => undefined
  let stopped = false
  const source: PurgeSource = {
    name: 'fake',
    async start(onPurge) {
      tell = onPurge
      return () => {
        stopped = true
      }
    },
  }
  const app = Fastify()
  await app.register(responseCache, { purgeSources: [source] })
  await app.responseCache.set('v', 1, { tags: ['vehicles'] })
  tell({ tag: 'vehicles' })
  t.equal(await app.responseCache.get('v'), undefined)
  await app.close()
  t.equal(stopped, true)
})

/** A turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await turn()
}

void test('answers of routes are shared through the second tier, by HEAD and conditions too', {
  skip: noRedis,
}, async (t) => {
  const server = await startRedis(t)
  const redis = { url: server.url }
  for (const memory of [{}, { enabled: false }]) {
    const apps = [await start(t, { redis, memory }), await start(t, { redis, memory })] as const
    const [one, other] = apps
    const { handler, calls } = counting()
    for (const app of apps) app.get('/:id', { config: { cache: { ttl: '1m', tags: ['v'] } } }, handler)
    await Promise.all(apps.map(settledTier))
    let hits = 0
    // On a busy machine a look may come too late, and the tier is left alone for a while then.
    for (let round = 0; hits === 0; round++) {
      const paths = Array.from({ length: 20 }, (_, i) => `/${round}-${i}`)
      for (const path of paths) t.match((await one.inject(path)).headers['cache-status'], /stored/)
      await Promise.all(apps.map(settledTier))
      const before = calls()
      for (const url of paths) {
        const head = await other.inject({ method: 'HEAD', url })
        if (String(head.headers['cache-status']).startsWith('headrace; hit')) hits++
      }
      t.equal(calls() - before, paths.length - hits)
    }
    await other.responseCache.purge({ tag: 'v' })
  }
})

void test('without any tier a handler still answers all who ask meanwhile', async (t) => {
  const app = await start(t, { memory: { enabled: false } })
  const gates: PromiseWithResolvers<string>[] = []
  app.get('/slow', { config: { cache: { ttl: '1m' } } }, () => {
    const gate = Promise.withResolvers<string>()
    gates.push(gate)
    return gate.promise
  })
  const asked = Array.from({ length: 20 }, () => app.inject('/slow'))
  await until(() => gates.length > 0)
  gates[0]?.resolve('x')
  const told = (await Promise.all(asked)).map(({ body, headers }) => `${body} ${String(headers['cache-status'])}`)
  t.match(told[0], /^x headrace; fwd=uri-miss; fwd-status=200; ttl=\d+$/)
  t.ok(told.slice(1).every((each) => each.startsWith('x headrace; hit')))
  t.equal(gates.length, 1)
})

/** Until the tier behind it has been reached, and has what was written. */
async function settledTier(app: FastifyInstance): Promise<void> {
  await until(() => {
    const { second } = app.responseCache.stats()
    return second?.state === 'up' && second.queued === 0
  })
}

void test('in Redis values are shared by applications, and a purge in one reaches the memory of the others', {
  skip: noRedis,
}, async (t) => {
  const server = await startRedis(t)
  const redis = { url: server.url, keep: '1h' }
  const [one, other] = [await start(t, { redis }), await start(t, { redis })] as const
  await Promise.all([settledTier(one), settledTier(other)])
  let calls = 0
  const make = () => ({ call: ++calls })
  const options = { tags: ['vehicles'] }
  t.same(await one.responseCache.getOrSet('v', make, options), { call: 1 })
  await settledTier(one)
  // On a busy machine a look may come too late.
  await until(async () => (await other.responseCache.get('v')) !== undefined)
  t.same(await other.responseCache.getOrSet('v', make, options), { call: 1 })
  t.match(other.responseCache.stats().second, { name: 'redis', hits: 1, bus: { state: 'following' } })
  await one.responseCache.purge({ tag: 'vehicles' })
  // Told of by a message; until then its memory has it.
  await until(async () => (await other.responseCache.get('v')) === undefined)
  t.same(await other.responseCache.getOrSet('v', make, options), { call: 2 })
  await other.responseCache.set('v', 'set')
  await settledTier(other)
  await until(async () => (await one.responseCache.get('v')) === 'set')
  await Promise.all([one.close(), other.close()])
  await until(async () => !(await server.cli('CLIENT', 'LIST')).includes('name=headrace'))
})

void test('on disk values outlive the application; without being told to, nothing is written', async (t) => {
  const root = t.testdir()
  const first = await start(t, { disk: { bytes: '8MiB' }, root })
  await settledTier(first)
  await first.responseCache.set('v', { n: 1n })
  await first.close()
  const second = await start(t, { disk: {}, memory: { enabled: false }, root })
  await settledTier(second)
  // On a busy machine a look may come too late.
  await until(async () => (await second.responseCache.get<{ n: bigint }>('v'))?.n === 1n)
  await second.close()
  const folder = t.testdir()
  await (await start(t, { root: folder })).responseCache.set('v', 1)
  t.same(readdirSync(folder), [])
})
