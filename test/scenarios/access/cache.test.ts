import { test } from 'tap'
import { hashPassword } from '../../../services/access/basic/password.ts'
import { httpServer } from '../../cli/running.ts'
import { gatewayBefore, PATIENCE } from '../../helper.ts'
import { keyFor } from '../../services/access/given.ts'
import { AUDIENCE, ISSUER, signerOf } from '../../tokens.ts'
import type { UpstreamExchange } from '../../upstream-exchange.ts'
import type { Field } from '../../wire.ts'
import { FakeTier } from '../../services/cache/fake-tier.ts'
import { standstill } from '../../signal.ts'
import { type CachedOptions, cachedBefore, cachedBeside, status } from '../cache/cached.ts'

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

void test('those who ask at once wait for those alone who are the same', { timeout: PATIENCE }, async (t) => {
  const gate = Promise.withResolvers<void>()
  const answer = careless()
  const cached = await cachedBefore(
    t,
    async (exchange) => {
      await gate.promise
      await answer(exchange)
    },
    guarded(),
  )
  const client = await cached.client('h2')
  const open = (fields: Field[]) => client.open({ path: '/a', fields })
  const opened = await Promise.all([A, G, A, G, A, G].map((fields) => open(fields)))
  await cached.upstream.received(2)
  await standstill(() => cached.cache.flights)
  gate.resolve()
  const bodies = await Promise.all(opened.map(async ({ response }) => (await response.whole()).body.toString()))
  t.strictSame(bodies, ['for acme', 'for globex', 'for acme', 'for globex', 'for acme', 'for globex'])
  t.equal(cached.upstream.requests.length, 2)
})

void test('a QUERY is one caller’s too, and a mutation reaches what is stored for all', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, careless(), guarded())
  const query = (fields: Field[]) =>
    cached.ask('QUERY', '/q', { body: '{}', fields: [...fields, ['Content-Type', 'application/json']] })
  t.equal((await query(A)).body.toString(), 'for acme')
  t.equal((await query(G)).body.toString(), 'for globex')
  t.match(status(await query(A)), 'hit')
  for (const fields of [A, G]) await cached.get('/a', fields)
  t.equal((await cached.ask('PUT', '/a', { fields: A, body: 'x' })).status, 200)
  for (const fields of [A, G])
    t.match(status(await cached.get('/a', fields)), 'fwd=uri-miss', 'what one changes, all see')
  t.equal(await cached.cache.purge({ kind: 'url', url: '/a' }, 'hard'), 2)
  t.equal(cached.cache.find('http://gateway.test/a').length, 0)
})

void test('what the route shows of keys names nobody, and nothing by which somebody is proved', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, careless(), guarded({ cache: { details: true } }))
  const shown = status(await cached.get('/a', A))
  t.match(shown, /key=".*identity: /)
  t.notMatch(shown, acme.key.slice(-28))
  t.notMatch(shown, 'acme')
})

void test('only a route that says that it is public shares what it stores, as far as it says', {
  timeout: PATIENCE,
}, async (t) => {
  const route = { access: { by: ['key', 'anonymous'], public: true } }
  const cached = await cachedBefore(t, careless(), guarded({ route }))
  t.equal((await cached.get('/a', A)).body.toString(), 'for acme')
  t.equal((await cached.get('/a', G)).body.toString(), 'for acme', 'as it was asked for')
  t.match(status(await cached.get('/a')), 'hit')
  const varied = await cachedBefore(t, careless(), guarded({ route, cache: { varyBy: { consumer: true } } }))
  for (const [fields, who] of [
    [A, 'acme'],
    [G, 'globex'],
    [A, 'acme'],
  ] as const) {
    t.equal((await varied.get('/a', fields)).body.toString(), `for ${who}`)
  }
})

