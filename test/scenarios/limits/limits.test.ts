import { test } from 'tap'
import type { Client } from '../../client.ts'
import { openH1, openH2 } from '../../websocket.ts'
import type { ClientResponse } from '../../incoming.ts'
import {
  everyProtocol,
  managedGatewayBefore,
  isProblem,
  PATIENCE,
  startManagedGateway,
  startGateway,
  gatewayBefore,
} from '../../helper.ts'

const OPEN = { answer: { body: 'open' } }
const get = (client: Client, path = '/', fields: [string, string][] = []): Promise<ClientResponse> =>
  client.request({ path, fields })

everyProtocol('what is beyond a limit is answered 429, and says which limit and when', async (t, protocol) => {
  const gateway = await startGateway(t, {
    rateLimit: { clients: { rate: '2/h', by: 'ip' } },
    routes: { '/*': { ...OPEN, rateLimit: 'clients' } },
  })
  const client = await gateway.client(protocol)
  const first = await get(client)
  t.equal(first.status, 200)
  t.equal(first.get('ratelimit-policy'), '"clients";q=2;w=3600')
  t.equal(first.get('ratelimit'), '"clients";r=1;t=1800')
  t.equal((await get(client)).get('ratelimit'), '"clients";r=0;t=1800')
  const refused = await client.request({ method: 'POST', path: '/', body: 'x'.repeat(100_000) })
  isProblem(t, refused, 429)
  t.equal(refused.get('ratelimit'), '"clients";r=0;t=1800')
  t.equal(refused.get('retry-after'), '1800')
  t.match(JSON.parse(String(refused.body)), {
    code: 'HR_RATE_LIMITED',
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
    'violated-policies': ['clients'],
    detail: /'clients'.*1800 s/,
  })
})

void test('hits of the cache count, are refused, and each client is told its own', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), {
    route: { cache: { ttl: '1m' }, rateLimit: { rate: '3/h', by: 'header:x-tenant' } },
    config: { cache: { early: true } },
  })
  const client = await gateway.client('h1')
  const of = async (tenant: string): Promise<string> => {
    const { status, get: field } = await get(client, '/a', [['x-tenant', tenant]])
    return `${status} ${field('ratelimit')?.replace(/^.*r=(\d+).*$/, '$1')}`
  }
  t.strictSame(
    [await of('a'), await of('a'), await of('b'), await of('a'), await of('a'), await of('b')],
    ['200 2', '200 1', '200 2', '200 0', '429 0', '200 1'],
  )
  t.equal(upstream.requests.length, 1)
})

void test('routes that name a limit share it, at costs of their own', { timeout: PATIENCE }, async (t) => {
  const gateway = await startGateway(t, {
    rateLimit: { api: { rate: '10/h' } },
    routes: {
      '/cheap': { ...OPEN, rateLimit: 'api' },
      '/dear': { ...OPEN, rateLimit: { limit: 'api', cost: 8 } },
      '/own': { ...OPEN, rateLimit: { rate: '10/h' } },
    },
  })
  const client = await gateway.client('h1')
  t.match((await get(client, '/dear')).get('ratelimit'), /r=2/)
  t.match((await get(client, '/cheap')).get('ratelimit'), /r=1/)
  t.equal((await get(client, '/dear')).status, 429)
  t.equal((await get(client, '/cheap')).status, 200)
  t.match((await get(client, '/own')).get('ratelimit'), /"\/own";r=9/)
})

void test('of several limits one refuses, and the others lose nothing by it', { timeout: PATIENCE }, async (t) => {
  const gateway = await startGateway(t, {
    rateLimit: { wide: { rate: '5/h' }, narrow: { rate: '1/h', by: ['ip', 'route'], headers: 'none' } },
    routes: { '/a': { ...OPEN, rateLimit: ['wide', 'narrow'] }, '/b': { ...OPEN, rateLimit: ['wide', 'narrow'] } },
  })
  const client = await gateway.client('h1')
  t.match((await get(client, '/a')).get('ratelimit'), /^"wide";r=4;t=\d+$/)
  const refused = await get(client, '/a')
  t.equal(refused.status, 429)
  t.match(JSON.parse(String(refused.body)), { 'violated-policies': ['narrow'] })
  t.match((await get(client, '/b')).get('ratelimit'), /r=3/)
})

