import { type Test, test } from 'tap'
import { everyProtocol, gatewayBefore, isProblem, PATIENCE } from '../../helper.ts'
import type { Field } from '../../wire.ts'
import { AUDIENCE, ISSUER, signerOf } from '../../tokens.ts'
import type { ReceivedRequest } from '../../upstream-server.ts'

const signer = await signerOf('ES256', 'es')
const stranger = await signerOf('ES256', 'es')
const exp = Math.floor(Date.now() / 1000) + 3_600

const before = (t: Test, route: Record<string, unknown> = {}, more: Record<string, unknown> = {}) =>
  gatewayBefore(t, (exchange) => exchange.respond(200, [['Cache-Control', 'public, max-age=600']], 'an answer'), {
    route: { access: ['jwt:main'], ...route },
    config: {
      access: { jwt: { main: { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [signer.jwk] }, ...more } } },
    },
  })

const bearer = (token: string): Field[] => [['Authorization', `Bearer ${token}`]]
const told = (request: ReceivedRequest | undefined) =>
  request?.fields.filter(([name]) => /^(x[-_]consumer|authorization|cookie)/i.test(name)) ?? []

everyProtocol('a token says who calls, to the upstream too, and goes no further', async (t, protocol) => {
  const { gateway, upstream } = await before(t)
  const client = await gateway.client(protocol)
  const fields: Field[] = [
    ...bearer(await signer.sign({ exp, scope: 'read write' })),
    ['X-Consumer-Id', 'root'],
    ['x_consumer_id', 'root'],
  ]
  t.equal((await client.request({ path: '/', fields })).status, 200)
  const told_ = told(upstream.requests[0])
  t.same(
    told_.filter(([name]) => name === 'x-consumer-id').map(([, value]) => value),
    [`${ISSUER}|ada`],
  )
  t.equal(told_.filter(([name]) => /consumer.id/i.test(name)).length, 1)
  t.notOk(told_.some(([name]) => name.toLowerCase() === 'authorization'))

  const none = await client.request({ path: '/' })
  isProblem(t, none, 401)
  t.equal(none.get('www-authenticate'), 'Bearer realm="headrace"')
  const forged = await client.request({ path: '/', fields: bearer(await stranger.sign({ exp })) })
  isProblem(t, forged, 401)
  t.match(forged.get('www-authenticate'), /Bearer .*error="invalid_token"/)
  t.equal(forged.fields.filter(([name]) => name.toLowerCase() === 'www-authenticate').length, 1, 'one for each way')
  t.equal(upstream.requests.length, 1)
})

void test('claims that would end a field, or are no ASCII, reach upstreams encoded', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, upstream } = await before(t, {}, { claims: { groups: 'groups' } })
  const client = await gateway.client('h1')
  const sub = 'ada\r\nX-Consumer-Id: root\u0000é🦊'
  const token = await signer.sign({ exp, sub, groups: ['a,b', 'c\r\nd: e'], scope: 'x\ny' })
  t.equal((await client.request({ path: '/', fields: bearer(token) })).status, 200)
  const fields = told(upstream.requests[0])
  t.equal(fields.filter(([name]) => name.toLowerCase() === 'x-consumer-id').length, 1)
  for (const [, value] of fields) t.match(value, /^[\x20-\x7e]*$/)
  t.match(Object.fromEntries(fields), { 'x-consumer-groups': 'a%2Cb,c%0D%0Ad:%20e' })
})

void test('what is cached for one token is no answer for another, nor for a forged one', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway, upstream } = await before(t, { cache: true })
  const client = await gateway.client('h1')
  const ask = async (token: string) => await client.request({ path: '/', fields: bearer(token) })
  const [ada, bob] = [await signer.sign({ exp }), await signer.sign({ exp, sub: 'bob' })]
  await ask(ada)
  t.match((await ask(ada)).get('cache-status'), /; hit/)
  t.match((await ask(bob)).get('cache-status'), /fwd=/)
  isProblem(t, await ask(await stranger.sign({ exp })), 401)
  isProblem(t, await ask(`${ada}x`), 401)
  t.equal(upstream.requests.length, 2)
})

void test('scopes, groups and claims of a token open routes, and their lack closes them', {
  timeout: PATIENCE,
}, async (t) => {
  const route = { access: { by: ['jwt:main'], scopes: ['write'], claims: { tenant: 'a' } } }
  const { gateway } = await before(t, route)
  const client = await gateway.client('h1')
  const statusOf = async (claims: Record<string, unknown>): Promise<number> =>
    (await client.request({ path: '/', fields: bearer(await signer.sign({ exp, ...claims })) })).status
  t.equal(await statusOf({ scope: 'read write', tenant: 'a' }), 200)
  t.equal(await statusOf({ scope: 'read', tenant: 'a' }), 403)
  t.equal(await statusOf({ scope: 'read write', tenant: 'b' }), 403)
})

void test('a forged token does not pass as nobody, where nobody may pass', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await before(t, { access: ['jwt:main', 'anonymous'] })
  const client = await gateway.client('h1')
  t.equal((await client.request({ path: '/' })).status, 200)
  isProblem(t, await client.request({ path: '/', fields: bearer(await stranger.sign({ exp })) }), 401)
  t.equal(upstream.requests.length, 1)
})
