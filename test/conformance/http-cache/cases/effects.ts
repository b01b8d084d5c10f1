import {
  again,
  at,
  cacheControl,
  type Case,
  check,
  type Field,
  FRESH,
  here,
  optimal,
  required,
  type Step,
  store,
  storeAndWait,
} from '../case.ts'

const FOR_LONG: readonly Field[] = [cacheControl('max-age=100000'), ['Last-Modified', at(0)], ['Date', at(0)]]
const UNSAFE = ['POST', 'PUT', 'DELETE', 'M-SEARCH']

const invalidated = (method: string, field: 'Location' | 'Content-Location'): Case => {
  const suffix = '/other'
  return check(`invalidation/${method}-${field}`, '9111 §4.4', `invalidates the ${field} of a ${method} that worked`, [
    store(FOR_LONG, { suffix }),
    { method, content: 'abc', origin: { fields: [[field, here(suffix)]] } },
    again('origin', { suffix, origin: { fields: FOR_LONG } }),
  ])
}

/** What other methods do to what is stored (RFC 9111 §4.4). */
export const invalidation: readonly Case[] = [
  ...UNSAFE.map((method) =>
    required(`invalidation/${method}`, '9111 §4.4', `invalidates the URI of a ${method} that worked`, [
      storeAndWait(FOR_LONG),
      { method, content: 'abc' },
      again('origin'),
    ]),
  ),
  ...UNSAFE.map((method) =>
    optimal(`invalidation/${method}-failed`, '9111 §4.4', `keeps the URI of a ${method} that failed`, [
      storeAndWait(FOR_LONG),
      { method, content: 'abc', origin: { status: 500 } },
      again('cache'),
    ]),
  ),
  ...UNSAFE.map((method) => invalidated(method, 'Location')),
  ...UNSAFE.map((method) => invalidated(method, 'Content-Location')),
]

/** Methods besides GET (RFC 9110 §9.3). */
export const methods: readonly Case[] = [
  optimal('method/POST', '9110 §9.3.3', 'reuses for GET the answer to a POST that is said to be that of its own URI', [
    storeAndWait(
      [
        ['Expires', at(30 * 24 * 60 * 60)],
        ['Content-Location', here()],
        ['Date', at(0)],
      ],
      {
        method: 'POST',
        content: '12345',
        request: [['Content-Type', 'text/plain']],
      },
    ),
    again('cache'),
  ]),
]

const SECRET: Field = ['Authorization', 'Bearer tortoise']
const withSecret: Step = { request: [SECRET], sent: [['Authorization', 'Bearer tortoise']] }

/** Requests with credentials (RFC 9111 §3.5). */
export const authorization: readonly Case[] = [
  required('authorization/fresh', '9111 §3.5', 'does not reuse the answer to a request with Authorization', [
    storeAndWait(FOR_LONG, withSecret),
    again('origin'),
  ]),
  ...(
    [
      ['public', 'max-age=3600, public'],
      ['must-revalidate', 'max-age=3600, must-revalidate'],
      ['s-maxage', 's-maxage=3600'],
    ] as const
  ).map(([id, value]) =>
    optimal(
      `authorization/${id}`,
      '9111 §3.5',
      `reuses the answer to a request with Authorization where it has ${id}`,
      [storeAndWait([cacheControl(value), ['Date', at(0)]], withSecret), again('cache')],
    ),
  ),
]

const LINK = ['link', '</style.css>; rel=preload; as=style'] as const
const HINT = { status: 103, fields: [LINK, ['x-hint', 'tortoise']] } as const
const LASTING: readonly Field[] = [cacheControl('max-age=100000'), ['Date', at(0)]]

