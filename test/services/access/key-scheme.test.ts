import { test } from 'tap'
import { hashPassword } from '../../../services/access/basic/password.ts'
import { keyIdOf, makeKey } from '../../../services/access/key/api-key.ts'
import { Consumers } from '../../../services/access/consumers/consumers.ts'
import { Directory } from '../../../services/access/consumers/directory.ts'
import { resolveConsumers } from '../../../services/access/consumers/options.ts'
import { KeyScheme } from '../../../services/access/key/key-scheme.ts'
import type { KeySchemeOptions } from '../../../services/access/options.ts'
import { accessOf, asking, connected, keyFor, QUIET } from './given.ts'

const NOON = Date.parse('2026-06-01T12:00:00Z')
const PLAIN: KeySchemeOptions = { header: 'x-api-key', query: null, keep: false }

function schemeFor(
  keys: Record<string, unknown>[],
  { options = {}, revoked = [] }: { options?: Partial<KeySchemeOptions>; revoked?: string[] } = {},
): { scheme: KeyScheme; consumers: Consumers } {
  const acme = { keys, secrets: [], certificates: [], groups: ['partners'], scopes: ['read'], enabled: true }
  const inline = resolveConsumers({ acme } as never, (path) => path)
  const consumers = new Consumers({ inline, file: null, log: QUIET })
  const parts = { realm: 'test', consumers, isRevoked: (id: string) => revoked.includes(id), now: () => NOON }
  return { scheme: new KeyScheme({ ...PLAIN, ...options }, parts), consumers }
}

void test('a key has a name that is no secret, and 160 random bits at least behind it', async (t) => {
  const { key, id, hash } = makeKey()
  t.match(key, /^hr_[0-9a-z]{8}_[0-9A-Za-z]{28}$/)
  t.ok(Math.log2(62 ** 28) > 160)
  t.equal(keyIdOf(key), id)
  t.match(hash, /^sha256:[\w-]{43}$/)
  t.notOk(hash.includes(key.slice(-28)))
  t.equal(new Set(Array.from({ length: 1000 }, () => makeKey().key)).size, 1000)
})

void test('who shows a key of a consumer is that consumer', async (t) => {
  const { key, entry } = keyFor()
  const { scheme, consumers } = schemeFor([entry])
  const identity = scheme.authenticate(asking({ fields: ['X-API-Key', key] }))
  t.match(identity, { id: 'acme', scheme: 'key', consumer: 'acme', groups: ['partners'], scopes: ['read'] })
  t.equal(consumers.directory.keys.get(entry.id)?.use.lastUsedAt, NOON, 'when it was used is known')
  t.equal(scheme.authenticate(asking()), undefined, 'and who shows none is left to the next way')
})

void test('two keys of a consumer hold at a time, so that one can take the place of the other', async (t) => {
  const [first, second] = [keyFor(), keyFor()]
  const { scheme } = schemeFor([first.entry, second.entry])
  for (const { key } of [first, second]) {
    t.match(scheme.authenticate(asking({ fields: ['x-api-key', key] })), { id: 'acme' })
  }
})

void test('a key that is wrong, cut, longer, expired or revoked is refused, always in the same words', async (t) => {
  const { key, entry } = keyFor()
  const old = keyFor()
  const gone = keyFor()
  const { scheme } = schemeFor(
    [entry, { ...old.entry, expires: '2026-06-01T12:00:00Z' }, { ...gone.entry, expires: '2027-01-01' }],
    { revoked: [gone.id] },
  )
  const wrong = [
    key.slice(0, -1),
    `${key}x`,
    key.toUpperCase(),
    `${key.slice(0, 12)}${'0'.repeat(28)}`,
    'hr__',
    'hr_',
    '',
    ' ',
    'null',
    '__proto__',
    `hr_constructor_${'a'.repeat(28)}`,
    'é'.repeat(40),
    old.key,
    gone.key,
    'k'.repeat(100_000),
  ]
  const told = new Set<string>()
  for (const one of wrong) {
    const found = scheme.authenticate(asking({ fields: ['x-api-key', one] }))
    t.match(found, { code: 'HR_ACCESS_INVALID', statusCode: 401 }, one.slice(0, 40))
    told.add((found as Error).message)
  }
  t.equal(told.size, 1, 'nobody learns which half was wrong')
})

void test('an unknown key is as much work as a wrong one and a right one: one hash each', async (t) => {
  const { key, entry } = keyFor()
  const { scheme } = schemeFor([entry])
  const hashedFor = (one: string): number => {
    const before = scheme.hashed
    scheme.authenticate(asking({ fields: ['x-api-key', one] }))
    return scheme.hashed - before
  }
  t.equal(hashedFor(key), 1)
  t.equal(hashedFor(`${key.slice(0, -1)}!`), 1)
  t.equal(hashedFor(makeKey().key), 1)
  t.equal(hashedFor('what is this'), 1)
})

