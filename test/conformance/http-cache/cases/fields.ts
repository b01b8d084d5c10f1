import {
  again,
  at,
  cacheControl,
  type Case,
  check,
  type Field,
  FRESH,
  required,
  type Step,
  store,
  storeAndWait,
} from '../case.ts'

/** A field of answers: what is stored of it, and what a 304 does to it. */
interface Treatment {
  name: string
  /** Its values: as stored, and as a 304 has it. */
  values: readonly [string, string]
  /** `hop`: it belongs to the connection and is not stored (RFC 9111 §3.1). */
  kind: 'stored' | 'hop'
  /**
   * What a 304 does. `required`: it takes its value (RFC 9111 §3.2); `kept`: it must not; `check`: what it should do by the
   * RFC, though caches differ.
   */
  on304: 'required' | 'kept' | 'check'
  /** The body that fits the first value. */
  body?: string
}

const stored = (name: string, a: string, b: string, on304: Treatment['on304'] = 'check'): Treatment => ({
  name,
  values: [a, b],
  kind: 'stored',
  on304,
})

const plain = (name: string): Treatment => stored(name, 'one', 'other', 'required')

const hop = (name: string, value = 'tortoise'): Treatment => ({
  name,
  values: [value, value],
  kind: 'hop',
  on304: 'kept',
})

const TREATMENTS: readonly Treatment[] = [
  plain('Mark'),
  plain('X-Mark'),
  plain('Content-Mark'),
  plain('X-Content-Mark'),
  stored('Cache-Control', 'max-age=1', 'max-age=3600', 'required'),
  hop('Connection'),
  stored('Content-Encoding', 'hare', 'tortoise'),
  { ...stored('Content-Length', '5', '10', 'kept'), body: 'seven' },
  stored('Content-Location', '/one', '/other'),
  stored('Content-MD5', '1B2M2Y8AsgTpgAmY7PhCfg==', 'chsZdjrAeS0WnGT6yWFxfg=='),
  stored('Content-Range', 'hares 1-2/3', 'hares 1-3/3'),
  stored('Content-Security-Policy', "default-src 'none'", "default-src 'self'"),
  stored('Content-Type', 'text/plain', 'text/plain;charset=utf-8'),
  stored('Clear-Site-Data', '"cache"', '"cookies"'),
  stored('ETag', '"one"', '"other"'),
  stored('Expires', 'Sun, 03 Jan 2038 01:01:01 GMT', 'Tue, 12 Jan 2038 11:11:11 GMT'),
  hop('Keep-Alive'),
  hop('Proxy-Authenticate'),
  hop('Proxy-Authentication-Info'),
  hop('Proxy-Authorization'),
  hop('Proxy-Connection'),
  stored('Public-Key-Pins', 'pin-one', 'pin-other'),
  stored('Set-Cookie', 'a=b', 'a=c'),
  stored('Set-Cookie2', 'a=b', 'a=c'),
  hop('TE'),
  hop('Transfer-Encoding', 'chunked'),
  hop('Upgrade'),
  stored('X-Frame-Options', 'deny', 'sameorigin'),
  stored('X-XSS-Protection', '1', '1; mode=block'),
]

const withLifetime = (field: Field, lifetime: Field): readonly Field[] =>
  field[0] === 'Cache-Control' ? [field] : [field, lifetime]

function storing({ name, values, kind, body }: Treatment): Case {
  const [first, second] = values
  // A lifetime of one second says nothing about storing.
  const value = name === 'Cache-Control' ? second : first
  const field: Field = kind === 'hop' ? [name, value, 'loose'] : [name, value]
  const answer = body === undefined ? {} : { answer: { body } }
  const verb = kind === 'hop' ? 'does not store' : 'stores'
  return required(`fields/${name}`, '9111 §3.1', `${verb} ${name}`, [
    storeAndWait([['Date', at(0)], ...withLifetime(field, FRESH)], answer),
    again('cache', kind === 'hop' ? { absent: [[name, value]] } : { fields: [[name, value]] }),
  ])
}

