import { test } from 'tap'
import { explainRequest } from '../../cli/explanation.ts'
import { resolveConfig } from '../../config/resolve.ts'
import { gatewayBefore } from '../helper.ts'

const METHODS = ['GET', 'PUT', 'TRACE']
const PATHS = `
  / /health /health/ /ready /openapi.json /docs /docs/ /docs/json
  /docs/x /docs/static/index.css /metrics /metrics/x /performance /performance/typo /performance/health /performance/log
  /api/v1/performance/pools /api/v1/performance/ /api/v1/other /performances /performance%2Fhealth //metrics /metrics;a /a/..%2Fmetrics
  /..%2F..%2Fx /a%2Fb /a;b //a /strict/a%2Fb /only/put /%00
`
  .trim()
  .split(/\s+/)

for (const shared of [true, false]) {
  void test(`explain says what the gateway does (control plane ${shared ? 'shared' : 'apart'})`, async (t) => {
    const admin = shared ? { shared, token: 'secret' } : { port: 0, token: 'secret' }
    const routes = {
      '/*': { to: 'origin' },
      '/strict/*': { to: 'origin', encodedSlash: 'refuse' },
      'PUT /only/:x': { to: 'origin' },
      'a.test/only/*': { to: 'origin' },
    }
    const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(299), {
      config: { admin, routes, endpoints: {} },
    })
    const config = resolveConfig({ admin, routes, upstreams: { origin: { targets: [upstream.origin] } } })
    const client = await gateway.client('h1')
    for (const method of METHODS) {
      for (const path of PATHS) {
        const { outcome, answer } = explainRequest(config, { method, host: '127.0.0.1', path })
        const body = method === 'PUT' ? '{"level":"silent"}' : ''
        const fields: [string, string][] = [
          ['authorization', 'Bearer secret'],
          ['content-type', 'application/json'],
        ]
        const { status } = await client.request({ method, path, fields, ...(body && { body }) })
        t.equal(answer?.status ?? 299, status, `${method} ${path} is ${outcome}`)
      }
    }
  })
}

void test('explain knows every page of the control plane', async (t) => {
  const admin = { shared: true, token: 'secret' }
  const { gateway } = await gatewayBefore(t, (exchange) => exchange.respond(), { config: { admin } })
  const config = resolveConfig({ admin, upstreams: {}, routes: {} })
  const client = await gateway.client('h1')
  const { body } = await client.request({ path: '/openapi.json' })
  const { paths } = JSON.parse(body.toString()) as { paths: Record<string, object> }
  t.ok('/performance/config' in paths)
  for (const [path, operations] of Object.entries(paths)) {
    for (const method of Object.keys(operations).map((name) => name.toUpperCase())) {
      t.match(explainRequest(config, { method, host: 'a', path }), { outcome: 'own', answer: { status: 200 } }, path)
    }
  }
})

void test('a path that can be read as one of the control plane’s is refused with that reading', async (t) => {
  const config = resolveConfig({
    admin: { shared: true },
    upstreams: { origin: { targets: ['http://127.0.0.1:1'] } },
    routes: { '/*': { to: 'origin' } },
  })
  const explain = (path: string) => explainRequest(config, { method: 'GET', host: 'a', path })
  t.match(explain('/x/..%2Fmetrics'), {
    outcome: 'refused',
    route: '/*',
    answer: {
      status: 400,
      detail: /the path is \/metrics, which asks something else of its callers: send its plain form/,
    },
  })
  t.match(explain('/..%2F..%2Fx'), { answer: { status: 400, detail: /leaves the root/ } })
})

