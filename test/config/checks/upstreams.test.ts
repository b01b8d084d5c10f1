import { test } from 'tap'
import { problemsOf } from './problems-of.ts'

const targets = ['http://127.0.0.1:1', 'http://127.0.0.1:2']

void test('what is balanced by consumer has a route that asks who calls', async (t) => {
  const told = (routes: Record<string, unknown>): string[] =>
    problemsOf({ upstreams: { a: { targets, balance: { hash: 'consumer' } }, b: { targets } }, routes })
  const silent = [/upstreams\.a\.balance\.hash: no route to it asks anybody who they are/]
  t.match(told({ '/*': { to: 'a' } }), silent)
  t.match(told({ '/*': { to: 'a', access: ['anonymous'] } }), silent)
  t.match(told({ '/*': { to: 'a' }, '/b/*': { to: 'b', access: ['key'] } }), silent, 'another route’s says nothing')
  t.strictSame(told({ '/*': { to: 'a' }, '/known/*': { to: 'a', access: ['key'] } }), [])
  t.strictSame(told({ '/*': { to: { split: { a: 1, b: 1 } }, access: ['key'] } }), [])
  t.strictSame(
    told({ '/*': { to: 'b', access: ['key'], mirror: { to: 'a' } } }),
    [],
    'a copy is told of its caller too',
  )
  t.strictSame(told({ '/*': { to: 'b' } }), [], 'nothing leads to it')
})
