import { test } from 'tap'
import { isStrong, listHolds, strongEqual, weakEqual } from '../../../../services/cache/rules/entity-tag.ts'

void test('strong comparison wants two strong tags, weak comparison looks past W/ (RFC 9110 §8.8.3.2)', (t) => {
  const rows: [string, string, boolean, boolean][] = [
    ['W/"1"', 'W/"1"', false, true],
    ['W/"1"', 'W/"2"', false, false],
    ['W/"1"', '"1"', false, true],
    ['"1"', '"1"', true, true],
    ['"1"', '"2"', false, false],
    ['w/"1"', '"1"', false, false],
    ['1', '1', false, true],
    ['1', '"1"', false, false],
  ]
  for (const [a, b, strong, weak] of rows) {
    t.equal(strongEqual(a, b), strong, `${a} and ${b}, strongly`)
    t.equal(weakEqual(a, b), weak, `${a} and ${b}, weakly`)
  }
  t.end()
})

void test('what is not one quoted tag is not strong', (t) => {
  for (const tag of ['', '"', 'a', 'W/"a"', '"a', '"a", "b"']) t.equal(isStrong(tag), false, tag)
  for (const tag of ['""', '"a"', '"a,b"']) t.equal(isStrong(tag), true, tag)
  t.end()
})

void test('a list is read tag by tag: commas within quotes, empty members, any whitespace (RFC 9110 §5.6.1)', (t) => {
  const equal = (a: string, b: string): boolean => a === b
  const rows: [string, string, boolean][] = [
    ['"a"', '"a"', true],
    ['"a", "b", "c"', '"b"', true],
    ['"a","b"', '"b"', true],
    [', ,\t"a" ,', '"a"', true],
    ['"a,b"', '"a', false],
    ['"a,b"', '"a,b"', true],
    ['"x,\\"a\\""', '"a"', false],
    ['"x,y", W/"z"', 'W/"z"', true],
    ['W/"a"', '"a"', false],
    ['abc , def', 'abc', true],
    ['"a', '"a', true],
    ['', '"a"', false],
    ['"a""b"', '"b"', true],
  ]
  for (const [list, tag, held] of rows) t.equal(listHolds(list, tag, equal), held, `${tag} in ${list}`)
  t.end()
})
