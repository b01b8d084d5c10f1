import { test } from 'tap'
import { Exchange } from '../../../services/downstream/exchange.ts'
import { Peer } from '../../../services/downstream/peer.ts'
import { readRequestFields } from '../../../services/http/request-fields.ts'
import { LimitKey } from '../../../services/limit/key.ts'

function exchange(fields: string[] = []): Exchange {
  const peer = new Peer({ remoteAddress: '127.0.0.1' }, { includes: () => false } as never)
  const one = new Exchange({
    protocol: '1.1',
    method: 'GET',
    target: '/',
    fields: readRequestFields(fields),
    body: null,
    peer,
  })
  one.clientAddress = '2001:db8:1:2:3:4:5:6'
  return one
}

const identity = {
  id: 'acme',
  scheme: 'key',
  consumer: 'acme',
  tier: null,
  groups: [],
  scopes: [],
  claims: { sub: 'ada', level: 7, roles: ['a'] },
} as const

void test('a key is made of all that a limit goes by', async (t) => {
  const key = new LimitKey(['ip', 'route', 'header:x-tenant'], 64)
  t.equal(key.of(exchange(['X-Tenant', 'a', 'x-tenant', 'b']), '/orders'), '2001:db8:1:2::/64\n/orders\na,b')
  t.equal(key.ofIdentity, false)
})

void test('the host that a limit goes by is that of the route, in whatever case and form it is written', async (t) => {
  const key = new LimitKey(['header:host'], 64)
  const one = Object.assign(exchange(['Host', 'A.Test:8080']), { host: 'a.test' })
  t.equal(key.of(one, '/'), 'a.test')
  t.match(key.of(exchange(['Host', '']), '/'), /2001/, 'who names none is known by address')
})

void test('for what a request does not have its address stands, and nobody can say so of another', async (t) => {
  for (const by of ['header:x-tenant', 'consumer', 'claim:sub']) {
    const lacking = new LimitKey([by], 64).of(exchange(), '/')
    t.equal(lacking, '\u00002001:db8:1:2::/64')
  }
  const named = new LimitKey(['header:x-tenant'], 64).of(exchange(['x-tenant', '2001:db8:1:2::/64']), '/')
  t.equal(named, '2001:db8:1:2::/64')
})

void test('callers and their claims are told apart once they are known', async (t) => {
  const one = Object.assign(exchange(), { identity })
  const of = (by: string): string => new LimitKey([by], 64).of(one, '/')
  t.strictSame([of('consumer'), of('claim:sub'), of('claim:level')], ['acme', 'ada', '7'])
  t.match(of('claim:roles'), /2001/, 'a list is nobody')
  t.ok(new LimitKey(['ip', 'claim:sub'], 64).ofIdentity)
})

void test('people are shown addresses and names, and of fields and claims a digest', async (t) => {
  const key = new LimitKey(['ip', 'header:x-api-key'], 64)
  const secret = 'canary-secret'
  const shown = key.shown(key.of(exchange(['x-api-key', secret]), '/'))
  t.match(shown, /^ip 2001:db8:1:2::\/64, header:x-api-key #[0-9a-f]{12}$/)
  t.notMatch(shown, secret)
})
