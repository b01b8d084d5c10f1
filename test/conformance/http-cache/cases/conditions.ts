import {
  again,
  at,
  cacheControl,
  type Case,
  check,
  type Field,
  optimal,
  required,
  type Step,
  store,
  storeAndWait,
} from '../case.ts'

const FOR_LONG = cacheControl('max-age=100000')
const SHORT = cacheControl('max-age=2')
const since = (seconds: number, format?: 'rfc850'): Field => ['If-Modified-Since', at(seconds, format)]
const noneMatch = (value: string): Field => ['If-None-Match', value]
const tagged = (tag: string): Step => store([FOR_LONG, ['Date', at(0)], ['ETag', tag]])
const notModified = (...request: Field[]): Step => again('cache', { request, status: 304 })

/** Conditions by date (RFC 9110 §13.1.3, RFC 9111 §4.3.2). */
export const modifiedSince: readonly Case[] = [
  optimal('since/same', '9111 §4.3.2', 'answers 304 to If-Modified-Since with the stored Last-Modified', [
    storeAndWait([FOR_LONG, ['Last-Modified', at(-3000)], ['Date', at(0)]]),
    notModified(since(-3000)),
  ]),
  optimal('since/later', '9111 §4.3.2', 'answers 304 to If-Modified-Since after the stored Last-Modified', [
    storeAndWait([FOR_LONG, ['Last-Modified', at(-3000)], ['Date', at(0)]]),
    notModified(since(-2000)),
  ]),
  optimal('since/stale', '9111 §4.3.3', 'validates what is stale and answers 304 to If-Modified-Since', [
    storeAndWait([SHORT, ['Last-Modified', at(-3000)], ['Date', at(0)]]),
    again('validation', { request: [since(-3000)], status: 304 }),
  ]),
  optimal('since/date', '9111 §4.3.2', 'compares If-Modified-Since with Date where Last-Modified lacks', [
    storeAndWait([FOR_LONG, ['Date', at(0)]]),
    notModified(since(0)),
  ]),
  check('since/before-date', '9111 §4.3.2', 'answers 304 to If-Modified-Since before Date where Last-Modified lacks', [
    storeAndWait([FOR_LONG, ['Date', at(0)]]),
    notModified(since(-3000)),
  ]),
  optimal('since/rfc850', '9110 §5.6.7', 'reads If-Modified-Since in the form of RFC 850', [
    storeAndWait([FOR_LONG, ['Last-Modified', at(-3000)], ['Date', at(0)]]),
    notModified(since(-3000, 'rfc850')),
  ]),
]

const odd: readonly (readonly [id: string, what: string, stored: string, asked: string])[] = [
  ['obs-text', 'with a letter beyond ASCII', '"kept\u00fc"', '"kept\u00fc"'],
  ['quoted-unquoted', 'that lacks its quotes where ETag has them', '"kept"', 'kept'],
  ['unquoted-unquoted', 'that lacks its quotes like ETag', 'kept', 'kept'],
  ['unquoted-quoted', 'in quotes where ETag lacks them', 'kept', '"kept"'],
  ['weak-lower-case', 'with w/ for W/', 'w/"kept"', 'w/"kept"'],
  ['weak-backslash', 'with W\\ for W/', 'W\\"kept"', 'W\\"kept"'],
  ['weak-no-slash', 'with W for W/', 'W"kept"', 'W"kept"'],
]

/** Conditions by entity tag (RFC 9110 §13.1.2, RFC 9111 §4.3). */
export const noneMatches: readonly Case[] = [
  optimal('match/strong', '9111 §4.3.2', 'answers 304 to If-None-Match with the stored strong tag', [
    tagged('"kept"'),
    notModified(noneMatch('"kept"')),
  ]),
  required('match/etag-in-304', '9110 §15.4.5', 'says ETag in a 304', [
    tagged('"kept"'),
    { ...notModified(noneMatch('"kept"')), fields: [['ETag', '"kept"']] },
  ]),
  required('match/precedence', '9110 §13.2.2', 'heeds If-None-Match, not If-Modified-Since', [
    store([FOR_LONG, ['Date', at(0)], ['Last-Modified', at(-5000)], ['ETag', '"kept"']]),
    notModified(noneMatch('"kept"'), since(-9000)),
  ]),
  ...odd.map(([id, what, stored, asked]) =>
    check(`match/${id}`, '9110 §8.8.3', `answers 304 to a tag ${what}`, [
      tagged(stored),
      { ...notModified(noneMatch(asked)), ...(id === 'obs-text' ? { fields: [['ETag', stored]] as const } : {}) },
    ]),
  ),
  optimal('match/weak', '9110 §8.8.3.2', 'answers 304 to If-None-Match with the stored weak tag', [
    tagged('W/"kept"'),
    notModified(noneMatch('W/"kept"')),
  ]),
  ...(
    [
      ['first', '"kept", "b", "c"'],
      ['middle', '"a", "kept", "c"'],
      ['last', '"a", "b", "kept"'],
    ] as const
  ).map(([place, tags]) =>
    optimal(`match/list-${place}`, '9110 §13.1.2', `finds the stored tag in a list, ${place}`, [
      tagged('"kept"'),
      notModified(noneMatch(tags)),
    ]),
  ),
  required('match/vary-sent', '9111 §4.3.1', 'sends the fields that Vary names with its own conditions', [
    storeAndWait(
      [
        ['Expires', at(1)],
        ['ETag', '"kept"'],
        ['Date', at(0)],
        ['Vary', 'Shade'],
      ],
      { request: [['Shade', 'red']] },
    ),
    again('validation', { request: [['Shade', 'red']], sent: [['Shade', 'red']] }),
  ]),
  check('match/vary-other', '9111 §4.3.1', 'sends the tag of another variant as a condition', [
    storeAndWait(
      [
        ['Expires', at(10_000)],
        ['ETag', '"kept"'],
        ['Date', at(0)],
        ['Vary', 'Shade'],
      ],
      { request: [['Shade', 'red']] },
    ),
    { request: [['Shade', 'blue']], sent: [['If-None-Match', '"kept"']] },
  ]),
  optimal('match/made-strong', '9111 §4.3.1', 'validates what is stale by its strong tag', [
    storeAndWait([SHORT, ['ETag', '"kept"']]),
    again('validation', { sent: [['If-None-Match', '"kept"']] }),
  ]),
  optimal('match/made-weak', '9111 §4.3.1', 'validates what is stale by its weak tag', [
    storeAndWait([SHORT, ['ETag', 'W/"kept"']]),
    again('validation', { sent: [['If-None-Match', 'W/"kept"']] }),
  ]),
  check('match/made-unquoted', '9110 §8.8.3', 'adds the quotes that a stored tag lacks to its condition', [
    storeAndWait([SHORT, ['ETag', 'kept']]),
    { sent: [['If-None-Match', '"kept"']] },
  ]),
  check('match/forwarded', '9110 §13.1.2', 'forwards If-None-Match where nothing is stored', [
    { request: [noneMatch('"kept"')], sent: [['If-None-Match', '"kept"']] },
  ]),
  check('match/forwarded-unquoted', '9110 §13.1.2', 'adds the quotes that a forwarded tag lacks', [
    { request: [noneMatch('kept')], sent: [['If-None-Match', '"kept"']] },
  ]),
]
