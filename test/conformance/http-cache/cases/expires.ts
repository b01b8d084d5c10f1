import {
  again,
  at,
  type Case,
  type Field,
  optimal,
  required,
  type Source,
  store,
  storeAndWait,
  thenAgain,
} from '../case.ts'

const MONTH = 30 * 24 * 60 * 60
const NOW: Field = ['Date', at(0)]

/** How long an answer is fresh, from Expires (RFC 9111 §5.3). */
export const expires: readonly Case[] = [
  optimal(
    'expires/future',
    '9111 §5.3',
    'reuses an answer before its Expires',
    thenAgain([['Expires', at(MONTH)], NOW], 'cache'),
  ),
  required(
    'expires/past',
    '9111 §4.2.1',
    'does not reuse an answer past its Expires',
    thenAgain([['Expires', at(-MONTH)], NOW], 'origin'),
  ),
  required('expires/present', '9111 §4.2.1', 'does not reuse an answer whose Expires is its Date', [
    store([['Expires', at(0)], NOW]),
    again('origin'),
  ]),
  required(
    'expires/before-date',
    '9111 §4.2.1',
    'does not reuse an answer whose Expires is before its Date, by a fast clock',
    thenAgain(
      [
        ['Expires', at(300)],
        ['Date', at(400)],
      ],
      'origin',
    ),
  ),
  required(
    'expires/zero',
    '9111 §5.3',
    'takes an Expires of 0 for one that has passed',
    thenAgain([['Expires', '0', 'loose'], NOW], 'origin'),
  ),
  optimal('expires/invalid-date', '9111 §4.2.1', 'heeds Expires where Date is no date', [
    store([
      ['Date', 'today', 'loose'],
      ['Expires', at(10)],
    ]),
    again('cache'),
  ]),
  required('expires/age-slow-clock', '9111 §4.2.3', 'counts Age against Expires − Date, by a slow clock', [
    store([
      ['Date', at(-10)],
      ['Expires', at(10)],
      ['Age', '25'],
    ]),
    again('origin'),
  ]),
  required('expires/age-fast-clock', '9111 §4.2.3', 'counts Age against Expires − Date, by a fast clock', [
    store([
      ['Date', at(10)],
      ['Expires', at(20)],
      ['Age', '15'],
    ]),
    again('origin'),
  ]),
]

const dated = (lines: readonly string[], from: Source): Case['steps'] => [
  storeAndWait([...lines.map((line): Field => ['Expires', line, 'loose']), NOW]),
  again(from),
]

const valid: readonly (readonly [id: string, what: string, date: string])[] = [
  ['32-bit', 'a date past 31 bits of seconds', 'Wed, 20 Jan 2038 14:14:08 GMT'],
  ['far', 'a date far away', 'Sun, 04 Jul 2286 04:46:39 GMT'],
  ['rfc850', 'a date in the form of RFC 850', 'Thursday, 18-Aug-50 02:01:18 GMT'],
  ['asctime', 'a date in the form of asctime', 'Mon Aug  8 02:01:18 2050'],
  ['weekday-case', 'a weekday in capitals', 'THU, 18 Aug 2050 02:01:18 GMT'],
  ['month-case', 'a month in capitals', 'Thu, 18 AUG 2050 02:01:18 GMT'],
  ['zone-case', 'a zone in mixed case', 'Thu, 18 Aug 2050 02:01:18 gMt'],
]

const invalid: readonly (readonly [id: string, what: string, ...lines: string[]])[] = [
  ['utc', 'UTC for GMT', 'Thu, 18 Aug 2050 02:01:18 UTC'],
  ['zone', 'another zone', 'Thu, 18 Aug 2050 02:01:18 AEST'],
  ['short-year', 'a year of two digits', 'Thu, 18 Aug 50 02:01:18 GMT'],
  ['no-comma', 'no comma', 'Thu 18 Aug 2050 02:01:18 GMT'],
  ['spaces', 'two spaces', 'Thu, 18  Aug  2050 02:01:18 GMT'],
  ['dashes', 'dashes in the date', 'Thu, 18-Aug-2050 02:01:18 GMT'],
  ['periods', 'periods in the time', 'Thu, 18 Aug 2050 02.01.18 GMT'],
  ['short-hour', 'an hour of one digit', 'Thu, 18 Aug 2050 2:01:18 GMT'],
  ['two-lines', 'two lines', 'Thu, 18 Aug 2050 02:01:18 GMT', 'Thu, 18 Aug 2050 02:01:19 GMT'],
]

/** How dates are read (RFC 9110 §5.6.7): three forms to the letter, in any case; everything else has passed. */
export const expiresSyntax: readonly Case[] = [
  ...valid.map(([id, what, date]) =>
    optimal(`expires-date/${id}`, '9110 §5.6.7', `reads ${what} in Expires`, dated([date], 'cache')),
  ),
  ...invalid.map(([id, what, ...lines]) =>
    required(
      `expires-date/${id}`,
      '9111 §5.3',
      `takes an Expires with ${what} for one that has passed`,
      dated(lines, 'origin'),
    ),
  ),
]
