import { test, type Test } from 'tap'
import { evaluatePreconditions, notModifiedFields, rangeApplies } from '../../../../services/cache/rules/conditional.ts'
import type { RequestConditions } from '../../../../services/cache/rules/message.ts'
import { conditions, DATE, HOUR_AFTER, HOUR_BEFORE, lines, storedResponse } from './stored-response.ts'

const LATER = 'Thu, 01 Jan 2026 12:00:01 GMT'
const tagged = lines('etag: "a,b"', `last-modified: ${DATE}`, `date: ${HOUR_AFTER}`)
const weak = lines('etag: W/"a"', `date: ${DATE}`)
const dated = lines(`last-modified: ${DATE}`, `date: ${HOUR_AFTER}`)
const undated = lines(`date: ${DATE}`)

function rows(t: Test, table: [string[], Partial<RequestConditions>, string][]): void {
  for (const [fields, given, expected] of table) {
    t.equal(
      evaluatePreconditions(conditions(given), storedResponse(fields)),
      expected,
      `${JSON.stringify(given)} of ${fields.join(' ')}`,
    )
  }
  t.end()
}

void test('If-None-Match: any member, weakly compared, or * (RFC 9110 §13.1.2)', (t) => {
  rows(t, [
    [tagged, {}, 'full'],
    [tagged, { ifNoneMatch: '"a,b"' }, 'not-modified'],
    [tagged, { ifNoneMatch: 'W/"a,b"' }, 'not-modified'],
    [tagged, { ifNoneMatch: '"x", "a,b" , "y"' }, 'not-modified'],
    [tagged, { ifNoneMatch: '"a", b"' }, 'full'],
    [tagged, { ifNoneMatch: ' * ' }, 'not-modified'],
    [weak, { ifNoneMatch: '"a"' }, 'not-modified'],
    [weak, { ifNoneMatch: 'W/"a"' }, 'not-modified'],
    [dated, { ifNoneMatch: '"a"' }, 'full'],
    [dated, { ifNoneMatch: '*' }, 'not-modified'],
    [lines('etag: abc'), { ifNoneMatch: 'abc' }, 'not-modified'],
  ])
})

void test('If-None-Match goes before If-Modified-Since, whatever it comes to (RFC 9110 §13.2.2)', (t) => {
  rows(t, [
    [tagged, { ifNoneMatch: '"a,b"', ifModifiedSince: HOUR_BEFORE }, 'not-modified'],
    [tagged, { ifNoneMatch: '"x"', ifModifiedSince: HOUR_AFTER }, 'full'],
  ])
})

void test('If-Modified-Since: not later than the date; Date stands in for Last-Modified (RFC 9111 §4.3.2)', (t) => {
  rows(t, [
    [dated, { ifModifiedSince: DATE }, 'not-modified'],
    [dated, { ifModifiedSince: LATER }, 'not-modified'],
    [dated, { ifModifiedSince: HOUR_BEFORE }, 'full'],
    [dated, { ifModifiedSince: 'Thursday, 01-Jan-26 12:00:00 GMT' }, 'not-modified'],
    [dated, { ifModifiedSince: 'tomorrow' }, 'full'],
    [dated, { ifModifiedSince: `${DATE}, ${DATE}` }, 'full'],
    [undated, { ifModifiedSince: DATE }, 'not-modified'],
    [undated, { ifModifiedSince: HOUR_BEFORE }, 'full'],
  ])
})

void test('If-Match compares strongly and goes before If-Unmodified-Since (RFC 9110 §13.1.1, §13.1.4)', (t) => {
  rows(t, [
    [tagged, { ifMatch: '"x", "a,b"' }, 'full'],
    [tagged, { ifMatch: '*' }, 'full'],
    [tagged, { ifMatch: '"x"' }, 'failed'],
    [weak, { ifMatch: 'W/"a"' }, 'failed'],
    [dated, { ifMatch: '"a"' }, 'failed'],
    [tagged, { ifMatch: '"a,b"', ifUnmodifiedSince: HOUR_BEFORE }, 'full'],
    [tagged, { ifMatch: '"a,b"', ifNoneMatch: '"a,b"' }, 'not-modified'],
    [tagged, { ifMatch: '"x"', ifNoneMatch: '"a,b"' }, 'failed'],
    [dated, { ifUnmodifiedSince: DATE }, 'full'],
    [dated, { ifUnmodifiedSince: HOUR_BEFORE }, 'failed'],
    [dated, { ifUnmodifiedSince: 'never' }, 'full'],
  ])
})

void test('preconditions count for a success only (RFC 9110 §13.2.1)', (t) => {
  for (const status of [301, 404]) {
    const stored = storedResponse(tagged, { status })
    t.equal(evaluatePreconditions(conditions({ ifNoneMatch: '"a,b"' }), stored), 'full')
    t.equal(evaluatePreconditions(conditions({ ifMatch: '"x"' }), stored), 'full')
  }
  t.end()
})

void test('If-Range holds for the same strong tag or the very date (RFC 9110 §13.1.5)', (t) => {
  const table: [string[], string | undefined, boolean][] = [
    [tagged, undefined, true],
    [tagged, '"a,b"', true],
    [tagged, ' "a,b" ', true],
    [tagged, '"a"', false],
    [tagged, 'W/"a,b"', false],
    [tagged, DATE, false],
    [weak, 'W/"a"', false],
    [weak, '"a"', false],
    [dated, DATE, true],
    [dated, 'Thursday, 01-Jan-26 12:00:00 GMT', true],
    [dated, LATER, false],
    [dated, 'x', false],
    [lines(`last-modified: ${DATE}`, `date: ${DATE}`), DATE, false],
    [undated, DATE, false],
  ]
  for (const [fields, value, applies] of table) {
    t.equal(rangeApplies(value, storedResponse(fields)), applies, `${value} for ${fields.join(' ')}`)
  }
  t.end()
})

void test('a 304 from the store carries what a client updates its copy by (RFC 9110 §15.4.5)', (t) => {
  const fields = lines(
    'content-type: text/plain',
    'content-length: 10',
    'etag: "a"',
    `last-modified: ${DATE}`,
    'cache-control: max-age=5',
    'cache-control: public',
    'cdn-cache-control: max-age=6',
    'content-location: /a',
    `date: ${DATE}`,
    `expires: ${HOUR_AFTER}`,
    'vary: etag',
    'x-other: 1',
  )
  t.strictSame(
    notModifiedFields(fields),
    fields.filter((_, i) => ![0, 1, 2, 3, 6, 7, 22, 23].includes(i)),
  )
  t.strictSame(
    notModifiedFields(lines('vary: etag', `last-modified: ${DATE}`)),
    lines('vary: etag', `last-modified: ${DATE}`),
  )
  t.end()
})
