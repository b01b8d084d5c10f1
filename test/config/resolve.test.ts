import { availableParallelism } from 'node:os'
import { type Test, test } from 'tap'
import type { Problem } from '../../config/problem.ts'
import { resolveConfig } from '../../config/resolve.ts'
import { resolveProcesses } from '../../services/control/options.ts'

const fleet = { targets: ['http://127.0.0.1:4001'] }

/** What is wrong with an input: code, path, suggestion. */
function problemsOf(input: Record<string, unknown>, root = '/'): Problem[] {
  try {
    resolveConfig(input, { root })
    return []
  } catch (error) {
    return (error as { problems: Problem[] }).problems
  }
}

function same(
  t: Test,
  input: Record<string, unknown>,
  expected: [code: string, path: string, suggestion?: string][],
): void {
  const found = problemsOf(input).map(({ code, path, suggestion }) => [
    code.replace('HR_CONFIG_', ''),
    path,
    ...(suggestion === null ? [] : [suggestion]),
  ])
  t.same(found, expected)
}

void test('a configuration is resolved: frozen, paths absolute, units in the names', async (t) => {
  const root = t.testdir({ 'a.crt': '', 'a.key': '', 'api.yaml': '' })
  const config = resolveConfig(
    {
      listen: { port: 1, tls: { cert: 'a.crt', key: './a.key' } },
      upstreams: { fleet: { targets: ['http://a/', 'unix:./s'], keepAlive: '1m', openapi: './api.yaml' } },
      routes: { '/*': { to: 'fleet' } },
      drainTimeout: '2s',
    },
    { root },
  )
  t.match(config, {
    file: null,
    root,
    dataDir: `${root}/.headrace`,
    drainTimeoutMs: 2000,
    listen: [{ port: 1, tls: [{ cert: `${root}/a.crt`, key: `${root}/a.key`, servername: null }] }],
    upstreams: [
      { name: 'fleet', targets: [{ url: 'http://a', weight: 1 }, { url: `unix:${root}/s` }], keepAliveMs: 60_000 },
    ],
  })
  t.match(config.upstreams[0]?.openapi, /^file:\/\/.*\/api\.yaml$/)
  t.throws(() => {
    config.processes = 2
  }, TypeError)
  t.throws(() => config.upstreams[0]?.targets.pop(), TypeError)
  t.same(structuredClone(config), config, 'it can go to another process')
})

void test("'auto' is a process for each CPU, within bounds", async (t) => {
  t.equal(resolveConfig({ processes: 'auto' }).processes, Math.min(256, availableParallelism()))
  t.strictSame([resolveProcesses('auto', 0), resolveProcesses('auto', 999), resolveProcesses(3, 8)], [1, 256, 3])
  same(t, { processes: 'all' }, [['TYPE', 'processes']])
  same(t, { processes: 'autp' }, [['TYPE', 'processes', 'auto']])
  same(t, { processes: 0 }, [['VALUE', 'processes']])
})

void test('the error of an invalid one says everything, one line each', async (t) => {
  t.throws(() => resolveConfig({ listn: 1, log: { level: 'debgu' } }), {
    code: 'HR_CONFIG_INVALID',
    message: /listn: unknown property 'listn'; did you mean listen\?\n.*log\.level: .*; did you mean 'debug'\?/,
  })
})

void test('unknown properties are named at any depth', async (t) => {
  same(t, { upstreams: { fleet: { ...fleet, timeout: { conect: '1s' }, conections: 1 } } }, [
    ['UNKNOWN_KEY', 'upstreams.fleet.conections', 'connections'],
    ['UNKNOWN_KEY', 'upstreams.fleet.timeout.conect', 'connect'],
  ])
})

void test('an upstream that a route names must exist', async (t) => {
  same(t, { upstreams: { fleet }, routes: { '/a': { to: 'flete' }, '/b': { to: 'other' } } }, [
    ['TARGET_UNKNOWN', "routes['/a'].to", 'fleet'],
    ['TARGET_UNKNOWN', "routes['/b'].to"],
  ])
  same(t, { upstreams: { fleet: { targets: 3 } }, routes: { '/a': { to: 'fleet' } } }, [
    ['TYPE', 'upstreams.fleet.targets'],
  ])
})

void test('a target is an origin', async (t) => {
  const targets = ['http://a/base', 'http://u:p@a', 'http://', 'unix:', 'https://a', 'unix:/s', 'http://[::1]:3']
  same(t, { upstreams: { fleet: { targets } } }, [
    ['TARGET', 'upstreams.fleet.targets[0]', "'http://a'"],
    ['TARGET', 'upstreams.fleet.targets[1]'],
    ['TARGET', 'upstreams.fleet.targets[2]'],
    ['TARGET', 'upstreams.fleet.targets[3]'],
  ])
  same(t, { upstreams: { fleet: { targets: ['localhost:3000'] } } }, [
    ['VALUE', 'upstreams.fleet.targets[0]', "'http://localhost:3000'"],
  ])
  same(t, { upstreams: { fleet: { targets: 'http://a' } } }, [['TYPE', 'upstreams.fleet.targets', "['http://a']"]])
})

void test('names of upstreams that would mean something else are refused', async (t) => {
  const upstreams = JSON.parse(
    '{"": {"targets":["http://a"]}, "__proto__": {"targets":["http://a"]}, "a b": {"targets":["http://a"]}}',
  )
  same(t, { upstreams }, [
    ['NAME', "upstreams['']"],
    ['NAME', 'upstreams.__proto__'],
    ['NAME', "upstreams['a b']"],
  ])
})

