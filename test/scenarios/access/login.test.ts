import Fastify from 'fastify'
import { type Test, test } from 'tap'
import { gateway as gatewayPlugin } from '../../../gateway.ts'
import { everyProtocol, gatewayBefore, isProblem, PATIENCE } from '../../helper.ts'
import type { ClientResponse } from '../../incoming.ts'
import { CLIENT_ID, CLIENT_SECRET, CookieJar, followAtProvider, startIdentityProvider } from '../../oidc.ts'
import type { Field } from '../../wire.ts'

const ORIGIN = 'https://app.test'
const COOKIE = '__Host-headrace'
const PAGE: Field[] = [
  ['Accept', 'text/html'],
  ['Sec-Fetch-Mode', 'navigate'],
]

async function setUp(t: Test, route: Record<string, unknown> = {}) {
  const provider = await startIdentityProvider(t, ORIGIN)
  const access = {
    oidc: {
      staff: { issuer: provider.issuer, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, origin: ORIGIN },
    },
  }
  const before = await gatewayBefore(t, (exchange) => exchange.respond(), {
    route: { access: ['oidc:staff'], ...route },
    config: { access },
  })
  return { ...before, provider, access }
}

const cookiesOf = ({ fields }: ClientResponse): string[] =>
  fields.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value)

void test('logins are limited by address: each asks the identity provider', { timeout: PATIENCE }, async (t) => {
  const { gateway } = await setUp(t)
  const client = await gateway.client('h1')
  const statuses: (number | undefined)[] = []
  // It comes back at two a second: three times what passes at once is more than enough.
  for (let i = 0; i < 360 && !statuses.includes(429); i++) {
    statuses.push((await client.request({ path: '/oauth/login' })).status)
  }
  t.ok(statuses.length > 100, `${statuses.length} logins`)
  t.equal(statuses.at(-1), 429)
  t.equal((await client.request({ path: '/other', fields: PAGE })).status, 302, 'the routes have limits of their own')
})

everyProtocol('a browser logs in, is known, and logs out', async (t, protocol) => {
  const { gateway, upstream } = await setUp(t)
  const client = await gateway.client(protocol)
  const jar = new CookieJar()
  const visit = async (path: string, more: Field[] = PAGE): Promise<ClientResponse> => {
    const cookie: Field[] = jar.header === undefined ? [] : [['Cookie', `${jar.header}; theirs=1`]]
    const answer = await client.request({ path, fields: [...more, ...cookie] })
    jar.take(cookiesOf(answer))
    return answer
  }
  const away = await visit('/orders?page=2')
  t.equal(away.status, 302)
  t.equal(away.get('cache-control'), 'no-store')
  const callback = new URL(await followAtProvider(away.get('location') ?? '', new CookieJar()))
  const back = await visit(callback.pathname + callback.search)
  t.equal(back.status, 302)
  t.equal(back.get('location'), '/orders?page=2')
  t.equal(back.get('cache-control'), 'no-store')
  for (const field of cookiesOf(back)) t.match(field, /HttpOnly.*Secure.*SameSite=Lax/)
  t.equal((await visit('/orders?page=2')).status, 200)
  const [seen] = upstream.requests
  t.match(seen?.get('x-consumer-id'), /\|ada$/)
  t.equal(seen?.get('cookie'), 'theirs=1', "the gateway's own cookies go no further")

  isProblem(t, await visit('/oauth/logout', [['Sec-Fetch-Site', 'cross-site']]), 403)
  const copy = jar.header ?? ''
  const out = await visit('/oauth/logout')
  t.equal(out.status, 302)
  t.match(out.get('location'), /end_session|session\/end/)
  t.same(jar.names, [])
  isProblem(t, await client.request({ path: '/', fields: [['Cookie', copy]] }), 401)
  t.equal((await visit('/orders')).status, 302, 'a page leads to a new login')
  t.equal(upstream.requests.length, 1)
})

void test('programs are told 401, and a callback that nobody began 400', { timeout: PATIENCE }, async (t) => {
  const { gateway, upstream } = await setUp(t)
  const client = await gateway.client('h1')
  isProblem(t, await client.request({ path: '/api' }), 401)
  isProblem(t, await client.request({ path: '/api', method: 'POST', fields: PAGE }), 401)
  isProblem(t, await client.request({ path: '/oauth/callback?code=x&state=y' }), 400)
  isProblem(t, await client.request({ path: '/oauth/callback' }), 400)
  isProblem(t, await client.request({ path: '/api', fields: [['Cookie', `${COOKIE}=1~x.y.z`]] }), 401)
  t.equal(upstream.requests.length, 0)
})

void test('where anybody may come, nobody is made to log in, and a link leads there', {
  timeout: PATIENCE,
}, async (t) => {
  const { gateway } = await setUp(t, { access: ['oidc:staff', 'anonymous'] })
  const client = await gateway.client('h1')
  t.equal((await client.request({ path: '/', fields: PAGE })).status, 200)
  const login = await client.request({ path: '/oauth/login?to=//evil.test' })
  t.equal(login.status, 302)
  const jar = new CookieJar()
  jar.take(cookiesOf(login))
  const callback = new URL(await followAtProvider(login.get('location') ?? '', new CookieJar()))
  const back = await client.request({
    path: callback.pathname + callback.search,
    fields: [['Cookie', jar.header ?? '']],
  })
  t.equal(back.get('location'), '/')
})

void test('inside another application it has its pages too', { timeout: PATIENCE }, async (t) => {
  const { upstream, access } = await setUp(t)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(gatewayPlugin, {
    root: t.testdir(),
    access,
    upstreams: { origin: { targets: [upstream.origin] } },
    routes: { '/app/*': { to: 'origin', access: ['oidc:staff'] } },
  })
  const away = await app.inject({ url: '/app/', headers: { accept: 'text/html' } })
  t.equal(away.statusCode, 302)
  t.equal((await app.inject('/oauth/callback?state=x')).statusCode, 400)
  t.equal((await app.inject('/oauth/login')).statusCode, 302)
})
