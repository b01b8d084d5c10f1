import {
  again,
  at,
  cacheControl,
  type Case,
  check,
  FRESH,
  optimal,
  required,
  storeAndWait,
  thenAgain,
} from '../case.ts'

const PARSING = '9111 §4.2, §5.2'

/** How long an answer is fresh, from Cache-Control (RFC 9111 §4.2.1). */
export const freshness: readonly Case[] = [
  check('freshness/none', '9111 §4.2.2', 'reuses nothing that has neither a lifetime nor Last-Modified', [
    storeAndWait([]),
    again('origin'),
  ]),
  optimal('freshness/max-age', '9111 §5.2.2.1', 'reuses an answer within its max-age', thenAgain([FRESH], 'cache')),
  required(
    'freshness/max-age-over',
    '9111 §5.2.2.1',
    'does not reuse an answer past its max-age',
    thenAgain([cacheControl('max-age=2')], 'origin'),
  ),
  required(
    'freshness/max-age-zero',
    '9111 §5.2.2.1',
    'does not reuse max-age=0',
    thenAgain([cacheControl('max-age=0')], 'origin'),
  ),
  ...['2147483647', '2147483648', '2147483649', '99999999999'].map((seconds) =>
    optimal(
      `freshness/max-age-${seconds}`,
      '9111 §1.2.2',
      `reuses an answer with max-age=${seconds}: what is too large counts as very large`,
      thenAgain([cacheControl(`max-age=${seconds}`)], 'cache'),
    ),
  ),
  required(
    'freshness/age-over-max-age',
    '9111 §4.2',
    'does not reuse an answer that came older than its max-age',
    thenAgain([['Date', at(0)], FRESH, ['Age', '7200']], 'origin'),
  ),
  check(
    'freshness/old-date-over-max-age',
    '9111 §4.2.3',
    'takes the age from Date where there is no Age',
    thenAgain([['Date', at(-7200)], FRESH], 'origin'),
  ),
  optimal(
    'freshness/max-age-over-past-expires',
    '9111 §5.3',
    'heeds max-age, not an Expires that has passed',
    thenAgain([FRESH, ['Expires', at(-7200)], ['Date', at(0)]], 'cache'),
  ),
  optimal(
    'freshness/max-age-over-invalid-expires',
    '9111 §5.3',
    'heeds max-age, not an Expires that is no date',
    thenAgain([FRESH, ['Expires', '0', 'loose'], ['Date', at(0)]], 'cache'),
  ),
  required(
    'freshness/zero-over-future-expires',
    '9111 §5.3',
    'does not reuse max-age=0 for an Expires in the future',
    thenAgain([['Expires', at(3600)], cacheControl('max-age=0'), ['Date', at(0)]], 'origin'),
  ),
  optimal(
    'freshness/unknown-directive',
    '9111 §5.2.3',
    'heeds max-age beside a directive that it does not know',
    thenAgain([cacheControl('tortoise, max-age=3600')], 'cache'),
  ),
  optimal(
    'freshness/directive-case',
    '9111 §5.2',
    'knows max-age in any case',
    thenAgain([cacheControl('mAx-AGe=3600')], 'cache'),
  ),
  required(
    'freshness/negative',
    '9111 §1.2.2',
    'does not reuse a negative max-age',
    thenAgain([cacheControl('max-age=-3600')], 'origin'),
  ),
  required(
    'freshness/s-maxage',
    '9111 §5.2.2.10',
    'reuses an answer within its s-maxage',
    thenAgain([cacheControl('s-maxage=3600')], 'cache'),
  ),
  required(
    'freshness/short-s-maxage-after',
    '9111 §5.2.2.10',
    'heeds a short s-maxage after a long max-age',
    thenAgain([cacheControl('max-age=3600, s-maxage=1')], 'origin'),
  ),
  required(
    'freshness/short-s-maxage-before',
    '9111 §5.2.2.10',
    'heeds a short s-maxage before a long max-age',
    thenAgain([cacheControl('s-maxage=1, max-age=3600')], 'origin'),
  ),
  required(
    'freshness/short-s-maxage-line',
    '9111 §5.2.2.10',
    'heeds a short s-maxage on a line of its own',
    thenAgain([FRESH, cacheControl('s-maxage=1')], 'origin'),
  ),
  optimal(
    'freshness/long-s-maxage',
    '9111 §5.2.2.10',
    'heeds a long s-maxage beside a short max-age',
    thenAgain([cacheControl('max-age=1, s-maxage=3600')], 'cache'),
  ),
  optimal(
    'freshness/long-s-maxage-past-expires',
    '9111 §5.2.2.10',
    'heeds a long s-maxage beside max-age=0 and an Expires that has passed',
    thenAgain([['Expires', at(-10)], cacheControl('max-age=0, s-maxage=3600')], 'cache'),
  ),
]

