import { again, at, cacheControl, type Case, check, optimal, required, type Step, storeAndWait } from '../case.ts'

const SHORT = cacheControl('max-age=2')
const GONE: Step = { origin: { disconnects: true }, status: null }

const neverStale = (id: string, rfc: string, directive: string): Case =>
  required(`stale/${id}-disconnect`, rfc, `does not serve ${directive} stale, even where the origin hangs up`, [
    storeAndWait([cacheControl(`max-age=2, ${directive}`)]),
    { ...GONE, fails: true },
  ])

/** What may be served stale (RFC 9111 §4.2.4, RFC 5861). */
export const stale: readonly Case[] = [
  check('stale/disconnect', '9111 §4.2.4', 'serves stale where the origin hangs up', [
    storeAndWait([SHORT]),
    again('cache', { origin: { disconnects: true }, refreshed: true, status: 200 }),
  ]),
  check('stale/503', '9111 §4.2.4', 'serves stale where the origin answers 503', [
    storeAndWait([SHORT]),
    again('cache', { origin: { status: 503 }, refreshed: true, status: 200 }),
  ]),
  optimal('stale/while-revalidate', '5861 §3', 'serves stale within stale-while-revalidate', [
    storeAndWait([cacheControl('max-age=1, stale-while-revalidate=3600'), ['ETag', '"kept"']]),
    again('cache', { refreshed: true }),
  ]),
  required('stale/while-revalidate-over', '5861 §3', 'does not serve stale past stale-while-revalidate', [
    storeAndWait([cacheControl('max-age=1, stale-while-revalidate=7'), ['ETag', '"kept"']]),
    again('cache', {
      origin: { fields: [cacheControl('no-cache'), ['ETag', '"new"']] },
      refreshed: true,
      wait: 2,
    }),
    again('origin'),
  ]),
  check('stale/if-error-disconnect', '5861 §4', 'serves stale-if-error where the origin hangs up', [
    storeAndWait([cacheControl('max-age=2, stale-if-error=60')]),
    again('cache', { origin: { disconnects: true }, refreshed: true, status: 200 }),
  ]),
  check('stale/if-error-503', '5861 §4', 'serves stale-if-error where the origin answers 503', [
    storeAndWait([cacheControl('max-age=2, stale-if-error=60')]),
    again('cache', { origin: { status: 503 }, refreshed: true, status: 200 }),
  ]),
  neverStale('must-revalidate', '9111 §5.2.2.2', 'must-revalidate'),
  neverStale('proxy-revalidate', '9111 §5.2.2.8', 'proxy-revalidate'),
  neverStale('no-cache', '9111 §5.2.2.4', 'no-cache'),
  neverStale('s-maxage', '9111 §5.2.2.10', 's-maxage=2'),
  required(
    'stale/s-maxage-while-revalidate',
    '9111 §5.2.2.10',
    'does not serve s-maxage stale beside stale-while-revalidate',
    [storeAndWait([cacheControl('s-maxage=2, stale-while-revalidate=3600'), ['ETag', '"kept"']]), again('origin')],
  ),
  required('stale/s-maxage-if-error', '9111 §5.2.2.10', 'does not serve s-maxage stale beside stale-if-error', [
    storeAndWait([cacheControl('s-maxage=2, stale-if-error=3600')]),
    { ...GONE, fails: true },
  ]),
  required(
    'stale/while-revalidate-forbidden',
    '9111 §5.2.2.2',
    'does not serve must-revalidate stale beside stale-while-revalidate',
    [
      storeAndWait([cacheControl('s-maxage=2, must-revalidate, stale-while-revalidate=3600'), ['ETag', '"kept"']]),
      again('origin'),
    ],
  ),
  check('stale/warning-stored-stale', '7234 §5.5.1', 'adds Warning to what was stored stale (obsolete)', [
    {
      origin: {
        fields: [
          ['Expires', at(-5000)],
          ['Last-Modified', at(-100_000)],
          ['Date', at(0)],
        ],
      },
    },
    again('cache', {
      origin: { disconnects: true },
      refreshed: true,
      status: 200,
      fields: [['Warning', { above: 0 }]],
    }),
  ]),
  check('stale/warning-became-stale', '7234 §5.5.1', 'adds Warning to what has become stale (obsolete)', [
    storeAndWait([SHORT]),
    again('cache', {
      origin: { disconnects: true },
      refreshed: true,
      status: 200,
      fields: [['Warning', { above: 0 }]],
    }),
  ]),
]