void test('tokens of one consumer share what is stored as far as a claim says', { timeout: PATIENCE }, async (t) => {
  const signer = await signerOf('ES256', 'es')
  const jwt = { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [signer.jwk] }, claims: { consumer: 'client' } }
  const cached = await cachedBefore(t, (exchange) => careless()(exchange), {
    route: { access: { by: ['jwt:main'], public: true } },
    cache: { varyBy: { claims: ['tenant'] } },
    config: { access: { consumers: { acme: {} }, jwt: { main: jwt } } },
  })
  const exp = Math.floor(Date.now() / 1000) + 3_600
  const cacheStatusOf = async (claims: Record<string, unknown>): Promise<string> => {
    const token = await signer.sign({ exp, client: 'acme', ...claims })
    const answer = await cached.get('/a', [['Authorization', `Bearer ${token}`]])
    t.equal(answer.body.toString(), 'for acme')
    return status(answer)
  }
  t.match(await cacheStatusOf({ tenant: 'a' }), 'fwd=uri-miss')
  t.match(await cacheStatusOf({ tenant: 'b' }), 'fwd=', 'another value, another entry')
  t.match(await cacheStatusOf({ tenant: 'a', sub: 'bob' }), 'hit', 'the same, whoever of the consumer asks')
  t.match(await cacheStatusOf({ tenant: ['a'] }), 'fwd=', 'a list is another value than what is in it')
  t.match(await cacheStatusOf({}), 'fwd=', 'and none at all')
  t.match(await cacheStatusOf({ tenant: 'b' }), 'hit')
  t.equal(cached.upstream.requests.length, 4)
})

void test('who is no consumer is told apart by who it is, where consumers are', { timeout: PATIENCE }, async (t) => {
  const signer = await signerOf('ES256', 'es')
  const jwt = { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [signer.jwk] } }
  const cached = await cachedBefore(t, careless(), {
    route: { access: { by: ['jwt:main'], public: true } },
    cache: { varyBy: { consumer: true } },
    config: { access: { jwt: { main: jwt } } },
  })
  const exp = Math.floor(Date.now() / 1000) + 3_600
  for (const sub of ['ada', 'bob', 'ada']) {
    const fields: Field[] = [['Authorization', `Bearer ${await signer.sign({ exp, sub })}`]]
    t.match((await cached.get('/a', fields)).body.toString(), new RegExp(`for .*${sub}$`))
  }
  t.equal(cached.upstream.requests.length, 2)
})

/** Answers with the fields by which it can tell, for everybody and for long. */
const tellingOf =
  (...names: string[]) =>
  (exchange: UpstreamExchange): Promise<void> =>
    exchange.respond(
      200,
      [['Cache-Control', 'public, max-age=60']],
      names.map((name) => exchange.request.get(name) ?? 'nothing').join(' '),
    )

void test('what a template tells the upstream of a token is for tokens that say the same', {
  timeout: PATIENCE,
}, async (t) => {
  const signer = await signerOf('ES256', 'es')
  const jwt = { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [signer.jwk] }, claims: { consumer: 'client' } }
  const transform = {
    request: { headers: { set: { 'x-tenant': '${claim.tenant}' } }, query: { set: { plan: '${claim.plan}' } } },
    response: { headers: { set: { 'x-role': '${claim.role}' } } },
  }
  const { gateway, upstream } = await gatewayBefore(t, tellingOf('x-tenant'), {
    route: { access: ['jwt:main'], cache: true, transform },
    config: { access: { consumers: { acme: {} }, jwt: { main: jwt } } },
  })
  const client = await gateway.client('h1')
  const exp = Math.floor(Date.now() / 1000) + 3_600
  const ask = async (claims: Record<string, unknown>) => {
    const token = await signer.sign({ exp, client: 'acme', ...claims })
    return client.request({ path: '/a', fields: [['Authorization', `Bearer ${token}`]] })
  }
  const alice = { tenant: 't1', plan: 'free', role: 'admin', sub: 'alice' }
  t.equal((await ask(alice)).body.toString(), 't1')
  t.equal((await ask({ ...alice, tenant: 't2' })).body.toString(), 't2')
  t.equal((await ask({ ...alice, role: 'guest' })).get('x-role'), 'guest')
  await ask({ ...alice, plan: 'gold' })
  t.equal(upstream.requests.length, 4)
  const again = await ask({ ...alice, sub: 'bob' })
  t.match(status(again), /^hit/, 'what it names is the same, and so is the consumer')
  t.equal(again.get('x-role'), 'admin')
})

