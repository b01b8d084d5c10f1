import { test } from 'tap'
import { problemsOf } from './problems-of.ts'

const UPSTREAMS = {
  a: { targets: ['http://127.0.0.1:1'] },
  b: { targets: ['http://127.0.0.1:1'], sticky: { cookie: 'at' } },
}

const told = (to: unknown, route: object = {}): string[] =>
  problemsOf({ upstreams: UPSTREAMS, routes: { '/*': { to, ...route } } })

void test('a split that means something is left alone', async (t) => {
  t.strictSame(told({ split: { a: 95, b: 5 } }), [])
  t.strictSame(told({ split: { a: 1, b: 0 }, rules: [{ header: 'x-canary', is: '1', to: 'b' }] }), [])
  t.strictSame(told({ split: { a: 1, b: 1 }, sticky: 'client', cache: 'shared' }, { cache: true }), [])
  t.strictSame(told({ split: { a: 1, b: 1 }, sticky: {} }, { cache: true }), [])
})

void test('a side that does not exist, or gets nothing, is told', async (t) => {
  t.match(told({ split: { a: 1, bb: 1 } }), [/to\.split\.bb: no upstream is named 'bb'; there is a, b/])
  t.match(told({ split: {} }), [/to\.split: name at least one upstream/])
  t.match(told({ split: { a: 0, b: 0 } }), [/no side has a share/])
  t.match(told({ split: { a: 1, b: 0 } }), [/to\.split\.b: nothing goes to 'b'/])
  t.match(told({ split: { a: -1 } }), [/expected a number from 0/])
})

void test('a rule looks at one thing, and sends to a side', async (t) => {
  const rules = (...given: object[]): string[] => told({ split: { a: 1, b: 1 }, rules: given })
  t.match(rules({ to: 'a' }), [/rules\[0\]: a rule looks at something/])
  t.match(rules({ header: 'x', cookie: 'x', to: 'a' }), [/looks at one thing/])
  t.match(rules({ header: 'x', to: 'c' }), [/rules\[0\]\.to: 'c' is no side of the split: add it to split/])
  t.match(rules({ header: 'x', to: 'a' }, { header: 'X', is: '1', to: 'b' }), [/rules\[1\]: the rule 1 takes the same/])
})

void test('sticky has an effect, and a cookie of its own', async (t) => {
  t.match(told({ split: { a: 1 }, sticky: {} }), [/sticky: only one side has a share/])
  t.match(told({ split: { a: 1, b: 1 }, sticky: { cookie: 'at' } }), [/the upstream 'b' keeps its targets in a cookie/])
  t.match(told({ split: { a: 1, b: 1 }, sticky: 'path' }), [/expected 'header:x-tenant', 'cookie:sid' or 'client'/])
  t.match(told({ split: { a: 1, b: 1 }, cache: 'shared' }), [/the route has no cache that its sides could share/])
})
