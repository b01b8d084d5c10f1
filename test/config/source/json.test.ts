import { test } from 'tap'
import { readEnvironment } from '../../../config/environment.ts'
import { readJson } from '../../../config/source/json.ts'

const read = (text: string, variables = {}) => readJson(text, readEnvironment('/nonexistent', variables))

void test('text may hold variables', async (t) => {
  const { value, complaints } = read('{"a": ["${A}", "${B:-b}", 1]}', { A: 'x' })
  t.same(complaints, [])
  t.same(value, { a: ['x', 'b', 1] })
  t.match(read('{"a": "${A}"}').complaints, [{ code: 'HR_CONFIG_ENV_UNSET', span: { start: 6, length: 6 } }])
})

void test('a syntax error has its place', async (t) => {
  t.match(read('{\n "a": ,}').complaints, [{ code: 'HR_CONFIG_SYNTAX', span: { start: 8 } }])
  t.match(read('{"a": 1').complaints, [{ code: 'HR_CONFIG_SYNTAX', span: { start: 7 } }])
  t.match(read('').complaints, [{ code: 'HR_CONFIG_SYNTAX' }])
  t.match(read("{'a': 1}").complaints, [{ code: 'HR_CONFIG_SYNTAX', span: { start: 1 } }])
})

void test('a name that is written twice is refused: one of them would be lost', async (t) => {
  t.match(read('{"a": {"b": 1, "b": 2}}').complaints, [{ path: ['a', 'b'], span: { start: 15, length: 3 } }])
})

void test('depths beyond any parser end in a complaint or in data', async (t) => {
  t.doesNotThrow(() => read('['.repeat(50_000) + ']'.repeat(50_000)))
  t.doesNotThrow(() => read('{"a":'.repeat(50_000)))
})
