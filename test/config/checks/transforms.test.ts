import { test } from 'tap'
import { problemsOf } from './problems-of.ts'

const told = (transform: object, route: object = {}, key = '/x/:id', config: object = {}): string[] =>
  problemsOf({
    ...config,
    upstreams: { a: { targets: ['http://127.0.0.1:1'] } },
    routes: { [key]: { to: 'a', transform, ...route } },
  })
const set = (value: string): object => ({ request: { headers: { set: { 'x-a': value } } } })

void test('fields have names and values that can be sent', async (t) => {
  t.strictSame(told({ request: { headers: { set: { 'x-a': '${param.id}' }, rename: { 'x-b': 'x-c' } } } }), [])
  t.match(told({ request: { headers: { set: { Host: 'x' } } } }), [
    /headers\.set.*Host is written by the gateway itself/,
  ])
  t.match(told({ request: { headers: { rename: { 'x-a': 'content-length' } } } }), [/content-length is written by/])
  t.match(told({ response: { headers: { add: { 'a b': 'x' } } } }), [/'a b' is no name of a field/])
  t.match(told({ request: { headers: { rename: { 'x-user': 'x-consumer-id' } } } }, {}), [/tells upstreams who calls/])
  for (const name of ['x_consumer_id', 'X.Consumer.Id', 'x-email']) {
    const forward = { sso: { url: 'http://127.0.0.1:1/', copy: ['X-Email'] } }
    const written = told({ request: { headers: { set: { [name]: 'root' } } } }, {}, '/x', { access: { forward } })
    t.match(written, [/tells upstreams who calls/], name)
  }
  t.match(told(set('a\r\nb: c')), [/no line break/])
  t.match(told(set('${nothing}')), [/'\$\{nothing\}' is nothing that is known/])
  t.match(told(set('${param.other}')), [/has no parameter 'other': it has id/])
  t.match(told(set('${consumer}')), [/nobody is asked who calls/])
})

void test('what one client sends is not in what is stored for others', async (t) => {
  const cache = { varyBy: { headers: ['x-tenant'] } }
  t.match(told(set('${header.x-tenant}'), { cache: true }), [/add 'x-tenant' to cache\.varyBy\.headers/])
  t.strictSame(told(set('${header.X-Tenant}'), { cache }), [])
  t.match(told(set('${query.utm_a}'), { cache: { ignoreQuery: ['utm_*'] } }), [/out of cache\.ignoreQuery/])
  t.strictSame(told(set('${requestId}'), { cache: true }), [])
  t.match(told({ response: { headers: { set: { 'x-a': '${requestId}' } } } }, { cache: true }), [/tells each its own/])
  t.match(told({ request: { hook: './package.json#a' } }, { cache: true }), [/would be stored for all/])
})

void test('bodies, statuses and hooks can be had', async (t) => {
  t.strictSame(told({ response: { body: { mask: ['/a/*/b'] }, status: { 404: 410 } } }), [])
  t.match(told({ response: { body: { mask: ['a.b'] } } }), [/'a\.b' is no JSON Pointer/])
  t.match(told({ request: { body: { rename: { '/a': 'b/c' } } } }), [/'b\/c' is no name/])
  t.match(told({ response: { status: { 304: 200 } } }), [/a 304 says what follows it/])
  t.match(told({ response: { hook: './nowhere.ts#a' } }), [/nowhere\.ts does not exist/])
  t.match(told({ response: { hook: './nowhere.ts' } }), [/expected a file and the name of its export/])
  t.match(told({}, { to: undefined, answer: {} }), [/the gateway answers by itself/])
})
