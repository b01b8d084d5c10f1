import { test } from 'tap'
import { parseSpecification } from '../../../services/openapi/parse.ts'

void test('JSON and YAML are read, with a byte order mark or without', (t) => {
  t.match(parseSpecification('\uFEFF {"openapi":"3.1.0"}'), { openapi: '3.1.0' })
  t.match(parseSpecification('openapi: 3.0.3\npaths: {}\n'), { openapi: '3.0.3', paths: {} })
  t.match(parseSpecification('openapi: 3.1'), { openapi: 3.1 }, 'a version that YAML reads as a number')
  t.end()
})

void test('Swagger 2.0 and unknown versions are refused with what to do', (t) => {
  t.throws(() => parseSpecification('swagger: "2.0"'), {
    code: 'HR_OPENAPI_VERSION_UNSUPPORTED',
    message: /convert it/,
  })
  t.throws(() => parseSpecification('{"openapi":"4.0.0"}'), { code: 'HR_OPENAPI_VERSION_UNSUPPORTED' })
  t.end()
})

void test('what is no OpenAPI document is refused', (t) => {
  for (const text of ['', '[]', '"text"', '{"a":1}', '{"openapi"', 'a: [', '<html></html>']) {
    t.throws(() => parseSpecification(text), { code: 'HR_OPENAPI_INVALID' }, text)
  }
  t.end()
})

void test('YAML that would take seconds to parse is refused with what to do', (t) => {
  const text = `openapi: 3.1.0\n${'# comment\n'.repeat(110_000)}`
  t.throws(() => parseSpecification(text), { code: 'HR_OPENAPI_INVALID', message: /give it as JSON/ })
  t.end()
})

void test('YAML that contains itself, or far more than was sent, is refused', (t) => {
  t.throws(() => parseSpecification('openapi: 3.1.0\nx-a: &a\n  b: *a\n'), { code: 'HR_OPENAPI_INVALID' })
  const large = `openapi: 3.1.0\nx-a: &a ${'x'.repeat(500_000)}\nx-b: [${Array(50).fill('*a').join(',')}]\n`
  t.throws(() => parseSpecification(large), { code: 'HR_OPENAPI_INVALID', message: /aliases/ })
  t.end()
})

void test('aliases that multiply are not expanded', (t) => {
  const lines = Array.from(
    { length: 12 },
    (_, n) =>
      `a${n}: &a${n} [${Array(10)
        .fill(`*a${n - 1}`)
        .join(',')}]`,
  )
  lines[0] = 'a0: &a0 [x]'
  t.throws(() => parseSpecification(['openapi: 3.1.0', ...lines].join('\n')), { code: 'HR_OPENAPI_INVALID' })
  t.end()
})
