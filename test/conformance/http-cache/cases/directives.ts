import {
  again,
  at,
  cacheControl,
  type Case,
  check,
  type Field,
  FRESH,
  optimal,
  required,
  store,
  storeAndWait,
} from '../case.ts'

const VALIDATOR: Field = ['ETag', '"kept"']
const LONG: readonly Field[] = [
  ['Expires', at(10_000)],
  ['Date', at(0)],
]

/** Cache-Control of answers, besides lifetimes (RFC 9111 §5.2.2). */
export const directives: readonly Case[] = [
  required('directives/private', '9111 §5.2.2.7', 'does not store private', [
    store([cacheControl('private, max-age=3600')]),
    again('origin'),
  ]),
  required('directives/no-store', '9111 §5.2.2.5', 'does not store no-store', [
    store([cacheControl('no-store')]),
    again('origin'),
  ]),
  required('directives/no-store-case', '9111 §5.2.2.5', 'knows no-store in any case', [
    store([cacheControl('nO-sToRe')]),
    again('origin'),
  ]),
  required('directives/no-store-fresh', '9111 §5.2.2.5', 'does not store no-store with max-age and Expires', [
    store([cacheControl('max-age=10000, no-store'), ...LONG]),
    again('origin'),
  ]),
  ...(['no-store', 'no-store, max-age=0'] as const).map((value, index) =>
    check(
      `directives/no-store-after-fresh-${index + 1}`,
      '9111 §5.2.2.5',
      `keeps what is fresh when ${value} comes later`,
      [
        storeAndWait([cacheControl('max-age=10000'), ...LONG, ['Mark', '1']]),
        { origin: { fields: [cacheControl(value), ['Mark', '2']] }, status: null, wait: 1 },
        again('cache', { fields: [['Mark', '1']] }),
      ],
    ),
  ),
  required('directives/no-cache', '9111 §5.2.2.4', 'does not use no-cache unasked, for all its max-age and Expires', [
    store([cacheControl('max-age=10000, no-cache'), ...LONG]),
    again('origin'),
  ]),
  required('directives/no-cache-case', '9111 §5.2.2.4', 'knows no-cache in any case', [
    store([cacheControl('max-age=10000, nO-CaChE'), ...LONG]),
    again('origin'),
  ]),
  optimal('directives/no-cache-validated', '9111 §5.2.2.4', 'stores no-cache and validates it for each use', [
    store([cacheControl('no-cache'), VALIDATOR]),
    again('validation'),
  ]),
  optimal('directives/no-cache-fresh-validated', '9111 §5.2.2.4', 'stores no-cache with a lifetime and validates it', [
    store([cacheControl('max-age=10000, no-cache'), ...LONG, VALIDATOR]),
    again('validation'),
  ]),
  check('directives/no-cache-field', '9111 §5.2.2.4', 'does not reuse a field that no-cache names', [
    storeAndWait([cacheControl('no-cache="mark"'), ['Mark', '1'], ['Other', '2'], FRESH, ['Date', at(0)]]),
    again('cache', { fields: [['Other', '2']], absent: ['Mark'] }),
  ]),
  check('directives/no-cache-fields', '9111 §5.2.2.4', 'does not reuse fields that no-cache names', [
    storeAndWait([
      cacheControl('no-cache="mark, other"'),
      ['Mark', '1'],
      ['Other', '2'],
      ['Third', '3'],
      FRESH,
      ['Date', at(0)],
    ]),
    again('cache', { fields: [['Third', '3']], absent: ['Mark', 'Other'] }),
  ]),
  optimal('directives/must-revalidate-fresh', '9111 §5.2.2.2', 'reuses must-revalidate while it is fresh', [
    store([cacheControl('max-age=10000, must-revalidate'), VALIDATOR]),
    again('cache'),
  ]),
  required('directives/must-revalidate-stale', '9111 §5.2.2.2', 'validates must-revalidate once it is stale', [
    store([cacheControl('max-age=5, must-revalidate'), VALIDATOR]),
    again('cache', { wait: 2 }),
    again('validation'),
  ]),
]