void test('what a service says of a caller, and the upstream is told, is for whom it says the same', {
  timeout: PATIENCE,
}, async (t) => {
  const service = await httpServer(t, (request, response) => {
    response.writeHead(200, { 'x-auth-request-user': 'team', 'x-email': String(request.headers.authorization) }).end()
  })
  const { gateway } = await gatewayBefore(t, tellingOf('x-consumer-id', 'x-email'), {
    route: { access: ['forward:sso'], cache: true },
    config: { access: { forward: { sso: { url: `${service}/verify`, copy: ['X-Email'] } } } },
  })
  const client = await gateway.client('h1')
  for (const [who, result] of [
    ['alice', 'fwd=uri-miss'],
    ['bob', 'fwd=uri-miss'],
    ['alice', 'hit'],
  ] as const) {
    const answer = await client.request({ path: '/a', fields: [['Authorization', who]] })
    t.equal(answer.body.toString(), `sso|team ${who}`)
    t.match(status(answer), result)
  }
})

void test('nobody is a caller of their own: what is stored for nobody is for nobody else', {
  timeout: PATIENCE,
}, async (t) => {
  const cached = await cachedBefore(t, careless(), guarded({ route: { access: ['key', 'anonymous'] } }))
  t.equal((await cached.get('/a')).body.toString(), 'for undefined')
  t.equal((await cached.get('/a', A)).body.toString(), 'for acme')
  t.equal((await cached.get('/a')).body.toString(), 'for undefined')
  t.equal((await cached.get('/a', G)).body.toString(), 'for globex')
})

void test('nor does a second tier give one what is another’s', { timeout: PATIENCE }, async (t) => {
  let tier: FakeTier | undefined
  const options = guarded({ tier: (now) => (tier ??= new FakeTier(now)) })
  const cached = await cachedBefore(t, careless(), options)
  for (const fields of [A, G]) await cached.get('/a', fields)
  const beside = await cachedBeside(t, cached, options)
  const first = await beside.get('/a', G)
  t.equal(first.body.toString(), 'for globex')
  t.match(status(first), 'hit', 'it came from there')
  t.equal((await beside.get('/a', A)).body.toString(), 'for acme')
  t.equal(cached.upstream.requests.length, 2)
})

void test('a password that the gateway has checked is no Authorization to the cache, and one that goes on is', {
  timeout: PATIENCE,
}, async (t) => {
  const password = await hashPassword('right')
  const basic: Field[] = [['Authorization', `Basic ${Buffer.from('acme:right').toString('base64')}`]]
  const plain = (exchange: UpstreamExchange): Promise<void> =>
    exchange.respond(200, [['Cache-Control', 'max-age=60']], exchange.request.get('authorization') ?? 'none')
  const before = async (keep: boolean) =>
    await cachedBefore(t, plain, {
      route: { access: ['basic'] },
      config: { access: { consumers: { acme: { password } }, basic: { keep } } },
    })
  const taken = await before(false)
  t.equal((await taken.get('/a', basic)).body.toString(), 'none')
  t.match(status(await taken.get('/a', basic)), 'hit')
  const kept = await before(true)
  t.match((await kept.get('/a', basic)).body.toString(), 'Basic ')
  t.notMatch(status(await kept.get('/a', basic)), /^hit/, 'RFC 9111 §3.5')
})
