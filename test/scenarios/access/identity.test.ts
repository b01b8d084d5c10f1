import { test } from 'tap'
import { everyProtocol, gatewayBefore, isProblem, PATIENCE } from '../../helper.ts'
import { keyFor } from '../../services/access/given.ts'

const acme = keyFor()
const ACCESS = { consumers: { acme: { keys: [acme.entry], groups: ['partners'], scopes: ['read', 'write'] } } }

everyProtocol('who has a key gets through, and the upstream is told who, but not by what', async (t, protocol) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), {
    route: { access: ['key'] },
    config: { access: ACCESS },
  })
  const client = await gateway.client(protocol)
  const answer = await client.request({ path: '/a', fields: [['x-api-key', acme.key]] })
  t.equal(answer.status, 200)
  const seen = await upstream.received(1)
  t.equal(seen.get('x-consumer-id'), 'acme')
  t.equal(seen.get('x-consumer-groups'), 'partners')
  t.equal(seen.get('x-consumer-scopes'), 'read write')
  t.equal(seen.get('x-api-key'), undefined)
  const refused = await client.request({ path: '/a' })
  isProblem(t, refused, 401)
  t.equal(refused.get('www-authenticate'), 'ApiKey realm="headrace", header="x-api-key"')
  isProblem(t, await client.request({ path: '/a', fields: [['x-api-key', `${acme.key}x`]] }), 401)
  t.equal(upstream.requests.length, 1)
})

void test('no client can say who it is: on no route, in no case, with no other mark for a hyphen', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, upstream } = await gatewayBefore(t, (exchange) => exchange.respond(), {
    config: {
      access: ACCESS,
      routes: { '/open/*': { to: 'origin' }, '/closed/*': { to: 'origin', access: ['key', 'anonymous'] } },
    },
  })
  const raw = await gateway.raw()
  const forged =
    'X-Consumer-Id: root\r\nx_consumer_id: root\r\nX-CONSUMER_GROUPS: admin\r\nx-consumer-scopes: all\r\nx.consumer.id: b\r\n'
  for (const path of ['/open/a', '/closed/a']) {
    const { status } = await raw.exchange(`GET ${path} HTTP/1.1\r\nHost: api.test\r\n${forged}X-Kept: 1\r\n\r\n`)
    t.equal(status, 200)
  }
  for (const { fields } of upstream.requests) {
    t.notMatch(fields.map(([name]) => name).join(' '), /consumer/i)
    t.ok(fields.some(([name]) => name.toLowerCase() === 'x-kept'))
  }
  const known = `X-API-Key: ${acme.key}\r\nConnection: x-consumer-id\r\n`
  t.equal((await raw.exchange(`GET /closed/b HTTP/1.1\r\nHost: api.test\r\n${forged}${known}\r\n`)).status, 200)
  const names = upstream.requests[2]?.fields.map(([name]) => name.toLowerCase()) ?? []
  t.same(
    names.filter((name) => name.includes('consumer')),
    ['x-consumer-id', 'x-consumer-groups', 'x-consumer-scopes'],
  )
})
