import {
  again,
  at,
  cacheControl,
  type Case,
  check,
  type Field,
  FRESH,
  type Source,
  store,
  storeAndWait,
} from '../case.ts'

const FOR_LONG: readonly Field[] = [cacheControl('max-age=100000'), ['Last-Modified', at(0)], ['Date', at(0)]]

const asked = (request: string, from: Source): Case['steps'][number] =>
  again(from, { request: [cacheControl(request)] })

/** Cache-Control of requests (RFC 9111 §5.2.1): a cache may ignore it; what we do is pinned. */
export const requests: readonly Case[] = [
  check('request/max-age-0', '9111 §5.2.1.1', 'asks the origin for a request with max-age=0', [
    storeAndWait(FOR_LONG),
    asked('max-age=0', 'origin'),
  ]),
  check('request/max-age-1', '9111 §5.2.1.1', 'asks the origin for max-age=1 after three seconds', [
    storeAndWait(FOR_LONG),
    asked('max-age=1', 'origin'),
  ]),
  check('request/max-age-under-age', '9111 §5.2.1.1', 'asks the origin for max-age under the Age of what is stored', [
    store([FRESH, ['Age', '1800']]),
    asked('max-age=600', 'origin'),
  ]),
  check('request/max-stale', '9111 §5.2.1.2', 'serves stale within max-stale', [
    storeAndWait([cacheControl('max-age=1')]),
    asked('max-stale=1000', 'cache'),
  ]),
  check('request/max-stale-age', '9111 §5.2.1.2', 'serves stale within max-stale what came with an Age', [
    store([cacheControl('max-age=1500'), ['Age', '2000']]),
    asked('max-stale=1000', 'cache'),
  ]),
  check('request/min-fresh', '9111 §5.2.1.3', 'asks the origin where less than min-fresh is left', [
    store([cacheControl('max-age=1500')]),
    asked('min-fresh=2000', 'origin'),
  ]),
  check('request/min-fresh-age', '9111 §5.2.1.3', 'asks the origin where Age leaves less than min-fresh', [
    store([cacheControl('max-age=1500'), ['Age', '1000']]),
    asked('min-fresh=1000', 'origin'),
  ]),
  check('request/no-cache', '9111 §5.2.1.4', 'asks the origin for no-cache', [
    store([FRESH]),
    asked('no-cache', 'origin'),
  ]),
  check('request/no-cache-last-modified', '9111 §5.2.1.4', 'validates by Last-Modified for no-cache', [
    store([FRESH, ['Last-Modified', at(-10_000)], ['Date', at(0)]]),
    asked('no-cache', 'validation'),
  ]),
  check('request/no-cache-etag', '9111 §5.2.1.4', 'validates by ETag for no-cache', [
    store([FRESH, ['ETag', '"kept"']]),
    asked('no-cache', 'validation'),
  ]),
  check('request/no-store', '9111 §5.2.1.5', 'asks the origin for no-store', [
    store([FRESH]),
    asked('no-store', 'origin'),
  ]),
  check('request/only-if-cached', '9111 §5.2.1.7', 'answers 504 to only-if-cached where nothing is stored', [
    { request: [cacheControl('only-if-cached')], status: 504, body: null },
  ]),
]

/** Pragma (RFC 9111 §5.4), which is deprecated. */
export const pragma: readonly Case[] = [
  check('pragma/request-no-cache', '9111 §5.4', 'reuses for all a request’s Pragma: no-cache', [
    store([FRESH]),
    again('cache', { request: [['Pragma', 'no-cache']] }),
  ]),
  check('pragma/request-other', '9111 §5.4', 'reuses for all a request’s Pragma with something else', [
    store([FRESH]),
    again('cache', { request: [['Pragma', 'tortoise']] }),
  ]),
  check('pragma/response', '9111 §5.4', 'reuses for all an answer’s Pragma: no-cache', [
    store([FRESH, ['Pragma', 'no-cache']]),
    again('cache'),
  ]),
  check('pragma/response-heuristic', '9111 §5.4', 'reuses by Last-Modified for all an answer’s Pragma: no-cache', [
    store([
      ['Date', at(0)],
      ['Last-Modified', at(-10_000)],
      ['Pragma', 'no-cache'],
    ]),
    again('cache'),
  ]),
  check('pragma/response-other', '9111 §5.4', 'reuses for all an answer’s Pragma with something else', [
    store([FRESH, ['Pragma', 'tortoise']]),
    again('cache'),
  ]),
]
