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

void test('below a wildcard of the gateway’s own pages every path is its own', (t) => {
  const own = new OwnPaths()
  own.add('/docs/static/*', ['GET'])
  own.add('/files/*', ['GET'])
  own.add('/jobs/:id', ['GET'])
  for (const url of ['/docs/static/*', '/jobs/:id', '/none/*']) own.claim(url)
  const paths = ['/docs/static/a/b', '/docs/static/', '/docs/static', '/files/a', '/jobs/7', '/none/a']
  t.strictSame(
    paths.map((path) => own.find(path)),
    ['own', 'own', undefined, 'perhaps', 'perhaps', undefined],
  )
  t.end()
})

void test('what a path takes is known where it is certainly the gateway’s own', (t) => {
  const own = new OwnPaths()
  own.add('/log', ['PUT'])
  own.add('/log', ['GET', 'HEAD'])
  own.add('/docs/*', ['HEAD'])
  own.add('/docs/*', ['GET'])
  own.claim('/docs/*')
  own.add('/files/*', ['GET'])
  own.add('/jobs/:id', ['GET'])
  t.strictSame(own.methodsOf('/log'), ['GET', 'HEAD', 'PUT'])
  t.strictSame(own.methodsOf('/docs/a/b'), ['GET', 'HEAD'])
  for (const path of ['/files/a', '/jobs/7', '/log/', '/']) t.strictSame(own.methodsOf(path), [], path)
  t.end()
})
