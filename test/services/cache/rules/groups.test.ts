import { test } from 'tap'
import { groupTags, invalidatedGroupTags } from '../../../../services/cache/rules/groups.ts'
import { lines } from './stored-response.ts'

const ORIGIN = 'https://api.test'
const tags = (...fields: string[]): string[] => groupTags(lines(...fields), ORIGIN)

void test('Cache-Groups is a list of strings, over several lines, whose parameters mean nothing (RFC 9875 §2)', (t) => {
  t.strictSame(tags('cache-groups: "a";x=1, "b c"', 'cache-groups: "a", "\\"d"'), [
    'group https://api.test a',
    'group https://api.test b c',
    'group https://api.test "d',
  ])
  t.strictSame(tags(), [])
  t.strictSame(tags('cache-groups:'), [])
  t.end()
})

void test('a field that is no list of strings is ignored', (t) => {
  for (const bad of ['a', '"a", b', '"a", 1', '("a")', '"a', '"a" "b"', '"ü"']) {
    t.strictSame(tags(`cache-groups: ${bad}`), [], bad)
  }
  t.end()
})

void test('the same string on another origin is another group (RFC 9875 §2.1)', (t) => {
  const [here] = tags('cache-groups: "a"')
  const [there] = groupTags(lines('cache-groups: "a"'), 'http://api.test')
  t.not(here, there)
  t.end()
})

void test('32 groups of 32 characters are kept, and endless ones are not', (t) => {
  const list = (count: number, length: number): string =>
    Array.from({ length: count }, (_, i) => `"${String(i).padEnd(length, 'x')}"`).join(', ')
  t.equal(tags(`cache-groups: ${list(32, 32)}`).length, 32)
  t.equal(tags(`cache-groups: ${list(1000, 4)}`).length, 128)
  t.strictSame(tags(`cache-groups: ${list(3, 300)}`), [])
  t.end()
})

void test('Cache-Group-Invalidation counts on answers to unsafe methods only (RFC 9875 §3)', (t) => {
  const fields = lines('cache-group-invalidation: "a", "b"')
  const both = ['group https://api.test a', 'group https://api.test b']
  t.strictSame(invalidatedGroupTags('POST', fields, ORIGIN), both)
  t.strictSame(invalidatedGroupTags('UNKNOWN', fields, ORIGIN), both)
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'QUERY']) {
    t.strictSame(invalidatedGroupTags(method, fields, ORIGIN), [], method)
  }
  t.strictSame(invalidatedGroupTags('POST', lines('cache-groups: "a"'), ORIGIN), [])
  t.end()
})
