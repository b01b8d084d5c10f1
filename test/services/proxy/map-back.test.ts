import { test } from 'tap'
import { type MapBack, mapCookie, mapLocation } from '../../../services/proxy/map-back.ts'
import { pathWriter } from '../../../services/proxy/path-writer.ts'
import { parseRouteKey } from '../../../services/routing/pattern.ts'

const context = (parts: Partial<MapBack> = {}): MapBack => ({
  writer: pathWriter(parseRouteKey('/api/*'), true, null),
  parameters: ['x'],
  upstreamAuthorities: ['10.0.0.1:8080', 'gateway.test'],
  scheme: 'https',
  authority: 'gateway.test',
  ...parts,
})

void test('a location at the upstream becomes one at the gateway', (t) => {
  const rows: [string, string][] = [
    ['/a?b=/c#d', '/api/a?b=/c#d'],
    ['http://10.0.0.1:8080/a?b#c', 'https://gateway.test/api/a?b#c'],
    ['HTTP://10.0.0.1:8080', 'https://gateway.test/api/'],
    ['http://10.0.0.1:8080?q', 'https://gateway.test/api/?q'],
    ['http://Gateway.test/a', 'https://gateway.test/api/a'],
    ['//10.0.0.1:8080/a?b#c', '//gateway.test/api/a?b#c'],
    ['//10.0.0.1:8080', '//gateway.test/api/'],
  ]
  for (const [value, expected] of rows) t.equal(mapLocation(value, context()), expected, value)
  t.end()
})

void test('a location elsewhere, a relative one, and one that the route cannot produce stay', (t) => {
  for (const value of [
    'https://elsewhere.test/a',
    'a/b',
    '../x',
    '',
    '?q',
    '#f',
    '//cdn.test/x',
    '//10.0.0.1/x',
    '//user@10.0.0.1:8080/x',
    '///10.0.0.1:8080/x',
    '//',
    'mailto:a@b',
    'http://10.0.0.1:9/a',
  ]) {
    t.equal(mapLocation(value, context()), value, value)
  }
  const narrow = context({ writer: pathWriter(parseRouteKey('/users/:id'), false, '/v2/:id') })
  t.equal(mapLocation('/other', narrow), '/other')
  t.equal(mapLocation('http://10.0.0.1:8080/other', narrow), 'http://10.0.0.1:8080/other')
  t.end()
})

void test('without rewriting only the address is mapped, and only where the client named one', (t) => {
  t.equal(mapLocation('http://10.0.0.1:8080/a', context({ writer: null })), 'https://gateway.test/a')
  t.equal(mapLocation('/a', context({ writer: null })), '/a')
  t.equal(mapLocation('http://10.0.0.1:8080/a', context({ authority: '' })), 'http://10.0.0.1:8080/a')
  t.equal(mapLocation('//10.0.0.1:8080/a', context({ writer: null })), '//gateway.test/a')
  t.end()
})

void test('of a cookie Path and Domain are mapped, nothing else', (t) => {
  const rows: [string, string][] = [
    ['a=1', 'a=1'],
    ['a=1; Path=/; HttpOnly; Secure', 'a=1; Path=/api; HttpOnly; Secure'],
    ['a=1; path = /sub ;Max-Age=3', 'a=1; Path=/api/sub;Max-Age=3'],
    ['a=1; Domain=10.0.0.1; SameSite=Lax', 'a=1; SameSite=Lax'],
    ['a=1; domain=.GATEWAY.test', 'a=1'],
    ['a=1; Domain=elsewhere.test', 'a=1; Domain=elsewhere.test'],
    ['a=1; Path=relative', 'a=1; Path=relative'],
    ['a=Domain=10.0.0.1', 'a=Domain=10.0.0.1'],
    ['__Host-a=1; Path=/; Secure', '__Host-a=1; Path=/; Secure'],
    ['__host-a=1; Path=/; Secure', '__host-a=1; Path=/; Secure'],
    ['__Secure-a=1; Path=/; Secure', '__Secure-a=1; Path=/api; Secure'],
    ['a=__Host-; Path=/', 'a=__Host-; Path=/api'],
    ['', ''],
  ]
  for (const [value, expected] of rows) {
    t.equal(mapCookie(value, context()), expected, value)
  }
  t.equal(mapCookie('a=1; Path=/', context({ writer: null })), 'a=1; Path=/')
  t.end()
})
