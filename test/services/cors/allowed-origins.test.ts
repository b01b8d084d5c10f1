import { test } from 'tap'
import { AllowedOrigins } from '../../../services/cors/allowed-origins.ts'

void test('an origin is compared byte for byte, and a * stands for names below another alone', async (t) => {
  const origins = new AllowedOrigins(['https://app.test', 'https://*.pages.test', 'http://*.dev.test:8080'])
  for (const origin of [
    'https://app.test',
    'https://a.pages.test',
    'https://a.b-c.pages.test',
    'http://x.dev.test:8080',
  ])
    t.ok(origins.has(origin), origin)
  for (const origin of [
    'https://app.test:443',
    'http://app.test',
    'https://app.test.evil.test',
    'https://pages.test',
    'https://.pages.test',
    'https://evil.test/.pages.test',
    'https://evil.test:1@x.pages.test',
    'https://evil.test#.pages.test',
    'https://A.pages.test',
    'http://x.dev.test',
    'null',
    '',
  ])
    t.notOk(origins.has(origin), origin)
})

void test('any origin, or none', async (t) => {
  t.ok(new AllowedOrigins('*').has('null'))
  t.ok(new AllowedOrigins(true).has('https://app.test'))
  t.notOk(new AllowedOrigins([]).has('https://app.test'))
})
