/** The profiles of the cache. */
export const PROFILES = ['rfc', 'secure'] as const
export type Profile = (typeof PROFILES)[number]

/** A rule that a profile does not follow, on purpose, and why. */
export interface Difference {
  ids: readonly string[]
  profiles: readonly Profile[]
  reason: string
}

const BOTH = PROFILES
const SECURE: readonly Profile[] = ['secure']

/** The run fails on every other difference, and on a rule that is listed here and followed. */
export const DIFFERENCES: readonly Difference[] = [
  {
    ids: ['fields/Set-Cookie', 'fields/Set-Cookie2', 'update/Set-Cookie', 'update/Set-Cookie2', 'cookie/set'],
    profiles: SECURE,
    reason: 'A cookie that is set for one client is not given to others: such an answer is not stored.',
  },
  {
    ids: ['vary/language-order', 'vary/language-chosen'],
    profiles: SECURE,
    reason:
      'Which language answers a list is the origin’s to say, and it may go by the order: the route’s `languages` says what it has.',
  },
  {
    ids: [
      'range/part-same',
      'range/part-first-last',
      'range/part-first',
      'range/part-suffix',
      'range/completed-without-validator',
    ],
    profiles: SECURE,
    reason: 'A part is stored with a strong validator only: nothing else says which other parts belong to it.',
  },
  {
    ids: ['stale/s-maxage-while-revalidate', 'stale/s-maxage-if-error'],
    profiles: SECURE,
    reason:
      'An origin that says how long something may be stale beside s-maxage means it, and every content network takes it so (RFC 5861); by the letter, s-maxage is proxy-revalidate.',
  },
  {
    ids: [
      'syntax/long-then-short',
      'syntax/long-then-short-lines',
      'syntax/short-then-long',
      'syntax/short-then-long-lines',
    ],
    profiles: BOTH,
    reason:
      'Of two lifetimes the shorter counts: it is the one that cannot be wrong (RFC 9111 §4.2.1 leaves the choice).',
  },
  {
    ids: ['syntax/decimal-zero', 'syntax/decimal-half', 'syntax/letter-before', 'syntax/letter-after'],
    profiles: BOTH,
    reason: 'A lifetime that is no number of seconds makes an answer stale (RFC 9111 §4.2.1).',
  },
  {
    ids: ['age/parameter', 'age/numeric-parameter'],
    profiles: BOTH,
    reason: 'Age has no parameters: such a value is invalid and ignored (RFC 9111 §5.1).',
  },
  {
    ids: ['targeted/case'],
    profiles: BOTH,
    reason: 'A targeted field is a Structured Field, whose keys are in lower case; another is malformed and ignored.',
  },
  {
    ids: ['heuristic/changed-5s-ago', 'heuristic/changed-10s-ago', 'heuristic/changed-30s-ago'],
    profiles: BOTH,
    reason: 'The heuristic is a tenth of the time since the change: after three seconds these are stale.',
  },
  {
    ids: ['request/max-stale-age'],
    profiles: BOTH,
    reason: 'What comes stale, with nothing to validate it by, is not stored.',
  },
  {
    ids: ['request/no-store'],
    profiles: BOTH,
    reason: 'A request’s no-store forbids to store its answer, not to use what is stored (RFC 9111 §5.2.1.5).',
  },
  {
    ids: ['pragma/request-no-cache'],
    profiles: BOTH,
    reason: 'Pragma: no-cache without Cache-Control is taken for no-cache, as RFC 7234 had it.',
  },
  {
    ids: ['stale/503'],
    profiles: BOTH,
    reason:
      'An error takes the place of a stale answer unless stale-if-error, the origin’s or the route’s, says otherwise.',
  },
  {
    ids: ['stale/warning-stored-stale', 'stale/warning-became-stale'],
    profiles: BOTH,
    reason: 'Warning is obsolete (RFC 9111 §5.5); Cache-Status says it.',
  },
  {
    ids: ['since/before-date'],
    profiles: BOTH,
    reason: 'An answer that came after the date that is asked about may be new to the client (RFC 9111 §4.3.2).',
  },
  {
    ids: ['match/quoted-unquoted', 'match/unquoted-quoted'],
    profiles: BOTH,
    reason: 'Quotes belong to a tag: one with and one without are two (RFC 9110 §8.8.3).',
  },
  {
    ids: ['match/made-unquoted', 'match/forwarded-unquoted'],
    profiles: BOTH,
    reason: 'An origin that sends tags without quotes gets them back as it sent them.',
  },
  {
    ids: ['match/forwarded'],
    profiles: BOTH,
    reason: 'The origin is asked for the whole answer, to be stored; the client’s condition is decided here.',
  },
  {
    ids: ['fields/unknown-coding'],
    profiles: BOTH,
    reason: 'A coding that is not known cannot be taken off, and would not be marked: 502.',
  },
  {
    ids: ['update/Content-Encoding', 'update/Content-Range'],
    profiles: BOTH,
    reason: 'They describe the stored bytes, which a 304 does not change.',
  },
  {
    ids: ['update/ETag'],
    profiles: BOTH,
    reason: 'A 304 with another tag than asked about is for something else: it is asked again without condition.',
  },
  {
    ids: ['head/kept'],
    profiles: BOTH,
    reason: 'The origin’s answer to HEAD reaches the client as it is.',
  },
  {
    ids: ['head/410'],
    profiles: BOTH,
    reason: 'Only a 200 to HEAD updates what is stored (RFC 9111 §4.3.5).',
  },
  {
    ids: ['range/mislabelled'],
    profiles: BOTH,
    reason: 'A part that is not as long as its Content-Range says is not stored (RFC 9110 §14.4).',
  },
  {
    ids: ['age-field/delay'],
    profiles: BOTH,
    reason: 'Age says how long an answer was stored: one that comes from the origin has none of ours.',
  },
]

/** Why a profile is not to follow a rule; `undefined` where it is to. */
export function reasonFor(id: string, profile: Profile): string | undefined {
  return DIFFERENCES.find(({ ids, profiles }) => profiles.includes(profile) && ids.includes(id))?.reason
}
