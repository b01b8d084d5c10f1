import { test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { problemsOf } from './problems-of.ts'

const UPSTREAMS = { a: { targets: ['http://127.0.0.1:1'] }, b: { targets: ['http://127.0.0.1:1'] } }

const told = (to: unknown, mirror: unknown): string[] =>
  problemsOf({ upstreams: UPSTREAMS, routes: { '/*': { to, mirror } } })

void test('a shadow is an upstream that does not answer the route', async (t) => {
  t.strictSame(told('a', { to: 'b', share: 0.1 }), [])
  t.match(told('a', { to: 'a' }), [/mirror\.to: 'a' answers this route already/])
  t.match(told({ split: { a: 1, b: 1 } }, { to: 'b' }), [/mirror\.to: 'b' answers this route already/])
  t.match(told('a', { to: 'c' }), [/mirror\.to: no upstream is named 'c'/])
  t.match(told('a', { to: 'b', share: 10 }), [/share: expected a number from 0 to 1, got 10/])
  t.match(told('a', { to: 'b', methods: ['post'] }), [/expected a method such as 'GET', got 'post'/])
})

void test('an upstream that gets copies alone is not waited for by /ready', async (t) => {
  const required = (routes: Record<string, unknown>): boolean[] =>
    resolveConfig({ upstreams: UPSTREAMS, routes }).upstreams.map((upstream) => upstream.required)
  t.strictSame(required({ '/*': { to: 'a', mirror: { to: 'b' } } }), [true, false])
  t.strictSame(required({ '/*': { to: 'a', mirror: { to: 'b' } }, '/b': { to: 'b' } }), [true, true])
  t.strictSame(required({ '/*': { to: 'a' } }), [true, true], 'what nobody asks is as it says of itself')
})
