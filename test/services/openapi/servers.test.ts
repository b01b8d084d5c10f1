import { test } from 'tap'
import { basePaths, connectSources } from '../../../services/openapi/servers.ts'

void test("the base path of the upstream's own target comes first, then relative ones", (t) => {
  const servers = [{ url: 'https://api.example.com/prod/' }, { url: 'v2' }, { url: 'http://127.0.0.1:4001/v1' }]
  t.same(basePaths(servers, '/docs/openapi.json', ['http://127.0.0.1:4001']), ['/v1', '/docs/v2', '/prod'])
  t.end()
})

void test('a document without servers, or with none that can be read, has no base path', (t) => {
  for (const servers of [undefined, null, [], [{ url: 'http://[' }], 'x']) t.same(basePaths(servers, '/', []), [''])
  t.end()
})

void test('hosts of documented routes are sources that the page may call', (t) => {
  const keys = ['/a', 'GET api.example.com/a', '*.example.org/*', 'api.example.com/b']
  const routes = [...keys.map((key) => ({ key, docs: true })), { key: 'hidden.example/*', docs: false }]
  t.same(connectSources(routes), ['api.example.com:*', '*.example.org:*'])
  t.end()
})