/** What is stored of an answer's fields (RFC 9111 §3.1). */
export const fields: readonly Case[] = [
  required('fields/connection-listed', '9111 §3.1', 'does not store the fields that Connection names', [
    storeAndWait([
      FRESH,
      ['Date', at(0)],
      ['Connection', 'mark, other', 'loose'],
      ['Mark', '1', 'loose'],
      ['Other', '2', 'loose'],
      ['Third', '3', 'loose'],
    ]),
    again('cache', { fields: [['Third', '3']], absent: ['Mark', 'Other'] }),
  ]),
  ...TREATMENTS.map(storing),
  check('fields/unknown-coding', '9112 §6.1', 'passes on a body in a transfer coding that nobody knows', [
    { origin: { fields: [FRESH, ['Transfer-Encoding', 'tortoise', 'loose']] } },
  ]),
]

const SHORT = cacheControl('max-age=2')
const NOW: Field = ['Date', at(0)]

function updating({ name, values, on304, body }: Treatment): Case {
  const [before, offered] = values
  const after = on304 === 'kept' ? before : offered
  const tag: readonly Field[] = name === 'ETag' ? [] : [['ETag', '"kept"']]
  const answer = body === undefined ? {} : { answer: { body } }
  const rule = on304 === 'kept' ? `keeps ${name} whatever a 304 says` : `takes ${name} from a 304`
  const seen: Step = { fields: [[name, after]] }
  const steps: readonly Step[] = [
    storeAndWait([NOW, ...withLifetime([name, before], SHORT), ...tag], answer),
    { ...store([NOW, ...withLifetime([name, offered, 'loose'], SHORT), ...tag]), ...seen, from: 'validation' },
    again('cache', seen),
  ]
  return (on304 === 'check' ? check : required)(`update/${name}`, '9111 §3.2', rule, steps)
}

/** What a 304 does to stored fields (RFC 9111 §3.2). */
export const updates: readonly Case[] = [
  required('update/absent', '9111 §3.2', 'keeps stored fields that a 304 lacks', [
    storeAndWait([SHORT, ['Last-Modified', 'Wed, 01 Jan 2020 00:00:00 GMT'], NOW, ['Mark', 'one']]),
    {
      ...store([['Last-Modified', 'Wed, 01 Jan 2020 00:00:00 GMT'], NOW]),
      from: 'validation',
      fields: [['Mark', 'one']],
    },
  ]),
  ...TREATMENTS.filter(({ kind }) => kind === 'stored').map(updating),
]

const HEAD: Step = { method: 'HEAD', sentMethod: 'HEAD' }
const STALE: Step = storeAndWait([SHORT, ['Mark', '1']])

/** What the answer to a HEAD does to what is stored (RFC 9111 §4.3.5). */
export const heads: readonly Case[] = [
  check('head/sent', '9111 §4.3.5', 'sends HEAD to the origin where what is stored is stale', [STALE, HEAD]),
  check('head/kept', '9111 §4.3.5', 'answers HEAD with stored fields that the origin’s answer lacks', [
    STALE,
    { ...HEAD, fields: [['Mark', '1']] },
  ]),
  check('head/lifetime', '9111 §4.3.5', 'takes a new lifetime from the answer to HEAD', [
    STALE,
    { ...HEAD, origin: { fields: [cacheControl('max-age=1000')] } },
    again('cache'),
  ]),
  check('head/updated', '9111 §4.3.5', 'takes new values of fields from the answer to HEAD', [
    STALE,
    { ...HEAD, origin: { fields: [['Mark', '2'], cacheControl('max-age=1000')] } },
    again('cache', { fields: [['Mark', '2']] }),
  ]),
  check('head/410', '9111 §4.3.5', 'takes new values of fields from a 410 to HEAD', [
    STALE,
    { ...HEAD, origin: { status: 410, fields: [['Mark', '2'], cacheControl('max-age=1000')] } },
    again('cache', { fields: [['Mark', '2']] }),
  ]),
]
