import { test } from 'tap'
import { invalidatedUris, isUnsafe } from '../../../../services/cache/rules/invalidation.ts'
import { lines } from './stored-response.ts'

const TARGET = 'https://api.test/a/b?c=d'

function uris(method: string, status: number, ...fields: string[]): string[] {
  return invalidatedUris(method, TARGET, { status, fields: lines(...fields), requestedAt: 0, receivedAt: 0 })
}

void test('a success or a redirection of an unsafe or unknown method invalidates its target (RFC 9111 §4.4)', (t) => {
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'M-SEARCH', 'MKCOL', 'get']) {
    t.equal(isUnsafe(method), true, method)
    for (const status of [200, 201, 204, 303, 399]) t.strictSame(uris(method, status), [TARGET], `${method} ${status}`)
    for (const status of [101, 400, 404, 412, 500, 503]) t.strictSame(uris(method, status), [], `${method} ${status}`)
  }
  t.end()
})

void test('a safe method invalidates nothing', (t) => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'REPORT', 'SEARCH']) {
    t.strictSame(uris(method, 200, 'location: /x'), [], method)
  }
  t.end()
})

void test('Location and Content-Location are resolved against the target, without their fragment', (t) => {
  t.strictSame(uris('POST', 201, 'location: c', 'content-location: /x?y#z'), [
    TARGET,
    'https://api.test/a/c',
    'https://api.test/x?y',
  ])
  t.strictSame(uris('POST', 201, 'content-location: HTTPS://API.test:443/x'), [TARGET, 'https://api.test/x'])
  t.strictSame(uris('PUT', 200, 'content-location:'), [TARGET], 'the target once')
  t.end()
})

void test("another origin's URIs are left alone", (t) => {
  for (const location of [
    'http://api.test/x',
    'https://api.test:8443/x',
    'https://other.test/x',
    '//other.test/x',
    'https://sub.api.test/',
    'mailto:a@api.test',
    'data:,x',
    'https://[',
  ]) {
    t.strictSame(uris('POST', 201, `location: ${location}`), [TARGET], location)
  }
  t.end()
})
