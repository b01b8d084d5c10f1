import {
  again,
  at,
  cacheControl,
  type Case,
  check,
  type Field,
  optimal,
  required,
  store,
  storeAndWait,
  thenAgain,
} from '../case.ts'

const RFC = '9213 §2.2'
const targeted = (value: string): Field => ['CDN-Cache-Control', value, 'loose']
const NOW: Field = ['Date', at(0)]
const LONG: readonly Field[] = [cacheControl('max-age=10000'), ['Expires', at(10_000)], NOW]

/** CDN-Cache-Control (RFC 9213): where it is valid, Cache-Control and Expires say nothing to this cache. */
export const targetedControl: readonly Case[] = [
  optimal(
    'targeted/max-age',
    RFC,
    'reuses an answer within its targeted max-age',
    thenAgain([targeted('max-age=3600')], 'cache'),
  ),
  ...['2147483648', '99999999999'].map((seconds) =>
    optimal(
      `targeted/max-age-${seconds}`,
      RFC,
      `reuses an answer with a targeted max-age of ${seconds}`,
      thenAgain([targeted(`max-age=${seconds}`)], 'cache'),
    ),
  ),
  required(
    'targeted/age',
    RFC,
    'does not reuse an answer that came older than its targeted max-age',
    thenAgain([NOW, targeted('max-age=3600'), ['Age', '7200']], 'origin'),
  ),
  check(
    'targeted/space-before-equals',
    '9213 §2.1',
    'ignores a targeted field with a space before =',
    thenAgain([cacheControl('max-age=1'), targeted('max-age =100')], 'origin'),
  ),
  check(
    'targeted/space-after-equals',
    '9213 §2.1',
    'ignores a targeted field with a space after =',
    thenAgain([cacheControl('max-age=1'), targeted('max-age= 100')], 'origin'),
  ),
  required('targeted/zero', RFC, 'does not reuse a targeted max-age=0', thenAgain([targeted('max-age=0')], 'origin')),
  optimal(
    'targeted/unknown-directive',
    RFC,
    'heeds a targeted max-age beside a directive that it does not know',
    thenAgain([targeted('tortoise, max-age=3600')], 'cache'),
  ),
  check(
    'targeted/case',
    '9213 §2.1',
    'knows a targeted max-age in mixed case',
    thenAgain([targeted('mAx-AGe=3600')], 'cache'),
  ),
  optimal(
    'targeted/past-expires',
    RFC,
    'heeds a targeted max-age, not an Expires that has passed',
    thenAgain([targeted('max-age=3600'), ['Expires', at(-10_000)], NOW], 'cache'),
  ),
  optimal(
    'targeted/invalid-expires',
    RFC,
    'heeds a targeted max-age, not an Expires that is no date',
    thenAgain([targeted('max-age=3600'), ['Expires', '0', 'loose'], NOW], 'cache'),
  ),
  required(
    'targeted/zero-over-expires',
    RFC,
    'does not reuse a targeted max-age=0 for an Expires in the future',
    thenAgain([targeted('max-age=0'), ['Expires', at(10_000)], NOW], 'origin'),
  ),
  optimal(
    'targeted/long-over-short',
    RFC,
    'heeds a long targeted max-age beside a short max-age',
    thenAgain([cacheControl('max-age=1'), targeted('max-age=3600')], 'cache'),
  ),
  required(
    'targeted/short-over-long',
    RFC,
    'heeds a short targeted max-age beside a long max-age',
    thenAgain([cacheControl('max-age=3600'), targeted('max-age=1')], 'origin'),
  ),
  required('targeted/private', RFC, 'does not reuse a targeted private', [
    store([targeted('private'), ...LONG]),
    again('origin'),
  ]),
  required('targeted/no-cache', RFC, 'does not reuse a targeted no-cache unasked', [
    store([targeted('no-cache'), ...LONG]),
    again('origin'),
  ]),
  required(
    'targeted/no-store',
    RFC,
    'does not store a targeted no-store',
    thenAgain([...LONG, targeted('no-store')], 'origin'),
  ),
  required(
    'targeted/over-no-store',
    RFC,
    'stores an answer with a targeted max-age for all its no-store',
    thenAgain([cacheControl('no-store'), targeted('max-age=10000')], 'cache'),
  ),
  required(
    'targeted/malformed',
    '9213 §2.1',
    'ignores a targeted field that is no dictionary',
    thenAgain([targeted('max-age=10000, &&&&&'), cacheControl('no-store')], 'origin'),
  ),
  required(
    'targeted/wrong-type',
    '9213 §2.1',
    'ignores a targeted max-age that is a string',
    thenAgain([targeted('max-age="10000"'), cacheControl('no-store')], 'origin'),
  ),
  check('targeted/forwarded', '9213 §3.1', 'forwards CDN-Cache-Control to clients', [
    { origin: { fields: [...LONG, targeted('tortoise')] }, fields: [['CDN-Cache-Control', 'tortoise']] },
  ]),
  ...(
    [
      ['age-said', 'says Age', 'Age', { above: 2 }, []],
      ['date', 'keeps Date', 'Date', at(0), []],
      ['expires', 'keeps Expires', 'Expires', at(1), [['Expires', at(1)]]],
    ] as const
  ).map(([id, does, name, value, more]) =>
    check(`targeted/${id}`, '9213 §3', `${does} where the targeted lifetime exceeds that of the client`, [
      storeAndWait([cacheControl('max-age=1'), targeted('max-age=10000'), NOW, ...more]),
      { fields: [[name, value]] },
    ]),
  ),
]
