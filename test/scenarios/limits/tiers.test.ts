import { test } from 'tap'
import { gatewayBefore, PATIENCE, startManagedGateway, startGateway } from '../../helper.ts'
import { keyFor } from '../../services/access/given.ts'

void test('a caller has what its tier allows, over all routes, and those without a tier what the route says', {
  timeout: PATIENCE,
}, async (t) => {
  const [acme, globex, initech] = [keyFor(), keyFor(), keyFor()]
  const route = { answer: { body: 'x' }, access: ['key'] }
  const gateway = await startGateway(t, {
    access: {
      consumers: {
        acme: { tier: 'gold', keys: [acme.entry] },
        globex: { tier: 'trial', keys: [globex.entry] },
        initech: { keys: [initech.entry] },
      },
    },
    tiers: { gold: { rateLimit: { rate: '3/h' } }, trial: { quota: { day: 1, month: 5 } } },
    routes: {
      '/a': route,
      '/b': { ...route, rateLimit: { rate: '2/h', by: 'consumer', headers: 'none' } },
      '/free': { ...route, rateLimit: false },
      '/open': { answer: { body: 'x' } },
    },
  })
  const client = await gateway.client('h1')
  const as = async (key: string, path: string) => client.request({ path, fields: [['x-api-key', key]] })
  const statuses = async (key: string, ...paths: string[]): Promise<number[]> => {
    const found: number[] = []
    for (const path of paths) found.push((await as(key, path)).status)
    return found
  }
  t.equal((await as(acme.key, '/a')).get('ratelimit'), '"tier gold";r=2;t=1200')
  t.strictSame(await statuses(acme.key, '/b', '/b', '/b', '/a', '/free', '/free'), [200, 200, 429, 429, 200, 200])
  const used = await as(globex.key, '/a')
  t.equal(used.get('ratelimit-policy'), '"tier trial day";q=1;w=86400, "tier trial month";q=5')
  t.match(used.get('ratelimit'), /^"tier trial day";r=0;t=\d+, "tier trial month";r=4;t=\d+$/)
  const refused = await as(globex.key, '/a')
  t.equal(refused.status, 429)
  t.match(JSON.parse(String(refused.body)), { code: 'HR_RATE_QUOTA', 'violated-policies': ['tier trial day'] })
  t.ok(Number(refused.get('retry-after')) <= 86_400)
  t.strictSame(
    await statuses(initech.key, '/a', '/a', '/a', '/a', '/b', '/b', '/b'),
    [200, 200, 200, 200, 200, 200, 429],
  )
  t.equal((await client.request({ path: '/open' })).get('ratelimit'), undefined)
})

void test('who guesses keys is limited by address before any key is looked at', { timeout: PATIENCE }, async (t) => {
  const { key, entry } = keyFor()
  const gateway = await startGateway(t, {
    access: { consumers: { acme: { keys: [entry] } } },
    routes: { '/*': { answer: { body: 'x' }, access: ['key'], rateLimit: { rate: '3/h', by: 'ip' } } },
  })
  const client = await gateway.client('h1')
  const as = async (given: string): Promise<number> =>
    (await client.request({ path: '/', fields: [['x-api-key', given]] })).status
  t.strictSame([await as(`${key}x`), await as('nonsense'), await as(keyFor().key)], [401, 401, 401])
  t.equal(await as(key), 429)
})

void test('who guesses keys is limited on routes without a limit, cached ones too', {
  timeout: PATIENCE,
}, async (t) => {
  const { key, entry } = keyFor()
  const { gateway } = await gatewayBefore(
    t,
    (exchange) => exchange.respond(200, [['cache-control', 'max-age=60']], 'in'),
    {
      route: { access: { by: ['key'], public: true }, cache: true },
      config: { access: { consumers: { acme: { keys: [entry] } }, failureLimit: '5/h' } },
    },
  )
  const client = await gateway.client('h1')
  const as = async (given: string) => client.request({ path: '/', fields: [['x-api-key', given]] })
  for (let i = 0; i < 10; i++) t.equal((await as(key)).status, 200, 'who succeeds is never counted')
  for (let i = 0; i < 5; i++) t.equal((await as(keyFor().key)).status, 401)
  const refused = await as(keyFor().key)
  t.equal(refused.status, 429)
  t.equal(refused.get('retry-after'), '720')
  t.match(refused.get('content-type'), /problem\+json/)
  t.match(JSON.parse(String(refused.body)), { code: 'HR_ACCESS_FAILURES' })
  t.equal((await as(key)).status, 200, 'nobody is locked out by who has the same address')
})

void test('who guesses the admin token is limited, on a listener of its own and on a shared one', {
  timeout: PATIENCE,
}, async (t) => {
  const routes = { '/': { answer: { body: 'x' } } }
  for (const shared of [false, true]) {
    const gateway = await startManagedGateway(t, {
      routes,
      admin: { port: 0, token: 'secret', shared, rateLimit: '2/h' },
    })
    const base = shared ? `http://127.0.0.1:${gateway.ports.cleartext}` : gateway.adminUrl
    const get = async (path: string, token: string): Promise<Response> => {
      const answer = await fetch(`${base}${path}`, { headers: { authorization: `Bearer ${token}` } })
      await answer.body?.cancel()
      return answer
    }
    t.equal((await get('/performance/limits', 'guess')).status, 401)
    t.equal((await get('/performance/health', 'another')).status, 401)
    const refused = await get('/performance/limits', 'secret')
    t.equal(refused.status, 429)
    t.match(refused.headers.get('content-type'), /problem\+json/)
    t.equal(refused.headers.get('retry-after'), '1800')
    t.notOk([...refused.headers.keys()].some((name) => name.startsWith('x-ratelimit')))
    t.equal((await get('/health', 'none')).status, 200, 'other pages are not counted')
  }
})
