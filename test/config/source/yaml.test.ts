import { test } from 'tap'
import { readEnvironment } from '../../../config/environment.ts'
import { readYaml } from '../../../config/source/yaml.ts'

const read = (text: string, variables = {}) => readYaml(text, readEnvironment('/nonexistent', variables))

void test('variables are put in before plain text gets its type', async (t) => {
  const { value, complaints } = read(
    `a: \${A:-8080}\nb: '\${A:-8080}'\nc: \${B:-true}\nd: \${C}\ne: "x\${C}y"\nf: $\${C}\ng: \${D:-}\n\${C}: 1`,
    { C: 'see' },
  )
  t.same(complaints, [])
  t.same(value, { a: 8080, b: '8080', c: true, d: 'see', e: 'xseey', f: '${C}', g: null, see: 1 })
})

void test('what a variable holds is never structure', async (t) => {
  t.same(read('a: ${A}', { A: '{ b: 1 }' }).value, { a: '{ b: 1 }' })
  t.same(read('a: ${A}', { A: 'x\nlisten: 2' }).value, { a: 'x\nlisten: 2' })
})

void test('every variable that is not set is named where it stands', async (t) => {
  const { complaints, value, isUnset } = read('a: ${A}\nb: [x, "${B}"]')
  t.match(complaints, [
    { code: 'HR_CONFIG_ENV_UNSET', message: /A is not set/, span: { start: 3, length: 4 } },
    { code: 'HR_CONFIG_ENV_UNSET', message: /B is not set/, span: { start: 15, length: 6 } },
  ])
  t.ok(isUnset((value as { a: string }).a))
})

void test('names, values and items are found in the text, through aliases too', async (t) => {
  const text = 'x: &x { y: [1, 22] }\nz: *x\n'
  const { locate } = read(text)
  const at = (...args: Parameters<typeof locate>): string | undefined => {
    const span = locate(...args)
    return span && text.slice(span.start, span.start + span.length)
  }
  t.equal(at(['x', 'y'], 'key'), 'y')
  t.equal(at(['x', 'y', 1], 'value'), '22')
  t.equal(at(['z', 'y', 1], 'value'), '22')
  t.equal(at(['q'], 'key'), undefined)
})

void test('a syntax error is said once, with a hint for variables inside of braces', async (t) => {
  const [complaint, ...more] = read('a: { b: ${B} }\n').complaints
  t.match(complaint, { code: 'HR_CONFIG_SYNTAX', message: /quote '\$\{…\}' inside of \[ \] and \{ \}/ })
  t.same(more, [])
  t.match(read('a: 1\na: 2\n').complaints, [{ code: 'HR_CONFIG_SYNTAX', message: /'a' is written twice/ }])
  t.match(read('a: !code x\n').complaints, [{ code: 'HR_CONFIG_SYNTAX', message: /tag/i }])
})

void test('bombs and depths end in a complaint', async (t) => {
  const bomb = Array.from(
    { length: 12 },
    (_, i) =>
      `a${i}: &a${i} [${Array(9)
        .fill(i === 0 ? 'x' : `*a${i - 1}`)
        .join()}]`,
  )
  t.match(read(bomb.join('\n')).complaints, [{ code: 'HR_CONFIG_SYNTAX' }])
  t.match(read('['.repeat(20_000)).complaints, [{ code: 'HR_CONFIG_SYNTAX' }])
})
