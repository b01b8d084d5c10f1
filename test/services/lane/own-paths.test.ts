import { test } from 'tap'
import { OwnPaths } from '../../../services/lane/own-paths.ts'

void test('paths without parameters are the gateway’s own, below the text before parameters they may be', (t) => {
  const own = new OwnPaths()
  for (const url of ['/health', '/docs/static/*', '/jobs/:id', '/jobs/:id/log', '/opt/:a?', '/re/(^\\d+)']) own.add(url)
  const found = Object.fromEntries(
    [
      '/health',
      '/health/',
      '/healthy',
      '/docs/static/a.js',
      '/docs/static/',
      '/docs',
      '/jobs/7/x/y',
      '/jobs',
      '/opt/',
      '/re/1',
      '/',
    ].map((path) => [path, own.find(path) ?? 'no']),
  )
  t.strictSame(found, {
    '/health': 'own',
    '/health/': 'no',
    '/healthy': 'no',
    '/docs/static/a.js': 'perhaps',
    '/docs/static/': 'perhaps',
    '/docs': 'no',
    '/jobs/7/x/y': 'perhaps',
    '/jobs': 'no',
    '/opt/': 'perhaps',
    '/re/1': 'perhaps',
    '/': 'no',
  })
  t.end()
})

void test('a wildcard of the whole server leaves no path out', (t) => {
  const own = new OwnPaths()
  own.add('*')
  own.add('/')
  t.strictSame([own.find('/'), own.find('/any')], ['own', 'perhaps'])
  t.end()
})
