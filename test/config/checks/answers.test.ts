import { test } from 'tap'
import { problemsOf } from './problems-of.ts'

const told = (route: object): string[] =>
  problemsOf({ upstreams: { a: { targets: ['http://127.0.0.1:1'] } }, routes: { '/x': route } })

void test('a route is answered by an upstream or by the gateway', async (t) => {
  t.strictSame(told({ answer: {} }), [])
  t.strictSame(told({ answer: { status: 204, headers: { 'x-a': 'b', 'set-cookie': 'a=b' } } }), [])
  t.match(told({}), [/routes\['\/x'\]: 'to' is missing: the name of the upstream; or 'answer'/])
  t.match(told({ to: 'a', answer: {} }), [/\.to: the gateway answers by itself: leave out 'answer', or to/])
  t.match(told({ answer: {}, cache: true }), [/there is nothing to store/])
  t.match(told({ answer: {}, stripPrefix: true, timeout: {} }), [/timeout/, /no path is sent/])
  t.match(told({ answer: {}, decompress: true, websocket: {} }), [/or decompress/, /no connection is passed on/])
  t.strictSame(told({ answer: {}, compression: true, websocket: false }), [])
})

void test('an answer can be written as it stands', async (t) => {
  const answer = (given: object): string[] => told({ answer: given })
  t.match(answer({ status: 101 }), [/expected an integer from 200 to 599/])
  t.match(answer({ status: 204, body: 'x' }), [/a 204 has no body/])
  t.match(answer({ body: 'x', file: '/etc/hostname' }), [/keep one/])
  t.match(answer({ headers: { 'content-length': '1' } }), [/content-length is written by the gateway itself/])
  t.match(answer({ headers: { 'a b': '1' } }), [/no name of a field/])
  t.match(answer({ headers: { 'X-A': '1', 'x-a': '2' } }), [/'x-a' is written twice/])
  t.match(answer({ headers: { 'x-a': 'b\r\nset-cookie: c' } }), [/a value has no line break/])
  t.match(answer({ file: './nowhere.html' }), [/nowhere\.html does not exist/])
})