void test('a cached route is looked up before its upstream and stored after it, by the key that it would have', async (t) => {
  const config = resolveConfig({
    upstreams: { origin: { targets: ['http://127.0.0.1:1'] } },
    routes: {
      '/*': {
        to: 'origin',
        cache: { ttl: '5m', ignoreQuery: ['utm_*'], varyBy: { headers: ['X-Tenant'] }, invalidates: ['all'] },
      },
      '/plain/*': { to: 'origin' },
    },
  })
  const explain = (method: string, path: string, more: object = {}) =>
    explainRequest(config, { method, host: 'a.test', path, ...more })
  const named = (method: string, path: string): string[] => explain(method, path).steps.map(({ name }) => name)
  const plain = ['canonicalise', 'forwarded', 'request id', 'route', 'upstream', 'log']
  t.strictSame(named('GET', '/plain/a'), plain)
  t.equal(explain('GET', '/plain/a').cache, null)
  t.strictSame(named('GET', '/a'), plain.toSpliced(4, 1, 'lookup', 'upstream', 'store'))
  const { cache } = explain('GET', '/%61?utm_x=1&b=2', {
    scheme: 'https',
    authority: 'a.test:8443',
    fields: ['x-tenant', 'one'],
  })
  t.match(cache?.key, /^\S{8} https:\/\/a\.test:8443\/a\?b=2\nx-tenant: one$/)
  t.ok(cache?.store.some((words) => words.includes('5m')))
  const post = explain('POST', '/a').steps
  t.match(post.find(({ name }) => name === 'lookup')?.detail, /POST is not answered from the store/)
  t.match(post.find(({ name }) => name === 'store')?.detail, /makes what is stored for its URL invalid.*tags all/)
})

