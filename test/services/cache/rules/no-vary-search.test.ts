import { Buffer } from 'node:buffer'
import { test } from 'tap'
import { canonicalQuery, searchVariation } from '../../../../services/cache/rules/no-vary-search.ts'
import { lines } from './stored-response.ts'

const variation = (value: string) => searchVariation(lines(`no-vary-search: ${value}`))

function equivalent(value: string, a: string, b: string): boolean {
  const known = variation(value)
  return known === undefined ? a === b : canonicalQuery(a, known) === canonicalQuery(b, known)
}

void test('what says nothing, or not what it may say, leaves the whole query to matter', (t) => {
  t.equal(searchVariation([]), undefined)
  for (const value of [
    '',
    'unknown',
    'params=()',
    'params=?0',
    'key-order, params=?0',
    'key-order=?0',
    'key-order="no"',
    'key-order=(1)',
    'params="a"',
    'params=(a)',
    'params=("a" 1)',
    'params=("a"), except=("x")',
    'params=(), except=()',
    'params=?0, except=("x")',
    'except="x"',
    'except=(x)',
    'except=?1',
    'params=("a"',
    `params=(${'"a" '.repeat(200).trim()})`,
  ]) {
    t.equal(variation(value), undefined, value)
  }
  t.end()
})

void test('parameters named do not matter', (t) => {
  const value = 'params=("utm_source" "utm_medium")'
  t.ok(equivalent(value, 'a=1&utm_source=x', 'utm_medium=y&a=1'))
  t.notOk(equivalent(value, 'a=1&utm_source=x', 'a=2'))
  t.notOk(equivalent(value, 'a=1&b=2', 'b=2&a=1'), 'the order does')
  t.ok(equivalent(`${value};x, future=1`, 'utm_source=x', ''), 'parameters and unknown members are passed over')
  t.end()
})

void test('all parameters but those named do not matter, in the form of the draft and in that of browsers', (t) => {
  for (const value of ['except=("id")', 'params, except=("id")', 'params=?1, except=("id")']) {
    t.ok(equivalent(value, 'id=1&a=2', 'b=3&id=1'), value)
    t.notOk(equivalent(value, 'id=1', 'id=2'), value)
    t.notOk(equivalent(value, 'id=1&id=2', 'id=2&id=1'), value)
  }
  for (const value of ['params', 'except=()', 'params, except=()']) t.ok(equivalent(value, 'a=1', 'b=2&c'), value)
  t.end()
})

void test('key-order leaves the order of names aside, not that of equal names', (t) => {
  t.ok(equivalent('key-order', 'a=1&b=2', 'b=2&a=1'))
  t.notOk(equivalent('key-order', 'a=1&a=2', 'a=2&a=1'))
  t.ok(equivalent('key-order', 'b=1&a=1&a=2', 'a=1&b=1&a=2'))
  t.ok(equivalent('key-order, params=("x")', 'a=1&x=1&b=2', 'b=2&a=1'))
  t.end()
})

void test('queries are compared as application/x-www-form-urlencoded reads them', (t) => {
  const rows: [string, string, boolean][] = [
    ['a=x', '%61=%78', true],
    ['a=é', 'a=%C3%A9', true],
    ['a=%f6', 'a=%ef%bf%bd', true],
    ['a=x&&&&', 'a=x', true],
    ['a=', 'a', true],
    ['a=%20', 'a=+', true],
    ['a=%C3%A9', 'a=e%CC%81', false],
    ['?a=1', 'a=1', false],
    ['a=1%26b=2', 'a=1&b=2', false],
    ['a=b=c', 'a=b%3Dc', true],
    ['', '&', true],
  ]
  for (const [a, b, same] of rows) {
    // As Node gives the bytes of a request line.
    const latin1 = Buffer.from(a).toString('latin1')
    t.equal(equivalent('key-order', latin1, b), same, `${a} and ${b}`)
  }
  t.end()
})

void test('a name is written as in a query', (t) => {
  const value = 'params=("%C3%A9+%E6%B0%97" "a=b" "c&d" "%2B")'
  t.ok(equivalent(value, '%C3%A9%20%E6%B0%97=1&x', 'x'))
  t.ok(equivalent(value, 'a%3Db=1&x', 'x'))
  t.ok(equivalent(value, 'c%26d=1&x', 'x'))
  t.ok(equivalent(value, '%2B=1&x', 'x'))
  t.notOk(equivalent(value, 'c=1&x', 'x'))
  t.notOk(equivalent(value, 'a=1&x', 'x'))
  t.end()
})

void test('the canonical form of a query is its own', (t) => {
  for (const value of ['key-order', 'params=("b")', 'except=("a" "é")', 'params']) {
    const known = variation(value)
    if (known === undefined) continue
    for (const query of ['', 'b=2&a=1&a=%00', 'a+b=c%26&é=1', '=1&=2', 'a=%zz', '%', 'x'.repeat(2000)]) {
      const canonical = canonicalQuery(query, known)
      t.equal(canonicalQuery(canonical, known), canonical, `${query} under ${value}`)
    }
  }
  t.end()
})
