import { test } from 'tap'
import { isEntitled } from '../../../services/access/entitlement.ts'
import { IdentityFields } from '../../../services/access/identity-fields.ts'
import { resolveRouteAccess } from '../../../services/access/route/options.ts'
import { ReservedFields } from '../../../services/downstream/reserved-fields.ts'
import type { Identity } from '../../../services/downstream/identity.ts'
import type { Verdict } from '../../../services/gate/gate.ts'
import { accessOf, asking, keyFor } from './given.ts'

const WHO: Identity = {
  id: 'acme',
  scheme: 'key',
  consumer: 'acme',
  tier: null,
  groups: ['partners'],
  scopes: ['read', 'list'],
  claims: {
    plan: 'pro',
    level: 3,
    roles: ['a', 'b'],
    nested: { a: 1 },
    realm: { roles: ['admin'] },
    'urn:a.b': 'whole',
    urn: { b: 1 },
  },
}

function may(asked: Record<string, unknown>, method = 'GET', who: Identity | null = WHO): boolean {
  const none = { by: ['key'], scopes: [], groups: [], claims: {}, allow: [], deny: [], public: false }
  const given = { ...none, addresses: { allow: [], deny: [] }, ...asked }
  return isEntitled(resolveRouteAccess(given as never) as never, method, who ?? undefined)
}
const some = (part: object): object => ({ methods: [], consumers: [], groups: [], scopes: [], ...part })

void test('all scopes are wanted, one of the groups, and one value of each claim, by its name or the way to it', async (t) => {
  t.equal(may({}), true)
  t.equal(may({ scopes: ['read', 'list'] }), true)
  t.equal(may({ scopes: ['read', 'write'] }), false)
  t.equal(may({ groups: ['staff', 'partners'] }), true)
  t.equal(may({ groups: ['staff'] }), false)
  t.equal(may({ claims: { plan: ['free', 'pro'], level: '3', roles: 'b' } }), true)
  t.equal(may({ claims: { plan: 'free' } }), false)
  for (const name of ['nested', 'none', '__proto__', 'constructor']) {
    t.equal(may({ claims: { [name]: '[object Object]' } }), false, name)
  }
  for (const [path, value] of [
    ['nested.a', '1'],
    ['realm.roles', 'admin'],
    ['urn:a.b', 'whole'],
  ] as const) {
    t.equal(may({ claims: { [path]: value } }), true, path)
  }
  for (const path of [
    'nested.b',
    'nested.a.b',
    'plan.length',
    'none.a',
    'nested.__proto__',
    'constructor.name',
    '.',
    '',
  ]) {
    t.equal(may({ claims: { [path]: ['1', '3', 'pro', 'Object'] } }), false, path)
  }
  for (const wanted of [{ scopes: ['read'] }, { groups: ['partners'] }, { claims: { plan: 'pro' } }]) {
    t.equal(may(wanted, 'GET', null), false, 'nobody is nothing')
  }
})

void test('permissions go by method and caller, a prohibition wins, and HEAD is as GET', async (t) => {
  const acl = {
    allow: [some({ methods: ['GET'] }), some({ methods: ['POST'], scopes: ['write'] }), some({ consumers: ['root'] })],
  }
  t.equal(may(acl, 'GET'), true)
  t.equal(may(acl, 'HEAD'), true)
  t.equal(may(acl, 'POST'), false)
  t.equal(may(acl, 'DELETE'), false)
  t.equal(may(acl, 'DELETE', { ...WHO, consumer: 'root' }), true)
  t.equal(may(acl, 'GET', null), true, 'for whoever it is')
  const deny = { deny: [some({ consumers: ['acme'], methods: ['DELETE'] }), some({ groups: ['blocked'] })] }
  t.equal(may(deny, 'GET'), true)
  t.equal(may(deny, 'DELETE'), false)
  t.equal(may({ ...acl, ...deny, allow: [some({})] }, 'GET', { ...WHO, groups: ['blocked'] }), false)
})

