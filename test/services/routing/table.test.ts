import { test } from 'tap'
import { explainRoutes } from '../../../services/routing/explain.ts'
import { parseRouteKey } from '../../../services/routing/pattern.ts'
import { RouteTable } from '../../../services/routing/table.ts'

const tableOf = (...keys: string[]) => new RouteTable(keys.map((key) => ({ pattern: parseRouteKey(key) })))

const winner = (table: ReturnType<typeof tableOf>, request: string): string => {
  const [method = '', url = ''] = request.split(' ')
  const slash = url.indexOf('/')
  const found = table.lookup(method, url.slice(0, slash), url.slice(slash))
  if (found.kind !== 'route') return found.kind === 'method' ? `405 ${found.allow.join(',')}` : '404'
  return [found.route.pattern.key, ...found.parameters].join(' | ')
}

void test('text beats a parameter, a parameter beats the rest, segment by segment', (t) => {
  const table = tableOf('/*', '/api/*', '/api/vehicles/:id', '/api/vehicles/new', '/api/:kind/new')
  t.equal(winner(table, 'GET h/api/vehicles/new'), '/api/vehicles/new')
  t.equal(winner(table, 'GET h/api/vehicles/7'), '/api/vehicles/:id | 7')
  t.equal(winner(table, 'GET h/api/drivers/new'), '/api/:kind/new | drivers')
  t.equal(winner(table, 'GET h/api/vehicles/7/photo'), '/api/* | vehicles/7/photo')
  t.equal(winner(table, 'GET h/api/'), '/api/* | ')
  t.equal(winner(table, 'GET h/api'), '/* | api')
  t.equal(winner(table, 'GET h/api/vehicles/'), '/api/* | vehicles/', 'a parameter is not empty')
  t.equal(winner(table, 'GET h/'), '/* | ')
  t.end()
})

void test('a branch that fails is left, and its parameters with it', (t) => {
  const table = tableOf('/:a/b/c', '/x/:b/d', '/:a/*')
  t.equal(winner(table, 'GET h/x/b/c'), '/:a/b/c | x')
  t.equal(winner(table, 'GET h/x/b/d'), '/x/:b/d | b')
  t.equal(winner(table, 'GET h/x/b/e'), '/:a/* | x | b/e')
  t.end()
})

void test('hosts go before paths: exact, then the longest suffix, then any', (t) => {
  const table = tableOf('/a', 'api.example.com/*', '*.example.com/a', '*.eu.example.com/*')
  t.equal(winner(table, 'GET api.example.com/a'), 'api.example.com/* | a')
  t.equal(winner(table, 'GET x.eu.example.com/a'), '*.eu.example.com/* | a')
  t.equal(winner(table, 'GET x.example.com/a'), '*.example.com/a')
  t.equal(winner(table, 'GET example.com/a'), '/a', 'a suffix needs a label before it')
  t.equal(winner(table, 'GET x.example.com/b'), '404')
  t.end()
})

void test('a route that does not take the method leaves the request to the next one', (t) => {
  const table = tableOf('GET /a', 'GET,HEAD /b', 'POST /b', '/c', 'PUT /c', 'DELETE /d/:id', '/d/*')
  t.equal(winner(table, 'HEAD h/a'), '405 GET', 'GET does not include HEAD')
  t.equal(winner(table, 'PUT h/b'), '405 GET,HEAD,POST')
  t.equal(winner(table, 'PUT h/c'), 'PUT /c')
  t.equal(winner(table, 'GET h/c'), '/c')
  t.equal(winner(table, 'GET h/d/1'), '/d/* | 1')
  t.end()
})

void test('routes that match exactly the same requests are conflicts', (t) => {
  t.same(RouteTable.conflicts(['/a/:x', '/a/:y', '/a/*']), [['/a/:x', '/a/:y']])
  t.same(RouteTable.conflicts(['GET /a', 'POST /a', '/a']), [])
  t.same(RouteTable.conflicts(['GET,PUT /a', 'PUT,POST /a']), [['GET,PUT /a', 'PUT,POST /a']])
  t.same(RouteTable.conflicts(['EXAMPLE.com/a', 'example.com/%61']), [['EXAMPLE.com/a', 'example.com/%61']])
  t.end()
})

void test('a key that cannot be read says how to write it', (t) => {
  const bad = [
    'api',
    'get /a',
    'GET,/a',
    'GET /a/*/b',
    '/a/b*',
    '/:x/:x',
    '/:',
    '/a/../b',
    '/a?b',
    'exa mple.com/a',
    'GET https://x/a',
    '-x.com/',
    '*/a',
    'CONNECT /',
  ]
  for (const key of bad) t.throws(() => parseRouteKey(key), { code: 'HR_ROUTE_INVALID' }, key)
  t.end()
})

void test('explain gives every route its verdict, the winner first', (t) => {
  const table = tableOf('/api/*', 'GET /api/vehicles/:id', 'PUT /api/vehicles/:id', 'x.com/*', '/other')
  const verdicts = explainRoutes(table, 'GET', 'h', '/api/vehicles/7')
  t.same(
    verdicts.map((v) => [v.key, v.verdict]),
    [
      ['GET /api/vehicles/:id', 'wins'],
      ['/api/*', 'less specific'],
      ['PUT /api/vehicles/:id', 'method differs'],
      ['x.com/*', 'host differs'],
      ['/other', 'path differs'],
    ],
  )
  t.end()
})