/** Interim answers (RFC 9110 §15.2): passed on, never stored. */
export const interim: readonly Case[] = [
  optimal('interim/102', '9110 §15.2', 'passes 102 on and stores the final answer', [
    storeAndWait(LASTING, {
      answer: { interim: [{ status: 102, fields: [] }] },
      interim: [{ status: 102, fields: [] }],
    }),
    again('cache'),
  ]),
  optimal('interim/103', '8297 §2', 'passes 103 on with its fields and stores the final answer', [
    storeAndWait(LASTING, { answer: { interim: [HINT] }, interim: [HINT] }),
    again('cache'),
  ]),
  required('interim/not-stored', '9111 §3', 'does not store interim answers', [
    storeAndWait(LASTING, {
      answer: { interim: [{ status: 103, fields: [LINK] }] },
      interim: [{ status: 103, fields: [LINK] }],
    }),
    again('cache', { interim: [] }),
  ]),
  optimal('interim/fields', '9110 §15.2', 'does not put fields of interim answers into the final one', [
    storeAndWait(LASTING, { answer: { interim: [HINT] }, interim: [HINT], absent: ['X-Hint'] }),
    again('cache', { absent: ['X-Hint'] }),
  ]),
]

const MONTH: readonly Field[] = [
  ['Expires', at(30 * 24 * 60 * 60)],
  ['Date', at(0)],
]
const ATTACHMENT: Field = ['Content-Disposition', 'attachment; filename=hare.txt']

/** What belongs to no other chapter. */
export const general: readonly Case[] = [
  required('age-field/made', '9111 §5.1', 'says the Age of what it reuses', [
    storeAndWait(FOR_LONG),
    again('cache', { fields: [['Age', { above: 2 }]] }),
  ]),
  check('age-field/delay', '9111 §4.2.3', 'says the Age of an answer that was long on its way', [
    { origin: { fields: [FRESH, ['Date', at(0)]], held: true }, fields: [['Age', { above: 0 }]] },
  ]),
  required('age-field/expires', '9111 §5.1', 'adds to the Age of what is fresh by Expires', [
    storeAndWait([...MONTH, ['Age', '30']]),
    again('cache', { fields: [['Age', { above: 32 }]] }),
  ]),
  required('age-field/max-age', '9111 §5.1', 'adds to the Age of what is fresh by max-age', [
    storeAndWait([...FOR_LONG, ['Age', '30']]),
    again('cache', { fields: [['Age', { above: 32 }]] }),
  ]),
  required('date-field/kept', '9110 §6.6.1', 'keeps the origin’s Date', [
    storeAndWait(FOR_LONG),
    again('cache', { fields: [['Date', at(0)]] }),
  ]),
  required('date-field/kept-expires', '9110 §6.6.1', 'keeps the origin’s Date beside Expires', [
    storeAndWait(MONTH),
    again('cache', { fields: [['Date', at(0)]] }),
  ]),
  check('date-field/expires', '9111 §5.3', 'keeps the origin’s Expires', [
    storeAndWait(MONTH),
    again('cache', { fields: [['Expires', at(30 * 24 * 60 * 60)]] }),
  ]),
  required('query/different', '9111 §2', 'does not reuse an answer for another query', [
    storeAndWait(FOR_LONG, { query: 'page=1' }),
    again('origin', { query: 'page=2' }),
  ]),
  optimal('query/same', '9111 §2', 'reuses an answer for the same query', [
    storeAndWait(FOR_LONG, { query: 'page=1' }),
    again('cache', { query: 'page=1' }),
  ]),
  check('attachment/heuristic', '6266 §4', 'reuses an attachment by its Last-Modified', [
    store([['Last-Modified', at(-100_000)], ['Date', at(0)], ATTACHMENT]),
    again('cache'),
  ]),
  check('attachment/fresh', '6266 §4', 'reuses a fresh attachment', [
    storeAndWait([...FOR_LONG, ATTACHMENT]),
    again('cache'),
  ]),
  optimal('cookie/set', '9111 §7.3', 'reuses a fresh answer with Set-Cookie', [
    storeAndWait([...FOR_LONG, ['Set-Cookie', 'a=b']]),
    again('cache'),
  ]),
  optimal('cookie/sent', '9111 §7.3', 'reuses a fresh answer for a request with Cookie', [
    storeAndWait(FOR_LONG),
    again('cache', { request: [['Cookie', 'a=b']] }),
  ]),
]