void test('keys of routes are read, and mended where it is plain what was meant', async (t) => {
  const to = { to: 'fleet' }
  same(
    t,
    { upstreams: { fleet }, routes: { 'get /a': to, 'GET, HEAD /b': to, users: to, '/a/*/b': to, 'exa mple/': to } },
    [
      ['ROUTE_INVALID', "routes['get /a']", 'GET /a'],
      ['ROUTE_INVALID', "routes['GET, HEAD /b']", 'GET,HEAD /b'],
      ['ROUTE_INVALID', 'routes.users', '/users'],
      ['ROUTE_INVALID', "routes['/a/*/b']"],
      ['ROUTE_INVALID', "routes['exa mple/']", 'EXA mple/'],
    ],
  )
})

void test('two routes for exactly the same requests are refused, overlapping ones are not', async (t) => {
  const to = { to: 'fleet' }
  same(
    t,
    { upstreams: { fleet }, routes: { '/a/:x': to, '/a/:y': to, 'GET /a/:z': to, '/a/b': to, 'x.de/a/:x': to } },
    [['ROUTE_CONFLICT', "routes['/a/:y']"]],
  )
})

void test('a rewrite uses what its route has', async (t) => {
  const route = (rewrite: string): object => ({ to: 'fleet', rewrite })
  same(
    t,
    {
      upstreams: { fleet },
      routes: { '/a/:x': route('/b/:y'), '/b/:x': route('/c/:x'), '/c': route('/d/*'), '/d': route('e') },
    },
    [
      ['VALUE', "routes['/d'].rewrite", "'/e'"],
      ['ROUTE_INVALID', "routes['/a/:x'].rewrite"],
      ['ROUTE_INVALID', "routes['/c'].rewrite"],
    ],
  )
})

void test("the gateway's own endpoints are not a route's, and can be moved or switched off", async (t) => {
  const to = { to: 'fleet' }
  const routes = { '/health': to, '/docs/x': to, '/metrics': to, '/*': to }
  same(t, { upstreams: { fleet }, routes }, [
    ['ROUTE_RESERVED', "routes['/health']"],
    ['ROUTE_RESERVED', "routes['/docs/x']"],
  ])
  same(t, { upstreams: { fleet }, routes, endpoints: { health: false, docs: '/_docs' } }, [])
  same(t, { upstreams: { fleet }, routes: { '/metrics': to }, admin: { shared: true } }, [
    ['ROUTE_RESERVED', "routes['/metrics']"],
  ])
  same(t, { endpoints: { ready: '/health' } }, [['ENDPOINT_CONFLICT', 'endpoints.ready']])
  same(t, { endpoints: { metrics: '/health' } }, [['ENDPOINT_CONFLICT', 'endpoints.metrics']])
  same(t, { endpoints: { metrics: '/health' }, admin: false }, [])
})

void test('no route gets what lies below a shared control plane, however it is written', async (t) => {
  const to = { to: 'fleet' }
  const reserved = [
    '/performance',
    '/performance/x',
    'GET a.test/%70erformance/:x',
    '/metrics/*',
    '/api/v1/performance/*',
  ]
  const free = ['/performances', '/:any/health', '/api/v1/*', '/metricsx/*', '/*']
  const routes = Object.fromEntries([...reserved, ...free].map((key) => [key, to]))
  const expected = (keys: string[]): [string, string][] => keys.map((key) => ['ROUTE_RESERVED', `routes['${key}']`])
  same(t, { upstreams: { fleet }, routes, admin: { shared: true } }, expected(reserved))
  same(t, { upstreams: { fleet }, routes }, [])
  same(
    t,
    { upstreams: { fleet }, routes, admin: { shared: true }, endpoints: { performance: false } },
    expected(['/metrics/*']),
  )
})

void test('listeners do not contradict each other or themselves', async (t) => {
  same(t, { listen: [{ port: 1 }, { port: 1, host: '::' }, { port: 0 }, { port: 0 }] }, [
    ['LISTENER_CONFLICT', 'listen[1].port'],
  ])
  same(t, { listen: [{ port: 1, host: '127.0.0.2' }, { port: 1 }] }, [])
  same(t, { listen: { port: 9090 } }, [['LISTENER_CONFLICT', 'admin.port']])
  same(t, { listen: { port: 9090 }, admin: false }, [])
  same(t, { listen: { tls: 'development', h2c: true } }, [['LISTENER_INVALID', 'listen.h2c']])
  same(t, { listen: { redirect: 'https' } }, [['LISTENER_INVALID', 'listen.redirect']])
  same(t, { listen: [{ redirect: 'https' }, { port: 2, tls: 'development' }] }, [])
})

void test('files that the configuration names are there', async (t) => {
  const root = t.testdir({ 'a.key': '', folder: {} })
  const problems = problemsOf(
    {
      listen: { tls: { cert: 'no.crt', key: 'a.key' } },
      upstreams: {
        a: { ...fleet, openapi: './no.yaml', tls: { ca: 'folder', cert: 'a.key' } },
        b: { ...fleet, openapi: '/openapi.json' },
      },
    },
    root,
  )
  t.match(
    problems.map(({ path, message }) => [path, message]),
    [
      ['upstreams.a.tls', "a client certificate needs both: 'key' is missing"],
      ['listen.tls.cert', /no\.crt does not exist/],
      ['upstreams.a.tls.ca', /is a folder/],
      ['upstreams.a.openapi', /no\.yaml does not exist/],
    ],
  )
  t.equal(problems.length, 4)
})
