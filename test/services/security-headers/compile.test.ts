import { test } from 'tap'
import { compileSecurityHeaders } from '../../../services/security-headers/compile.ts'

void test('without options the fields are those of helmet', async (t) => {
  const { fields, removed } = compileSecurityHeaders({})
  const names = fields.filter((_, index) => index % 2 === 0)
  t.ok(names.includes('content-security-policy'))
  t.ok(names.includes('strict-transport-security'))
  t.equal(fields[fields.indexOf('x-frame-options') + 1], 'SAMEORIGIN')
  t.same(removed, ['x-powered-by'])
})

void test('a field is left out, or says something else', async (t) => {
  const { fields, removed } = compileSecurityHeaders({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], scriptSrc: ["'self'", 'https://a.test'] },
      reportOnly: true,
    },
    strictTransportSecurity: { maxAge: 600, includeSubDomains: false, preload: false },
    xFrameOptions: false,
    xPoweredBy: false,
    referrerPolicy: { policy: ['origin', 'same-origin'] },
  })
  const told = new Map(fields.flatMap((name, index) => (index % 2 === 0 ? [[name, fields[index + 1]]] : [])))
  t.equal(told.get('content-security-policy-report-only'), "default-src 'none';script-src 'self' https://a.test")
  t.equal(told.get('strict-transport-security'), 'max-age=600')
  t.equal(told.get('referrer-policy'), 'origin,same-origin')
  t.notOk(told.has('x-frame-options'))
  t.same(removed, [])
})

void test('what helmet does not take is said', async (t) => {
  t.throws(
    () =>
      compileSecurityHeaders({
        contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ['a; b'] }, reportOnly: false },
      }),
    { code: 'HR_SECURITY_HEADERS_INVALID' },
  )
})