void test('a split is explained: by a rule, by what the client is known by, else the largest side', async (t) => {
  const upstreams = { stable: { targets: ['http://127.0.0.1:1'] }, next: { targets: ['http://127.0.0.1:2'] } }
  const explain = (to: object, fields: string[] = [], cache = false) => {
    const config = resolveConfig({ upstreams, routes: { '/*': { to, cache } } })
    return explainRequest(config, { method: 'GET', host: 'a', path: '/x', fields })
  }
  const to = { split: { stable: 95, next: 5 }, rules: [{ header: 'x-canary', is: '1', to: 'next' }] }
  t.match(explain(to), {
    upstream: { name: 'stable' },
    split: { side: 'stable', detail: 'by chance; stable 95 %, next 5 %; stable is shown here' },
  })
  t.match(explain(to, ['x-canary', '1']), {
    upstream: { name: 'next', targets: ['http://127.0.0.1:2'] },
    split: { side: 'next', detail: 'next, by a rule' },
  })
  t.match(explain({ ...to, sticky: 'client' }).split?.detail, /^by the client's address; /)
  t.match(explain({ ...to, sticky: 'header:x-user' }, ['X-User', '7']).split?.detail, /as its client before/)
  const key = (fields: string[]): string | null | undefined => explain(to, fields, true).cache?.key
  t.not(key([]), key(['x-canary', '1']), 'each side has its own key')
  t.equal(
    explain({ ...to, cache: 'shared' }, [], true).cache?.key,
    explain({ ...to, cache: 'shared' }, ['x-canary', '1'], true).cache?.key,
  )
  t.ok(explain(to).steps.some(({ name }) => name === 'split'))
})

void test('a mirror is explained: what is copied, and what is not', async (t) => {
  const upstreams = { a: { targets: ['http://127.0.0.1:1'] }, b: { targets: ['http://127.0.0.1:2'] } }
  const config = resolveConfig({ upstreams, routes: { '/*': { to: 'a', mirror: { to: 'b', share: 0.125 } } } })
  const detail = (method: string): string | undefined =>
    explainRequest(config, { method, host: 'a', path: '/x' }).steps.find(({ name }) => name === 'mirror')?.detail
  t.match(detail('GET'), /^12\.5 % are copied to b, bodies of at most 65536 bytes/)
  t.match(detail('POST'), /^POST is not copied to b; GET, HEAD, OPTIONS, QUERY are/)
})

void test('a route that the gateway answers by itself is explained without an upstream', async (t) => {
  const config = resolveConfig({ routes: { '/x': { answer: { status: 410, body: 'gone' } } } })
  const explanation = explainRequest(config, { method: 'GET', host: 'a', path: '/x' })
  t.match(explanation, { outcome: 'answered', answer: { status: 410 }, route: '/x', upstream: null, sent: null })
  t.match(explanation.steps.find(({ name }) => name === 'answer')?.detail, '410 with 4 bytes')
  t.notOk(explanation.steps.some(({ name }) => name === 'upstream'))
})

void test('maintenance is explained as far as the configuration says it', async (t) => {
  const routes = { '/x': { answer: {}, maintenance: true }, '/y': { answer: {} } }
  const explain = (path: string, more: object = {}) =>
    explainRequest(resolveConfig({ routes, ...more }), { method: 'GET', host: 'a', path })
  t.match(explain('/x'), { outcome: 'refused', answer: { status: 503, detail: /the route is in maintenance/ } })
  t.match(explain('/y'), { outcome: 'answered' })
  t.match(explain('/y', { maintenance: { enabled: true } }), { answer: { status: 503, detail: /all routes are/ } })
})

void test('a mocked route is explained by where its answers come from', async (t) => {
  const upstreams = { a: { targets: ['http://127.0.0.1:1'], openapi: '/openapi.json' } }
  const explain = (mock: unknown) =>
    explainRequest(resolveConfig({ upstreams, routes: { '/*': { to: 'a', mock, cache: true } } }), {
      method: 'GET',
      host: 'a',
      path: '/x',
    })
  const detail = (mock: unknown): string | undefined => explain(mock).steps.find(({ name }) => name === 'mock')?.detail
  t.match(explain({ status: 404 }), { outcome: 'answered', answer: { status: 404 }, upstream: null, cache: null })
  t.equal(detail(true), 'from the document of a, as Prefer says')
  t.equal(
    detail({ status: 404, example: 'x' }),
    'from the document of a, as Prefer says; else status 404; else example x',
  )
  t.strictSame(
    explain(true).steps.map(({ name }) => name),
    ['canonicalise', 'forwarded', 'request id', 'route', 'mock', 'log'],
  )
})

void test('the step to the upstream says how a target is chosen, how long it has, and what happens where it fails', (t) => {
  const config = resolveConfig({
    upstreams: {
      one: { targets: ['http://127.0.0.1:1'] },
      grpc: { targets: ['h2c://127.0.0.1:1'] },
      mixed: { targets: ['h2c://127.0.0.1:1', 'http://127.0.0.1:2'] },
      many: {
        targets: ['http://127.0.0.1:1', 'http://127.0.0.1:2'],
        balance: { hash: 'header:x-tenant' },
        sticky: { cookie: 'at' },
        breaker: {},
        timeout: { firstByte: '3s', total: '0s' },
      },
    },
    routes: {
      '/one/*': { to: 'one', retry: false, websocket: false },
      '/grpc/*': { to: 'grpc', retry: false },
      '/mixed/*': { to: 'mixed', retry: false },
      '/many/*': {
        to: 'many',
        timeout: { total: '9s' },
        retry: { attempts: 3, on: ['connect', 503] },
        hedge: { after: '50ms' },
      },
    },
  })
  const said = (path: string): string | undefined =>
    explainRequest(config, { method: 'GET', host: 'a.test', path }).steps.find(({ name }) => name === 'upstream')
      ?.detail
  t.equal(
    said('/one/x'),
    '/one/x with Host: 127.0.0.1:1; one target; 10s to the first byte, 1m in all; not tried again; no WebSocket',
  )
  t.equal(
    said('/grpc/x'),
    '/grpc/x with Host: 127.0.0.1:1; one target; 10s to the first byte, 1m in all; not tried again; ' +
      'no WebSocket, which needs HTTP/1.1',
  )
  t.match(said('/mixed/x'), '; WebSocket goes through where no h2c:// target is chosen')
  t.equal(
    said('/many/x'),
    '/many/x with Host: 127.0.0.1:1; one of 2 targets by the hash of header:x-tenant, as the cookie at says; ' +
      '3s to the first byte, 9s in all; tried 3 times at most, on no connection, 503; ' +
      'asked 1 more where nothing has come after 50ms; a breaker a target, open for 10s; WebSocket goes through',
  )
  t.end()
})
