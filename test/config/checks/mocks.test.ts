import { test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { problemsOf } from './problems-of.ts'

const TARGETS = { targets: ['http://127.0.0.1:1'] }
const UPSTREAMS = {
  plain: TARGETS,
  asked: { ...TARGETS, openapi: '/openapi.json' },
  // Any file that is there.
  filed: { ...TARGETS, openapi: './package.json' },
}

const told = (route: object): string[] => problemsOf({ upstreams: UPSTREAMS, routes: { '/x': route } })

void test('a mocked route has a document to answer from', async (t) => {
  t.strictSame(told({ to: 'asked', mock: true }), [])
  t.strictSame(told({ to: 'asked', mock: { status: 404, example: 'gone' }, cache: true, timeout: {} }), [])
  t.strictSame(told({ mock: './package.json' }), [])
  t.strictSame(told({ to: 'plain', mock: { document: './package.json' } }), [])
  t.match(told({ to: 'plain', mock: true }), [/mock: there is no document to answer from/])
  t.match(told({ mock: true }), [/mock: there is no document to answer from/])
  t.match(told({ to: { split: { plain: 2, asked: 1 } }, mock: true }), [/mock: there is no document/])
  t.match(told({ answer: {}, mock: './package.json' }), [/mock: .*keep one of answer and mock/])
  t.match(told({ mock: './nowhere.json' }), [/nowhere\.json does not exist/])
  t.match(told({ mock: { status: 99 }, to: 'asked' }), [/expected an integer from 200 to 599/])
})

void test('an upstream that a file speaks for is not waited for by /ready', async (t) => {
  const required = (routes: Record<string, unknown>): string[] =>
    resolveConfig({ upstreams: UPSTREAMS, routes })
      .upstreams.filter((upstream) => upstream.required)
      .map(({ name }) => name)
  t.strictSame(required({ '/a': { to: 'filed', mock: true }, '/b': { to: 'asked', mock: true } }), ['plain', 'asked'])
  t.strictSame(required({ '/a': { to: 'asked', mock: './package.json' } }), ['plain', 'filed'])
  t.strictSame(required({ '/a': { to: 'filed', mock: true }, '/b': { to: 'filed' } }), ['plain', 'asked', 'filed'])
})
