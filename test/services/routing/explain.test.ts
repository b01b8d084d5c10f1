import fc from 'fast-check'
import { test } from 'tap'
import { explainRoutes } from '../../../services/routing/explain.ts'
import { parseRouteKey } from '../../../services/routing/pattern.ts'
import { RouteTable } from '../../../services/routing/table.ts'

const tableOf = (...keys: string[]) => new RouteTable(keys.map((key) => ({ pattern: parseRouteKey(key) })))

const reasons = (keys: string[], [method, host, path]: [string, string, string]): Record<string, string> =>
  Object.fromEntries(explainRoutes(tableOf(...keys), method, host, path).map(({ key, reason }) => [key, reason]))

void test('each reason says what would have to be different', (t) => {
  const keys = ['/api/vehicles/:id', '/api/*', '/api', '/api/vehicles', '/api/vehicles/:id/photo', 'POST /api/vehicles/:id', 'a.test/api/*', '*.b.test/*', '/api/drivers/*'] // biome-ignore format: a list
  t.strictSame(reasons(keys, ['GET', 'h', '/api/vehicles/7']), {
    '/api/vehicles/:id': 'the most specific route that takes the request',
    '/api/*': "'/api/vehicles/:id' is more specific at segment 2",
    '/api': "the path goes on with '/vehicles/7'",
    '/api/vehicles': "the path goes on with '/7'",
    '/api/vehicles/:id/photo': "the path ends before 'photo'",
    'POST /api/vehicles/:id': 'takes POST',
    'a.test/api/*': "takes a.test, not 'h'",
    '*.b.test/*': "takes *.b.test, not 'h'",
    '/api/drivers/*': "has 'drivers' where the path has 'vehicles'",
  })
  t.end()
})

void test('hosts and methods decide between equal paths', (t) => {
  const keys = ['x.eu.test/*', '*.eu.test/*', '*.test/*', '/*', 'GET /*']
  t.match(reasons(keys, ['GET', 'x.eu.test', '/a']), {
    '*.eu.test/*': "'x.eu.test/*' names the host more exactly",
    '/*': "'x.eu.test/*' names the host more exactly",
  })
  t.match(reasons(keys, ['GET', 'y.eu.test', '/a']), { '*.test/*': "'*.eu.test/*' names a longer host suffix" })
  t.match(reasons(keys, ['GET', 'h', '/a']), { '/*': "'GET /*' names the method" })
  t.end()
})

void test('where nothing wins, each route says why', (t) => {
  t.strictSame(reasons(['PUT /a/:x', '/a/'], ['GET', 'h', '/a/']), {
    'PUT /a/:x': "':x' takes a non-empty segment",
    '/a/': 'the most specific route that takes the request',
  })
  t.strictSame(reasons(['PUT /a'], ['GET', 'h', '/a']), { 'PUT /a': 'takes PUT' })
  t.end()
})

void test('the verdicts agree with the table: one winner, the one that it finds, and a verdict for every route', (t) => {
  const keys = ['/*', '/a', '/a/*', '/:x', '/:x/b', 'GET /a', 'h/*', '*.h/a', 'PUT,GET /a/:y', '/a/b/', '//*']
  const table = tableOf(...keys)
  const path = fc
    .array(fc.constantFrom('a', 'b', '', 'c'), { minLength: 1, maxLength: 4 })
    .map((p) => `/${p.join('/')}`)
  fc.assert(
    fc.property(
      fc.constantFrom('GET', 'PUT', 'POST'),
      fc.constantFrom('h', 'x.h', 'other'),
      path,
      (method, host, p) => {
        const verdicts = explainRoutes(table, method, host, p)
        const winners = verdicts.filter(({ verdict }) => verdict === 'wins').map(({ key }) => key)
        const found = table.match(method, host, p)?.route.pattern.key
        if (String(winners) !== (found ?? '') || verdicts.length !== keys.length)
          throw new Error(`${winners.join()} but ${found}`)
        if (found !== undefined && verdicts[0]?.key !== found) throw new Error('the winner is not first')
      },
    ),
  )
  t.end()
})
