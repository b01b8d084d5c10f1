import { scryptSync } from 'node:crypto'
import { test } from 'tap'
import { hashPassword, isPassword, isPasswordHash } from '../../../services/access/basic/password.ts'
import { BasicScheme } from '../../../services/access/basic/basic-scheme.ts'
import { PasswordChecks } from '../../../services/access/basic/password-checks.ts'
import type { Consumers } from '../../../services/access/consumers/consumers.ts'
import { Directory, type ReadConsumer } from '../../../services/access/consumers/directory.ts'
import { asking } from './given.ts'

/** Little work: what is shown here is not how slow it is. */
const CHEAP = 'scrypt:16:1:1:c2FsdHNhbHRzYWx0c2FsdA:'
const NONE = {
  keys: [],
  secrets: [],
  certificates: [],
  groups: [],
  scopes: [],
  tier: null,
  priority: null,
  enabled: true,
}

/** As `hashPassword()` writes it. */
const hashed = (password: string): string => {
  const [, n, r, p, salt = ''] = CHEAP.split(':')
  const cost = { N: Number(n), r: Number(r), p: Number(p) }
  return CHEAP + scryptSync(password, Buffer.from(salt, 'base64url'), 32, cost).toString('base64url')
}
const basic = (user: string, password: string): string[] => [
  'authorization',
  `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`,
]

function consumer(name: string, password: string): ReadConsumer {
  return { ...NONE, name, password }
}

function schemeFor(consumers: ReadConsumer[], queue = 64): { scheme: BasicScheme; holder: { directory: Directory } } {
  const holder = { directory: new Directory(consumers) }
  const options = { concurrency: 1, queue, keep: false }
  return { scheme: new BasicScheme(options, { realm: 'test', consumers: holder as Consumers }), holder }
}

void test('a password is kept as a salted hash that only it matches', async (t) => {
  const one = await hashPassword('päss:word')
  t.match(one, /^scrypt:16384:8:5:[\w-]{22}:[\w-]{43}$/)
  t.not(one, await hashPassword('päss:word'), 'each with a salt of its own')
  t.equal(await isPassword('päss:word', one), true)
  t.equal(await isPassword('pa\u0308ss:word', one), true, 'however its letters are composed')
  t.equal(await isPassword('päss:wordx', one), false)
  for (const wrong of ['', 'scrypt:', `${CHEAP}x`, one.replace('16384', '16383'), one.replace('16384', '1048576')]) {
    t.equal(isPasswordHash(wrong), false, wrong)
    t.equal(await isPassword('x', wrong), false)
  }
})

void test('a password with NUL behind it is another one', async (t) => {
  const { scheme } = schemeFor([consumer('acme', hashed('s3cret'))])
  for (const password of ['s3cret\0', 's3cret\0\0\0', '\0s3cret']) {
    const judged = await scheme.authenticate(asking({ fields: basic('acme', password) }))
    t.match(judged, { code: 'HR_ACCESS_INVALID' }, JSON.stringify(password))
  }
})

void test('who shows name and password is that consumer, slowly once and at once after that', async (t) => {
  const { scheme } = schemeFor([consumer('acme', hashed('s3cret:x'))])
  const exchange = asking({ fields: basic('acme', 's3cret:x') })
  const first = scheme.authenticate(exchange)
  t.ok(first instanceof Promise)
  t.match(await first, { id: 'acme', scheme: 'basic' })
  t.match(scheme.authenticate(exchange), { id: 'acme' }, 'remembered')
  t.equal(scheme.checks.begun, 1)
  scheme.conceal(exchange)
  t.equal(exchange.fields.authorization, undefined)
  t.same(exchange.fields.kept, [])
  t.equal(scheme.authenticate(asking({ fields: ['authorization', 'Bearer x'] })), undefined)
})

void test('an unknown name is as much work as a wrong password, and told in the same words', async (t) => {
  const { scheme } = schemeFor([consumer('acme', hashed('right'))])
  const told = new Set<unknown>()
  for (const [user, password] of [
    ['acme', 'wrong'],
    ['nobody', 'right'],
    ['__proto__', 'x'],
    ['ACME', 'right'],
  ] as const) {
    const found = await scheme.authenticate(asking({ fields: basic(user, password) }))
    t.match(found, { code: 'HR_ACCESS_INVALID', statusCode: 401 })
    told.add((found as Error).message)
  }
  t.equal(told.size, 1)
  t.equal(scheme.checks.begun, 4)
})

void test('what was remembered is nothing once the consumer has another password, or is gone', async (t) => {
  const { scheme, holder } = schemeFor([consumer('acme', hashed('right'))])
  const exchange = asking({ fields: basic('acme', 'right') })
  t.match(await scheme.authenticate(exchange), { id: 'acme' })
  holder.directory = new Directory([consumer('acme', hashed('other'))])
  t.match(await scheme.authenticate(exchange), { code: 'HR_ACCESS_INVALID' })
  const under = scheme.authenticate(asking({ fields: basic('acme', 'other') }))
  holder.directory = new Directory([])
  t.match(await under, { code: 'HR_ACCESS_INVALID' }, 'nor what was being checked meanwhile')
})

void test('credentials that cannot be read, are too long or stand twice are refused without a check', async (t) => {
  const { scheme } = schemeFor([consumer('acme', hashed('right'))])
  const wrong = ['Basic', 'Basic ', 'Basic !!!', 'basic bm9jb2xvbg==', `Basic ${'QUFB'.repeat(10_000)}`, 'BASIC \u00ff']
  for (const value of wrong) {
    t.match(
      scheme.authenticate(asking({ fields: ['authorization', value] })),
      { code: 'HR_ACCESS_INVALID' },
      value.slice(0, 20),
    )
  }
  const twice = [...basic('acme', 'right'), ...basic('acme', 'right')]
  t.match(scheme.authenticate(asking({ fields: twice })), { code: 'HR_ACCESS_AMBIGUOUS' })
  t.equal(scheme.checks.begun, 0)
})

void test('more passwords than may be checked wait, and more than may wait are told to come later', async (t) => {
  const hash = hashed('right')
  const { scheme } = schemeFor([consumer('acme', hash)], 1)
  const found = ['right', 'wrong', 'third'].map((password) =>
    scheme.authenticate(asking({ fields: basic('acme', password) })),
  )
  t.match(found[2], { code: 'HR_ACCESS_BUSY', statusCode: 503, fields: ['retry-after', '1'] })
  t.match(await found[0], { id: 'acme' })
  t.match(await found[1], { code: 'HR_ACCESS_INVALID' })
  const checks = new PasswordChecks({ concurrency: 1, queue: 0 })
  const only = checks.check('right', hash)
  t.equal(checks.check('right', hash), undefined)
  t.equal(await only, true)
  t.equal(await checks.check('right', hash), true, 'there is room again')
})
