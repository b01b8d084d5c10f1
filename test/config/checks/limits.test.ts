import { join } from 'node:path'
import { test } from 'tap'
import { problemsOf } from './problems-of.ts'

const route = (rateLimit: unknown) => ({ routes: { '/*': { answer: { body: 'x' }, rateLimit } } })

void test('a limit says how much it allows, and says it once', async (t) => {
  t.match(problemsOf(route({ by: 'ip' })), [/Write a 'rate'/])
  t.match(problemsOf(route({ rate: '1/s', max: 2 })), [/keep one/])
  t.match(problemsOf(route({ rate: '0/s' })), [/nothing would ever pass/])
  t.match(problemsOf(route({ max: 5, timeWindow: '10ms' })), [/A second at least/i])
  t.strictSame(problemsOf(route({ max: 5, timeWindow: '10s' })), [])
})

void test('a request costs no more than there ever is', async (t) => {
  t.match(problemsOf(route({ rate: '100/s', burst: 5, cost: 6 })), [/never more than 5/])
  t.match(problemsOf({ rateLimit: { api: { rate: '5/s' } }, ...route([{ limit: 'api', cost: 6 }]) }), [
    /never more than 5/,
  ])
  t.match(problemsOf(route({ rate: '100/s', measured: 'upstream-ms', cost: 2 })), [/is measured/])
})

void test('a name is the name of a limit, and what is said beside it has an effect', async (t) => {
  const rateLimit = { clients: { rate: '5/s' } }
  t.match(problemsOf({ rateLimit, ...route(['client']) }), [/no limit 'client'/])
  t.match(problemsOf({ rateLimit, ...route({ limit: 'clients', burst: 3 }) }), [/only 'cost' has an effect/])
  t.strictSame(problemsOf({ rateLimit, ...route({ limit: 'clients', cost: 3 }) }), [])
})

void test('a tier allows or forbids something', async (t) => {
  t.match(problemsOf({ tiers: { gold: {} } }), [/allows and forbids nothing/])
  t.match(problemsOf({ tiers: { gold: { quota: { day: 10, month: 5 } } } }), [/more in a day/])
  t.strictSame(problemsOf({ tiers: { gold: { rateLimit: { rate: '5/s' }, quota: { day: 10 } } } }), [])
})

void test("a consumer's tier is one of those there are, inline and in the file", async (t) => {
  const tiers = { gold: { quota: { day: 10 } } }
  const folder = t.testdir({ 'who.yaml': 'acme: { tier: gold }\nglobex: { tier: glod }\n', 'broken.yaml': 'acme: 7\n' })
  const inFile = (name: string) => ({ access: { consumersFile: join(folder, name) } })
  t.match(problemsOf({ tiers, access: { consumers: { globex: { tier: 'glod' } } } }), [/no tier 'glod'.*gold\?/])
  t.match(problemsOf({ tiers, ...inFile('who.yaml') }), [
    /^access.consumersFile: .*who\.yaml cannot be used: globex\.tier is none of tiers, which has gold/,
  ])
  t.match(problemsOf(inFile('broken.yaml')), [/^access.consumersFile: .*broken\.yaml cannot be used: acme/])
  t.strictSame(problemsOf(inFile('who.yaml')), [], 'without any, it is for the upstream to know')
})