void test('who has used up its time of the upstream is refused until there is some again, hits of the cache are free', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, upstream } = await managedGatewayBefore(t, (exchange) => exchange.respond(), {
    route: {
      cache: { ttl: '1m' },
      // Whatever an answer takes, it is more than nothing, and less comes back in an hour than any test lasts.
      rateLimit: { max: 1, timeWindow: '1h', by: 'header:x-tenant', measured: 'upstream-ms' },
    },
  })
  const client = await gateway.client('h1')
  const of = async (tenant: string, path: string): Promise<number> =>
    (await get(client, path, [['x-tenant', tenant]])).status
  t.equal(await of('a', '/a'), 200)
  t.strictSame([await of('b', '/a'), await of('b', '/a')], [200, 200], 'stored by now')
  t.equal(await of('b', '/b'), 200, 'nothing of it was used')
  t.strictSame([await of('a', '/a'), await of('b', '/a')], [429, 429])
  t.equal(upstream.requests.length, 2)
})

void test('a dry run refuses nobody and tells nobody; the control plane has its count', {
  timeout: PATIENCE,
}, async (t) => {
  const gateway = await startManagedGateway(t, {
    rateLimit: { trial: { rate: '1/h', dryRun: true }, free: { rate: '1/h', allowList: ['loopback'] } },
    routes: { '/*': { ...OPEN, rateLimit: ['trial', 'free'] } },
  })
  const client = await gateway.client('h1')
  for (let i = 0; i < 3; i++) {
    const { status, get: field } = await get(client)
    t.strictSame([status, field('ratelimit')], [200, undefined])
  }
  const answer = await fetch(`${gateway.adminUrl}/performance/limits`, {
    headers: { authorization: 'Bearer test-token' },
  })
  t.match(await answer.json(), {
    limits: [
      { name: 'trial', allowed: 1, limited: 0, wouldLimit: 2, keys: 1, refused: [{ key: 'ip 127.0.0.1', count: 2 }] },
      { name: 'free', exempt: 3, allowed: 0 },
    ],
    shared: null,
  })
  const metrics = await fetch(`${gateway.adminUrl}/metrics`, { headers: { authorization: 'Bearer test-token' } })
  t.match(await metrics.text(), /headrace_rate_limit_requests_total\{limit="trial",outcome="would_limit"\} 2/)
})

void test('what was measured is charged afterwards', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await gatewayBefore(t, (exchange) => exchange.respond(200, [], 'x'.repeat(5_000)), {
    route: { rateLimit: { max: 8_000, timeWindow: '1h', measured: 'response-bytes' } },
  })
  const client = await gateway.client('h1')
  const first = await get(client)
  t.match(first.get('ratelimit-policy'), /;qu="content-bytes"/)
  t.strictSame([first.status, (await get(client)).status, (await get(client)).status], [200, 200, 429])
})

void test('the fields from before the draft are there for who asks for them', { timeout: PATIENCE }, async (t) => {
  const gateway = await startGateway(t, {
    routes: { '/*': { ...OPEN, rateLimit: { rate: '2/h', headers: 'legacy' } } },
  })
  const { get: field } = await get(await gateway.client('h1'))
  t.strictSame(
    [field('x-ratelimit-limit'), field('x-ratelimit-remaining'), field('x-ratelimit-reset'), field('ratelimit')],
    ['2', '1', '1800', undefined],
  )
})

everyProtocol(
  'a WebSocket handshake counts as a request',
  async (t, protocol) => {
    const { gateway } = await managedGatewayBefore(t, (exchange) => exchange.respond(), {
      route: { rateLimit: { rate: '1/h' } },
    })
    t.equal((await get(await gateway.client(protocol))).status, 200)
    const open = protocol === 'h1' ? openH1 : openH2
    t.equal((await open(t, { port: gateway.ports.cleartext })).status, 429)
    const metrics = await fetch(new URL('/metrics', gateway.adminUrl), {
      headers: { authorization: `Bearer ${gateway.token}` },
    })
    t.match(await metrics.text(), /^headrace_websocket_refused_total\{code="HR_RATE_LIMITED"\} 1$/m)
  },
  ['h1', 'h2c'],
)
