import { test } from 'tap'
import { parseRouteKey, parseSegments, shapeOf } from '../../../services/routing/pattern.ts'

void test('a key is read as methods, host and path', (t) => {
  t.match(parseRouteKey('/api/*'), {
    methods: null,
    host: { kind: 'any' },
    path: '/api/*',
    segments: [{ kind: 'static', text: 'api' }, { kind: 'rest' }],
  })
  t.match(parseRouteKey('GET,HEAD,GET *.Example.com/v1/:id'), {
    methods: ['GET', 'HEAD'],
    host: { kind: 'suffix', suffix: '.example.com' },
    segments: [
      { kind: 'static', text: 'v1' },
      { kind: 'parameter', name: 'id' },
    ],
  })
  t.match(parseRouteKey('M-SEARCH api.test/'), {
    methods: ['M-SEARCH'],
    host: { kind: 'exact', name: 'api.test' },
    segments: [{ kind: 'static', text: '' }],
  })
  t.end()
})

void test('text of a path is held in the form that requests have', (t) => {
  const text = (path: string): string =>
    parseSegments(path, 'it')
      .map((segment) => (segment.kind === 'static' ? segment.text : '?'))
      .join('/')
  t.equal(text('/caf\u00e9'), 'caf%C3%A9')
  t.equal(text('/%63af%c3%a9'), 'caf%C3%A9')
  t.equal(text('/a%2fb'), 'a%2Fb')
  t.equal(text('/a//b/'), 'a//b/')
  t.equal(text('/a;v=1/@x'), 'a;v=1/@x')
  t.end()
})

void test('two keys of one shape match the same requests', (t) => {
  const shape = (key: string): string => shapeOf(parseRouteKey(key))
  t.equal(shape('GET /a/:x/*'), shape('PUT /a/:y/*'))
  t.equal(shape('A.test/%61'), shape('a.test/a'))
  const different = ['/a', '/a/', '/:a', '/*', 'h/a', '*.h/a', '/a/*', '/a/:x']
  t.equal(new Set(different.map(shape)).size, different.length)
  t.end()
})

void test('what cannot be read says what is wrong with it, and how to write it', (t) => {
  const rows: [key: string, message: RegExp][] = [
    ['users', /no path: write \[METHODS \]\[host\]\/path/],
    ['get /a', /method 'get': methods are upper case/],
    ['GET, PUT /a', /method ''/],
    ['CONNECT /a', /never proxied/],
    ['a b/', /method 'a'/],
    ['GET a.test:80/', /host 'a.test:80'.*without a port/],
    ['*.*.test/', /host/],
    ['/a/:x/:x', /':x' twice/],
    ['/:a-b', /':a-b': write ':name'/],
    ['/*/a', /'\*' stands last/],
    ['/a*', /'\*' stands alone/],
    ['/a?b', /no query/],
    ['/a/./b', /no dot segments/],
    ['/a/%2E/b', /no dot segments/],
    ['/a/..', /leaves the root/],
    ['/a/%2e%2e/b', /leaves the root|dot segments/],
    ['/a%00', /NUL/],
    ['/a\\b', /backslash/],
    ['/%zz', /percent-escape/],
  ]
  for (const [key, message] of rows) t.throws(() => parseRouteKey(key), { code: 'HR_ROUTE_INVALID', message }, key)
  t.end()
})