void test('who is known and may not is told 403, who is not 401 and how', async (t) => {
  const { key, entry } = keyFor()
  const { gates, access } = accessOf({ consumers: { acme: { keys: [entry] } } }, { by: ['key'], scopes: ['write'] })
  const verdict = (fields: string[]): Verdict => gates[0]?.check(asking({ fields })) as Verdict
  t.match(verdict(['x-api-key', key]), { code: 'HR_ACCESS_FORBIDDEN', statusCode: 403 })
  t.match(verdict([]), { code: 'HR_ACCESS_REQUIRED', fields: ['www-authenticate', /^ApiKey realm="headrace"/] })
  t.equal(access.counters.counts().allowed.find(({ scheme }) => scheme === 'key')?.count, 0)
})

void test('the first way that finds credentials decides: what is forged does not pass as nobody', async (t) => {
  const { key, entry } = keyFor()
  const consumers = { acme: { keys: [entry] } }
  const { gates } = accessOf({ consumers }, ['basic', 'key', 'anonymous'])
  const verdict = (fields: string[]): unknown => gates[0]?.check(asking({ fields }))
  t.equal(verdict([]), undefined)
  t.equal(verdict(['x-api-key', key]), undefined)
  t.match(verdict(['x-api-key', `${key}x`]), { code: 'HR_ACCESS_INVALID' })
  t.match(await verdict(['authorization', 'Basic YTpi', 'x-api-key', key]), { code: 'HR_ACCESS_INVALID' })
  t.match((verdict(['x-api-key', 'x']) as { fields: string[] }).fields.length, 4, 'every way is named')
})

void test('addresses are allowed and denied by blocks, of both families', async (t) => {
  const { gates } = accessOf({}, { addresses: { allow: ['10.0.0.0/8', '2001:db8::/32'], deny: ['10.9.0.0/16'] } })
  t.equal(gates.length, 1)
  const from = (address: string): unknown => gates[0]?.check(asking({ address }))
  for (const address of ['10.1.2.3', '2001:db8::5']) t.equal(from(address), undefined, address)
  for (const address of ['10.9.1.1', '192.0.2.1', '2001:db9::1', 'unknown', '']) {
    t.match(from(address), { code: 'HR_ACCESS_ADDRESS', statusCode: 403 }, address)
  }
})

void test('no text that a caller has can end its field or start another', async (t) => {
  const fields = new IdentityFields({ caller: 'x-id', groups: 'x-groups', scopes: 'x-scopes' })
  const exchange = asking()
  const id = 'a\r\nx-groups: admin'
  fields.addTo(exchange, { ...WHO, id, groups: ['a,b', 'ü', '\ud800'], scopes: ['a b', '%41'] })
  t.same(exchange.fields.kept, [
    'x-id',
    'a%0D%0Ax-groups:%20admin',
    'x-groups',
    'a%2Cb,%C3%BC,%EF%BF%BD',
    'x-scopes',
    'a%20b %2541',
  ])
})

void test('reserved fields are dropped in every spelling that a server may take for them', async (t) => {
  const reserved = new ReservedFields(['x-consumer-id', 'x-consumer-groups'])
  const kept = ['X-Consumer-Id', '1', 'x_consumer_id', '2', 'a', 'b', 'X-CONSUMER_GROUPS', '3', 'x-consumer-idx', '4']
  reserved.drop(kept)
  t.same(kept, ['a', 'b', 'x-consumer-idx', '4'])
  for (const mark of "!#$%&'*+-.^_`|~") {
    for (const name of [`x${mark}consumer${mark}id`, `X-Consumer${mark}Groups`]) {
      const forged = ['a', 'b', name, 'root']
      reserved.drop(forged)
      t.same(forged, ['a', 'b'], name)
    }
  }
  const plain = ['host', 'x', 'x-other-field', 'y', 'xxconsumerxid', 'z', 'x.consumer.idx', '1']
  reserved.drop(plain)
  t.same(plain, ['host', 'x', 'x-other-field', 'y', 'xxconsumerxid', 'z', 'x.consumer.idx', '1'])
})

void test('a reserved field that is itself written with other marks is dropped in every spelling too', async (t) => {
  const reserved = new ReservedFields(['x_auth.user', '_user'])
  for (const name of ['x_auth.user', 'X-Auth-User', 'x.auth_user', '_user', '-User', '.user']) {
    const forged = [name, 'root', 'a', 'b']
    reserved.drop(forged)
    t.same(forged, ['a', 'b'], name)
  }
})
