import { test } from 'tap'
import fc from 'fast-check'
import { parseHttpDate } from '../../../../services/cache/rules/http-date.ts'
import { NOW } from './messages.ts'

const parse = (text: string, now = NOW): number | undefined => parseHttpDate(text, now)
const AT = Date.UTC(2050, 7, 18, 2, 1, 18)

void test('the three formats of HTTP-date are read', (t) => {
  t.equal(parse('Thu, 18 Aug 2050 02:01:18 GMT'), AT, 'IMF-fixdate')
  t.equal(parse('Thursday, 18-Aug-50 02:01:18 GMT'), AT, 'RFC 850')
  t.equal(parse('Thu Aug 18 02:01:18 2050'), AT, 'asctime')
  t.equal(parse('Thu Aug  8 02:01:18 2050'), AT - 10 * 86_400_000, 'asctime with one digit')
  t.equal(parse('Sun, 21 Nov 2286 04:46:39 GMT'), 9_999_999_999_000 + 39_600_000, 'beyond 32 bits')
  t.end()
})

void test('letters match in any case, as RFC 9111 §4.2 asks of caches', (t) => {
  t.equal(parse('THU, 18 Aug 2050 02:01:18 GMT'), AT)
  t.equal(parse('Thu, 18 AUG 2050 02:01:18 GMT'), AT)
  t.equal(parse('Thu, 18 Aug 2050 02:01:18 gMT'), AT)
  t.equal(parse('thursday, 18-aug-50 02:01:18 gmt'), AT)
  t.end()
})

void test('what is nearly a date is none', (t) => {
  for (const text of [
    '0',
    '-1',
    '',
    'foo',
    'Thu, 18 Aug 2050 02:01:18 UTC',
    'Thu, 18 Aug 2050 02:01:18 AEST',
    'Thu, 18 Aug 2050 02:01:18 +0000',
    'Thu, 18 Aug 50 02:01:18 GMT',
    'Thu 18 Aug 2050 02:01:18 GMT',
    'Thu, 18  Aug  2050 02:01:18 GMT',
    ' Thu, 18 Aug 2050 02:01:18 GMT',
    'Thu, 18-Aug-2050 02:01:18 GMT',
    'Thu, 18 Aug 2050 02.01.18 GMT',
    'Thu, 18 Aug 2050 2:01:18 GMT',
    'Thu, 8 Aug 2050 02:01:18 GMT',
    'Xyz, 18 Aug 2050 02:01:18 GMT',
    'Thu, 18 Agu 2050 02:01:18 GMT',
    'Thursday, 18-Aug-2050 02:01:18 GMT',
    'Thu Aug 8 02:01:18 2050',
    'Thu Aug 18 02:01:18 2050 GMT',
    'Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:18 GMT',
    '2050-08-18T02:01:18Z',
  ]) {
    t.equal(parse(text), undefined, text)
  }
  t.end()
})

void test('a day or a time that does not exist is no date, a leap second is one', (t) => {
  t.equal(parse('Tue, 31 Feb 2050 02:01:18 GMT'), undefined)
  t.equal(parse('Wed, 29 Feb 2051 02:01:18 GMT'), undefined)
  t.equal(parse('Mon, 00 Aug 2050 02:01:18 GMT'), undefined)
  t.equal(parse('Thu, 18 Aug 2050 24:00:00 GMT'), undefined)
  t.equal(parse('Thu, 18 Aug 2050 23:60:00 GMT'), undefined)
  t.equal(parse('Thu, 18 Aug 2050 23:59:61 GMT'), undefined)
  t.equal(parse('Sat, 31 Dec 2016 23:59:60 GMT'), Date.UTC(2017, 0, 1))
  t.equal(parse('Thu, 29 Feb 2052 00:00:00 GMT'), Date.UTC(2052, 1, 29))
  t.end()
})

void test('years before 100 are not taken for those of the last century', (t) => {
  t.ok((parse('Thu, 18 Aug 0050 02:01:18 GMT') as number) < Date.UTC(1000, 0))
  t.end()
})

void test('two digits of a year mean the next 50 years, else the past (RFC 9110 §5.6.7)', (t) => {
  const year = (text: string, now = NOW): number => new Date(parse(text, now) as number).getUTCFullYear()
  t.equal(year('Sunday, 06-Nov-94 08:49:37 GMT'), 1994)
  t.equal(year('Thursday, 15-Jan-76 12:00:00 GMT'), 2076, 'fifty years to the second')
  t.equal(year('Thursday, 15-Jan-76 12:00:01 GMT'), 1976, 'a second more')
  t.equal(year('Thursday, 01-Jan-26 00:00:00 GMT'), 2026)
  t.equal(year('Thursday, 01-Jan-01 00:00:00 GMT', Date.UTC(2099, 5, 1)), 2101)
  t.end()
})

void test('the name of the day need not fit the date', (t) => {
  t.equal(parse('Mon, 18 Aug 2050 02:01:18 GMT'), AT)
  t.end()
})

void test('every date that is written comes back to the second', (t) => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 253_402_300_799 }),
      (seconds) => parse(new Date(seconds * 1000).toUTCString()) === seconds * 1000,
    ),
    { numRuns: 200 },
  )
  t.end()
})