void test('the key that a connection has shown is not hashed again there, and is asked for each time', async (t) => {
  const [mine, other] = [keyFor(), keyFor()]
  const revoked: string[] = []
  const { scheme, consumers } = schemeFor([mine.entry, other.entry], { revoked })
  const peer = connected()
  const ask = (key: string, by = peer) => scheme.authenticate(asking({ fields: ['x-api-key', key], peer: by }))
  for (let i = 0; i < 3; i++) t.match(ask(mine.key), { id: 'acme' })
  t.equal(scheme.hashed, 1)
  t.match(ask(mine.key, connected()), { id: 'acme' })
  t.equal(scheme.hashed, 2, 'another connection has shown nothing')
  for (const wrong of [
    `${mine.key.slice(0, -1)}!`,
    mine.key.slice(0, -1),
    `${mine.key}x`,
    '',
    `${mine.key.slice(0, -1)}é`,
  ]) {
    t.match(ask(wrong), { code: 'HR_ACCESS_INVALID' })
  }
  t.equal(scheme.hashed, 7, 'nor is anything but that key taken for it')
  t.match([ask(other.key), ask(mine.key)], [{ id: 'acme' }, { id: 'acme' }])
  t.equal(scheme.hashed, 9, 'the last one is remembered')

  revoked.push(mine.id)
  t.match(ask(mine.key), { code: 'HR_ACCESS_INVALID' }, 'revoked in between')
  revoked.pop()
  t.match(ask(mine.key), { id: 'acme' })
  Object.defineProperty(consumers, 'directory', { value: new Directory([]) })
  t.match(ask(mine.key), { code: 'HR_ACCESS_INVALID' }, 'gone from the consumers in between')
})

void test('100,000 random keys: none is taken, none breaks anything, each is one hash', async (t) => {
  const { scheme } = schemeFor([keyFor().entry])
  let refused = 0
  for (let i = 0; i < 100_000; i++) {
    const one =
      i % 3 === 0 ? makeKey().key : i % 3 === 1 ? `hr_${i.toString(36)}_${'\u00ff'.repeat(i % 40)}` : String(i)
    const found = scheme.authenticate(asking({ fields: ['x-api-key', one] }))
    if (found instanceof Error && (found as { code?: string }).code === 'HR_ACCESS_INVALID') refused++
  }
  t.equal(refused, 100_000)
  t.equal(scheme.hashed, 100_000)
})

void test('a key that stands twice is refused, in whatever case its field is written', async (t) => {
  const { key, entry } = keyFor()
  const { scheme } = schemeFor([entry])
  const found = scheme.authenticate(asking({ fields: ['x-api-key', key, 'X-Api-Key', key] }))
  t.match(found, { code: 'HR_ACCESS_AMBIGUOUS', statusCode: 400 })
})

void test('a key in the query is refused whatever its parameter is called, and whatever the ways are', async (t) => {
  const { key, entry } = keyFor()
  for (const ways of [['key'], ['key', 'anonymous'], ['basic', 'anonymous'], ['anonymous']]) {
    const { gates } = accessOf({ consumers: { acme: { keys: [entry] } } }, ways)
    const [gate] = gates
    for (const query of [`?key=${key}`, `?a=1&x=${key.replaceAll('_', '%5F')}`, `?${key}`, `?%68r${key.slice(2)}`]) {
      const found = gate?.check(asking({ query, fields: ['x-api-key', key] }))
      t.match(found, { code: 'HR_ACCESS_KEY_IN_QUERY', statusCode: 400 }, `${ways.join()} ${query}`)
      t.notMatch((found as Error).message, key)
    }
    const table = asking({ query: '?table=hr_employees_2024&id=7', fields: ['x-api-key', key] })
    t.equal(gate?.check(table), undefined, 'what only begins like one is none')
  }
})

void test('the parameter that keys are taken from is no place for them where the route takes none', async (t) => {
  const { key, entry } = keyFor()
  const access = { consumers: { acme: { keys: [entry] } }, keys: { query: 'k' } }
  const query = `?k=${key}`
  const check = (ways: string[], asked: string) => accessOf(access, ways).gates[0]?.check(asking({ query: asked }))
  t.equal(check(['key'], query), undefined)
  t.match(check(['key'], `${query}&x=${key}`), { code: 'HR_ACCESS_KEY_IN_QUERY' })
  t.match(check(['basic', 'anonymous'], query), { code: 'HR_ACCESS_KEY_IN_QUERY' })
})

void test('a key in its parameter goes no further where another way has decided', async (t) => {
  const { key, entry } = keyFor()
  const consumers = { acme: { keys: [entry], password: await hashPassword('a password') } }
  const { gates } = accessOf({ consumers, keys: { query: 'k' } }, ['basic', 'key'])
  const fields = ['authorization', `Basic ${btoa('acme:a password')}`]
  const exchange = asking({ query: `?a=1&k=${key}`, fields })
  t.equal(await gates[0]?.check(exchange), undefined)
  t.match(exchange.identity, { scheme: 'basic' })
  t.equal(exchange.query, '?a=1')
})

void test('where a parameter is named for it, a key is taken from the URL, and goes no further', async (t) => {
  const { key, entry } = keyFor()
  const { scheme } = schemeFor([entry], { options: { query: 'key' } })
  const exchange = asking({ query: `?a=1&k%65y=${key}&b=%20` })
  t.match(scheme.authenticate(exchange), { id: 'acme' })
  t.equal(exchange.query, '?a=1&b=%20')
  const twice = asking({ query: `?key=${key}&key=${key}` })
  t.match(scheme.authenticate(twice), { code: 'HR_ACCESS_AMBIGUOUS' })
  const both = asking({ query: `?key=${key}`, fields: ['x-api-key', key] })
  t.match(scheme.authenticate(both), { code: 'HR_ACCESS_AMBIGUOUS' })
  t.equal(both.query, '')
})
