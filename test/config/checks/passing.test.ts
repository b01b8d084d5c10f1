import { test } from 'tap'
import { problemsOf } from './problems-of.ts'

const told = (route: object, key = '/x'): string[] =>
  problemsOf({ upstreams: { a: { targets: ['http://127.0.0.1:1'] } }, routes: { [key]: { to: 'a', ...route } } })

void test('CORS names who may, and lets no page act as its user that was not named', async (t) => {
  t.strictSame(told({ cors: true }), [])
  t.strictSame(told({ cors: { origin: ['https://a.test', 'https://*.b.test'], credentials: true } }), [])
  t.match(told({ cors: { credentials: true } }), [/\.credentials: with credentials every page could act as its user/])
  t.match(told({ cors: { origin: true, credentials: true } }), [/every page could act/])
  t.match(told({ cors: { origin: ['*', 'https://a.test'] } }), [/'\*' is any origin: leave out the others/])
  t.match(told({ cors: { origin: ['https://*a.test'] } }), [
    /\.origin\[0\]: .* the \* may stand for what is before a name/,
  ])
  t.match(told({ cors: { origin: 'https://*.com' } }), [/whole top-level domain/])
  t.match(told({ cors: { origin: 'a.test' } }), [/an origin such as/])
})

void test('security headers are such as helmet takes', async (t) => {
  t.strictSame(told({ securityHeaders: { contentSecurityPolicy: { directives: { 'script-src': ["'self'"] } } } }), [])
  t.match(told({ securityHeaders: { contentSecurityPolicy: { directives: { 'script-src': ['a;b'] } } } }), [
    /\.securityHeaders: .*script-src/,
  ])
})

void test('limits of requests have an effect', async (t) => {
  t.strictSame(told({ request: { bodySize: '64KiB', methods: ['GET'] } }), [])
  t.match(told({ request: { bodySize: '200GiB' } }), [/limits\.bodySize .* is smaller, and holds/])
  t.match(told({ request: { methods: ['GET', 'PUT'] } }, 'GET,POST /x'), [/takes GET, POST only: PUT never gets here/])
})

void test('what validates has a document, and something to compare with it', async (t) => {
  t.match(told({ validate: true }), [/\.validate: there is no document: give the upstream an openapi/])
  t.match(told({ validate: { document: './none.json' } }), [/none\.json does not exist/])
  t.match(told({ validate: { document: './package.json', requests: 'off', responses: 'off' } }), [/leave it out/])
  t.match(told({ to: undefined, answer: {}, validate: true }), [/the gateway answers by itself/])
})
