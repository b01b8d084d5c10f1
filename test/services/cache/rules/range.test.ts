import { test } from 'tap'
import { parseRange, selectRanges, type RangeSelection } from '../../../../services/cache/rules/range.ts'

/** `0-4 9-9` for ranges, else the word. */
const shown = (ranges: RangeSelection): string =>
  typeof ranges === 'string' ? ranges : ranges.map(({ first, last }) => `${first}-${last}`).join(' ')

void test('ranges are read against the length (RFC 9110 §14.1.2)', (t) => {
  const rows: [string, string][] = [
    ['bytes=0-499', '0-499'],
    ['bytes=500-999', '500-999'],
    ['bytes=9500-', '9500-9999'],
    ['bytes=-500', '9500-9999'],
    ['bytes=-20000', '0-9999'],
    ['bytes=0-99999', '0-9999'],
    ['bytes=0-0,-1', '0-0 9999-9999'],
    ['BYTES=0-0', '0-0'],
    ['bytes=0-', '0-9999'],
    ['bytes= 0-0 ,\t500-600 ', '0-0 500-600'],
    ['bytes=, ,0-0,,', '0-0'],
    [`bytes=0-${'9'.repeat(400)}`, '0-9999'],
    [`bytes=-${'9'.repeat(400)}`, '0-9999'],
  ]
  for (const [value, expected] of rows) t.equal(shown(parseRange(value, 10_000)), expected, value)
  t.end()
})

void test('a range behind the end is passed over, and unsatisfiable if there is no other (RFC 9110 §15.5.17)', (t) => {
  const rows: [string, string][] = [
    ['bytes=10-', 'unsatisfiable'],
    ['bytes=10-20', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    [`bytes=${'9'.repeat(30)}-`, 'unsatisfiable'],
    ['bytes=10-,0-1', '0-1'],
    ['bytes=9-', '9-9'],
  ]
  for (const [value, expected] of rows) t.equal(shown(parseRange(value, 10)), expected, value)
  t.equal(shown(parseRange('bytes=-5', 0)), 'whole', 'of nothing, all of it')
  t.end()
})

void test('a field that is malformed, of another unit, or of too many ranges asks for the whole (RFC 9110 §14.2)', (t) => {
  const bad = [
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=a-b',
    'bytes=5-4',
    'bytes=0-1,5-4',
    'bytes=0-1,x',
    'bytes=+1-2',
    'bytes=1-2-3',
    'bytes=0x1-2',
    'bytes =0-1',
    'lines=0-1',
    'bytes=0-0;bytes=1-1',
    `bytes=${Array.from({ length: 33 }, (_, i) => `${i * 200}-${i * 200}`).join()}`,
  ]
  for (const value of bad) t.equal(parseRange(value, 10_000), 'whole', value)
  t.end()
})

void test('ranges that overlap or nearly touch become one, where the first of them stood (RFC 9110 §15.3.7.2)', (t) => {
  const rows: [string, string][] = [
    ['bytes=0-100,50-200', '0-200'],
    ['bytes=0-9,10-19', '0-19'],
    ['bytes=0-9,50-59', '0-59'],
    ['bytes=0-9,500-509', '0-9 500-509'],
    ['bytes=500-509,0-9', '500-509 0-9'],
    ['bytes=500-509,0-9,505-600', '500-600 0-9'],
    ['bytes=0-9,300-309,600-609,5-605', '0-609'],
    [`bytes=${Array(32).fill('0-').join()}`, '0-9999'],
  ]
  for (const [value, expected] of rows) t.equal(shown(parseRange(value, 10_000)), expected, value)
  t.end()
})

void test('a stored part answers what it holds, and nothing else (RFC 9111 §3.3)', (t) => {
  const known = { part: { first: 4, last: 9, complete: 10 }, body: '456789' }
  const rows: [string, string][] = [
    ['bytes=-5', '5-9'],
    ['bytes=-6', '4-9'],
    ['bytes=-7', 'uncovered'],
    ['bytes=6-8', '6-8'],
    ['bytes=6-', '6-9'],
    ['bytes=3-5', 'uncovered'],
    ['bytes=4-4,9-9', '4-9'],
    ['bytes=0-0,9-9', 'uncovered'],
    ['bytes=10-', 'unsatisfiable'],
    ['lines=1', 'uncovered'],
  ]
  for (const [value, expected] of rows) t.equal(shown(selectRanges(value, known)), expected, value)
  t.end()
})

void test('without the length of the whole, only a range with both ends can be answered', (t) => {
  const unknown = { part: { first: 4, last: 9, complete: null }, body: '456789' }
  const rows: [string, string][] = [
    ['bytes=4-9', '4-9'],
    ['bytes=5-6', '5-6'],
    ['bytes=5-10', 'uncovered'],
    ['bytes=5-', 'uncovered'],
    ['bytes=-1', 'uncovered'],
    ['bytes=99-100', 'uncovered'],
    [`bytes=${'9'.repeat(20)}-${'9'.repeat(20)}`, 'uncovered'],
  ]
  for (const [value, expected] of rows) t.equal(shown(selectRanges(value, unknown)), expected, value)
  t.end()
})

void test('a whole stored response answers any range of it', (t) => {
  t.equal(shown(selectRanges('bytes=1-2', { part: null, body: 'abc' })), '1-2')
  t.equal(shown(selectRanges('bytes=-1', { part: null, body: new Uint8Array(3) })), '2-2')
  t.equal(shown(selectRanges('x', { part: null, body: 'abc' })), 'whole')
  t.end()
})