/** A Cache-Control that is odd, and whether the answer is reused after three seconds. */
const odd = (value: string): readonly [string, string, 'loose'] => ['Cache-Control', value, 'loose']

/** How Cache-Control is read (RFC 9111 §5.2). */
export const cacheControlSyntax: readonly Case[] = [
  check(
    'syntax/long-then-short',
    PARSING,
    'takes the first of two max-age, the longer',
    thenAgain([odd('max-age=1800, max-age=1')], 'cache'),
  ),
  check(
    'syntax/long-then-short-lines',
    PARSING,
    'takes the first of two max-age, the longer (two lines)',
    thenAgain([odd('max-age=1800'), odd('max-age=1')], 'cache'),
  ),
  check(
    'syntax/short-then-long',
    PARSING,
    'takes the second of two max-age, the longer',
    thenAgain([odd('max-age=1, max-age=1800')], 'cache'),
  ),
  check(
    'syntax/short-then-long-lines',
    PARSING,
    'takes the second of two max-age, the longer (two lines)',
    thenAgain([odd('max-age=1'), odd('max-age=1800')], 'cache'),
  ),
  check('syntax/quoted', '9111 §5.2', 'reads a number in quotes', thenAgain([odd('max-age="3600"')], 'cache')),
  required(
    'syntax/quoted-before',
    '9111 §5.2',
    'does not take a directive out of a quoted string before the real one',
    thenAgain([odd('hare="max-age=3600", max-age=1')], 'origin'),
  ),
  required(
    'syntax/quoted-after',
    '9111 §5.2',
    'does not take a directive out of a quoted string after the real one',
    thenAgain([odd('max-age=1, hare="max-age=3600"')], 'origin'),
  ),
  check(
    'syntax/space-before-equals',
    '9111 §5.2',
    'ignores max-age with a space before =',
    thenAgain([odd('max-age =3600')], 'origin'),
  ),
  check(
    'syntax/space-after-equals',
    '9111 §5.2',
    'ignores max-age with a space after =',
    thenAgain([odd('max-age= 3600')], 'origin'),
  ),
  required(
    'syntax/leading-zeros',
    '9111 §1.2.2',
    'reads a number with leading zeros',
    thenAgain([odd('max-age=003600')], 'cache'),
  ),
  required(
    'syntax/single-quotes',
    '9111 §5.2',
    'does not reuse a max-age in single quotes',
    thenAgain([odd("max-age='3600'")], 'origin'),
  ),
  check('syntax/decimal-zero', '9111 §1.2.2', 'reads max-age=3600.0', thenAgain([odd('max-age=3600.0')], 'cache')),
  check('syntax/decimal-half', '9111 §1.2.2', 'reads max-age=3600.5', thenAgain([odd('max-age=3600.5')], 'cache')),
  check('syntax/letter-before', '9111 §1.2.2', 'reads max-age=a3600', thenAgain([odd('max-age=a3600')], 'cache')),
  check('syntax/letter-after', '9111 §1.2.2', 'reads max-age=3600a', thenAgain([odd('max-age=3600a')], 'cache')),
]
