import cookie from '@fastify/cookie'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, request as open } from 'node:http'
import { connect } from 'node:http2'
import { text } from 'node:stream/consumers'
import { createGunzip, gzipSync } from 'node:zlib'
import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import access from '../../plugins/access.ts'
import errors from '../../plugins/errors.ts'
import logins from '../../plugins/logins.ts'
import loginRoutes from '../../routes/logins.ts'
import { Seal } from '../../services/access/oidc/seal.ts'
import { cookiesOf, textOf } from '../../services/access/oidc/session-cookies.ts'
import type { Session } from '../../services/access/oidc/session.ts'
import { OwnPaths } from '../../services/lane/own-paths.ts'
import { hashPassword } from '../../services/access/basic/password.ts'
import { httpServer } from '../cli/running.ts'
import { CLIENT_ID, CLIENT_SECRET, CookieJar, followAtProvider, startIdentityProvider } from '../oidc.ts'
import { keyFor } from '../services/access/given.ts'
import { signatureFields } from '../services/access/signing.ts'
import { AUDIENCE, ISSUER, signerOf } from '../tokens.ts'

const secret = 'a secret that is long enough'

async function application(
  t: Test,
  settings: object,
  routes: (app: FastifyInstance) => void,
): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(access, { settings, root: t.testdir() })
  routes(app)
  return app
}

void test('alone in an application, it guards the routes that say so, and says who calls', async (t) => {
  const { key, entry } = keyFor()
  const consumers = { acme: { keys: [entry], groups: ['partners'], scopes: ['read'] } }
  const app = await application(t, { consumers }, (on) => {
    on.get('/open', async () => 'open')
    on.get('/orders', { config: { access: ['key'] } }, async ({ identity }) => identity?.id)
    on.get('/some', { config: { access: ['key', 'anonymous'] } }, async ({ identity }) => identity?.id ?? 'nobody')
    on.get('/admins', { config: { access: { by: ['key'], groups: ['admins'] } } }, async () => 'in')
    on.get('/far', { config: { access: { addresses: { allow: ['192.0.2.0/24'] } } } }, async () => 'in')
  })
  const get = async (url: string, given?: string) =>
    await app.inject({ url, headers: given === undefined ? {} : { 'x-api-key': given } })
  t.equal((await get('/open')).body, 'open')
  const refused = await get('/orders')
  t.equal(refused.statusCode, 401)
  t.match(refused.json(), { code: 'HR_ACCESS_REQUIRED' })
  t.equal(refused.headers['www-authenticate'], 'ApiKey realm="headrace", header="x-api-key"')
  t.match((await get('/orders', `${key}x`)).json(), { code: 'HR_ACCESS_INVALID', statusCode: 401 })
  t.equal((await get('/orders', key)).body, 'acme')
  t.equal((await app.inject({ method: 'HEAD', url: '/orders' })).statusCode, 401, 'what Fastify adds is guarded, too')
  t.equal((await get('/some')).body, 'nobody')
  t.equal((await get('/some', key)).body, 'acme')
  t.match((await get('/admins', key)).json(), { code: 'HR_ACCESS_FORBIDDEN', statusCode: 403 })
  t.match((await get('/far')).json(), { code: 'HR_ACCESS_ADDRESS', statusCode: 403 })
  const far = await app.inject({ url: '/far', remoteAddress: '192.0.2.7' })
  t.equal(far.body, 'in')
  const { allowed, denied } = app.access.counters.counts()
  t.match(allowed, [{ scheme: 'key', count: 2 }])
  t.equal(
    denied.reduce((sum, { count }) => sum + count, 0),
    5,
  )
  await app.access.revocations.revoke([{ kind: 'key', name: entry.id, at: Date.now(), until: Date.now() + 1e9 }])
  t.equal((await get('/orders', key)).statusCode, 401)
})

void test('passwords, tokens and signed requests with their bodies do as well', async (t) => {
  const signer = await signerOf('ES256', 'es')
  const settings = {
    consumers: { acme: { password: await hashPassword('right'), secrets: [{ id: 'acme-1', secret }] } },
    jwt: { main: { issuer: ISSUER, audience: AUDIENCE, jwks: { keys: [signer.jwk] } } },
  }
  const app = await application(t, settings, (on) => {
    const config = { access: ['hmac', 'jwt:main', 'basic'] }
    on.route({
      method: ['GET', 'POST'],
      url: '/',
      config,
      handler: async ({ identity, body }) => ({ id: identity?.id, body }),
    })
  })
  const basic = (password: string) => ({ authorization: `Basic ${btoa(`acme:${password}`)}` })
  t.match((await app.inject({ url: '/', headers: basic('right') })).json(), { id: 'acme' })
  const wrong = await app.inject({ url: '/', headers: basic('wrong') })
  t.equal(wrong.statusCode, 401)
  t.equal([wrong.headers['www-authenticate']].flat().length, 3, 'one for each way')
  const token = await signer.sign({ exp: Math.floor(Date.now() / 1000) + 600 })
  t.match((await app.inject({ url: '/', headers: { authorization: `Bearer ${token}` } })).json(), {
    id: `${ISSUER}|ada`,
  })

  const body = JSON.stringify({ amount: 7 })
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
  const signed = (nonce: string) =>
    Object.fromEntries(
      signatureFields({ keyid: 'acme-1', secret, authority: 'localhost', path: '/', method: 'POST', nonce, digest }),
    )
  const post = async (nonce: string, payload: string) =>
    await app.inject({
      method: 'POST',
      url: '/',
      payload,
      headers: { 'content-type': 'application/json', 'content-digest': digest, ...signed(nonce) },
    })
  t.same((await post('1', body)).json(), { id: 'acme', body: { amount: 7 } }, 'the handler gets what was compared')
  t.match((await post('1', body)).json(), { code: 'HR_ACCESS_REPLAYED' })
  t.match((await post('2', body.replace('7', '9'))).json(), { code: 'HR_ACCESS_INVALID' })
})

void test('over HTTP/2 too, where a body needs no field to be there', async (t) => {
  const app = Fastify({ http2: true })
  t.teardown(() => app.close())
  await app.register(access, {
    settings: { consumers: { acme: { secrets: [{ id: 'acme-1', secret }] } } },
    root: t.testdir(),
  })
  app.post('/', { config: { access: ['hmac'] } }, async ({ identity }) => identity?.id)
  const client = connect(await app.listen({ port: 0, host: '127.0.0.1' }))
  t.teardown(() => client.destroy())
  const post = async (nonce: string, body: string | null): Promise<number> => {
    const signed = signatureFields({ keyid: 'acme-1', secret, authority: 'a.test', path: '/', method: 'POST', nonce })
    const head = { ':method': 'POST', ':authority': 'a.test', ...Object.fromEntries(signed) }
    const stream = client.request(head, { endStream: body === null })
    if (body !== null) stream.end(body)
    const [headers] = (await once(stream, 'response')) as [{ ':status': number }]
    stream.resume()
    return headers[':status']
  }
  t.equal(await post('1', null), 200)
  t.equal(await post('2', 'a body that nobody has signed'), 401)
})

void test('a client that asks before it sends is told to go on, and what it signed is compared', async (t) => {
  const app = await application(t, { consumers: { acme: { secrets: [{ id: 'acme-1', secret }] } } }, (on) => {
    on.post('/', { config: { access: ['hmac'] } }, async ({ body }) => body)
  })
  const body = 'signed'
  const digest = `sha-256=:${createHash('sha256').update(body).digest('base64')}:`
  const signed = signatureFields({ keyid: 'acme-1', secret, authority: 'a.test', path: '/', method: 'POST', digest })
  const request = open(await app.listen({ port: 0, host: '127.0.0.1' }), {
    method: 'POST',
    headers: {
      ...Object.fromEntries(signed),
      host: 'a.test',
      expect: '100-continue',
      'content-digest': digest,
      'content-type': 'text/plain',
      'content-length': body.length,
    },
  })
  const answered = once(request, 'response') as Promise<[IncomingMessage]>
  request.flushHeaders()
  await once(request, 'continue')
  request.end(body)
  const [answer] = await answered
  t.equal(answer.statusCode, 200)
  t.equal(await text(answer), body)
})

void test('what hooks of the application make of a body is what its guarded routes get', async (t) => {
  const { key, entry } = keyFor()
  const app = await application(t, { consumers: { acme: { keys: [entry] } } }, (on) => {
    on.addHook('preParsing', async ({ headers }, _, payload) => {
      delete headers['content-length']
      return payload.pipe(createGunzip())
    })
    on.post('/', { config: { access: ['key'] } }, async ({ body }) => body)
  })
  const headers = { 'x-api-key': key, 'content-type': 'text/plain' }
  const answer = await app.inject({ method: 'POST', url: '/', headers, payload: gzipSync('as it was') })
  t.equal(answer.body, 'as it was')
})

void test('with the problems of the gateway a refusal is one of them', async (t) => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(errors, { own: new OwnPaths(), docs: '/docs' })
  await app.register(access, { settings: {}, root: t.testdir() })
  app.get('/', { config: { access: ['key'] } }, async () => 'in')
  const answer = await app.inject('/')
  t.match(answer.headers, { 'content-type': /^application\/problem\+json/, 'www-authenticate': /^ApiKey / })
  t.match(answer.json(), { status: 401, code: 'HR_ACCESS_REQUIRED' })
})

void test('what is no option, or takes a gateway, stops the start, and says which', async (t) => {
  const wrong: [settings: object, config: unknown, code: string][] = [
    [{ keys: { header: 'not a field' } }, ['key'], 'HR_ACCESS_OPTION'],
    [{ identity: {} }, ['key'], 'HR_ACCESS_OPTION'],
    [{ forward: { sso: { url: 'no URL' } } }, ['key'], 'HR_ACCESS_OPTION'],
    [{ oidc: { staff: { issuer: 'http://id.example.com', clientId: 'app' } } }, ['key'], 'HR_ACCESS_OPTION'],
    // A browser takes it for its own machine, a gateway may ask a name server.
    [{ oidc: { staff: { issuer: 'http://id.localhost', clientId: 'app' } } }, ['key'], 'HR_ACCESS_OPTION'],
    [{ oidc: { staff: { issuer: ISSUER, clientId: 'app', sendToken: true } } }, ['key'], 'HR_ACCESS_OPTION'],
    [{ oidc: { staff: { issuer: ISSUER, clientId: 'app', origin: 'http://app.test' } } }, ['key'], 'HR_ACCESS_OPTION'],
    [{ jwt: { main: { issuer: ISSUER, audience: AUDIENCE, jwks: {} } } }, ['key'], 'HR_ACCESS_OPTION'],
    [{}, ['token'], 'HR_ACCESS_OPTION'],
    [{}, { by: ['key'], who: 'me' }, 'HR_ACCESS_OPTION'],
    [{}, ['oidc:staff'], 'HR_ACCESS_WAY'],
    [{}, ['forward:sso'], 'HR_ACCESS_WAY'],
    // Whoever writes these wants a guard, and would have none.
    [{}, [], 'HR_ACCESS_OPTION'],
    [{}, {}, 'HR_ACCESS_OPTION'],
    [{}, { groups: ['admins'] }, 'HR_ACCESS_OPTION'],
    [{}, { deny: [{ methods: ['DELETE'] }] }, 'HR_ACCESS_OPTION'],
    [{}, { by: ['key', 'anonymous'], scopes: ['read'] }, 'HR_ACCESS_OPTION'],
    [{}, ['jwt:main'], 'HR_ACCESS_WAY'],
    [{ consumersFile: 'none.yaml' }, ['key'], 'HR_ACCESS_CONSUMERS_FILE'],
  ]
  for (const [settings, config, code] of wrong) {
    const start = application(t, settings, (app) => {
      app.get('/', { config: { access: config as string[] } }, async () => 'in')
    })
    await t.rejects(start, { code }, JSON.stringify([settings, config]))
  }
})

void test('another service decides, and its no is what the client gets', async (t) => {
  const asked: string[] = []
  const url = await httpServer(t, ({ headers }, response) => {
    const given = String(headers.authorization)
    asked.push(`${String(headers['x-forwarded-method'])} ${String(headers['x-forwarded-uri'])} ${given}`)
    if (given === 'Bearer right') response.writeHead(200, { 'x-user': 'ada', 'x-mail': 'ada@example.com' }).end()
    else if (given === 'Bearer wrong') response.writeHead(403, { 'content-type': 'text/plain' }).end('not you')
    else if (given === 'Bearer broken') response.writeHead(500).end()
    else response.writeHead(302, { location: 'https://id.test/login', 'set-cookie': 'state=1' }).end()
  })
  const settings = { forward: { sso: { url, copy: ['x-mail'], identity: { caller: 'x-user' } } } }
  let handled = 0
  const app = await application(t, settings, (on) => {
    on.get('/orders', { config: { access: ['forward:sso'] } }, async ({ identity }) => {
      handled++
      return { id: identity?.id, mail: identity?.claims['x-mail'] }
    })
  })
  const get = async (token?: string, method: 'GET' | 'HEAD' = 'GET') =>
    await app.inject({
      method,
      url: '/orders?page=2',
      headers: { 'x-mail': 'forged', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    })
  t.same((await get('right')).json(), { id: 'sso|ada', mail: 'ada@example.com' })
  t.equal(asked[0], 'GET /orders?page=2 Bearer right')
  const refused = await get('wrong')
  t.match(refused, { statusCode: 403, body: 'not you', headers: { 'content-type': 'text/plain' } })
  t.match(await get('wrong', 'HEAD'), { statusCode: 403, body: '' })
  t.match(await get(), { statusCode: 302, headers: { location: 'https://id.test/login', 'set-cookie': 'state=1' } })
  t.match(await get('broken'), { statusCode: 503, headers: { 'retry-after': '5' } })
  t.equal(handled, 1, 'nobody else got there')
  const denied = app.access.counters.counts().denied.map(({ code, count }) => [code, count])
  t.same(denied, [
    ['HR_ACCESS_FORWARD_REFUSED', 2],
    ['HR_ACCESS_FORWARD_AWAY', 1],
  ])
})

void test('a browser logs in at an application, is known, and logs out', async (t) => {
  const origin = 'https://app.test'
  const provider = await startIdentityProvider(t, origin)
  const staff = {
    issuer: provider.issuer,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    origin,
    insecure: true,
    cookieSecrets: [secret.repeat(2)],
  }
  const app = await application(t, { oidc: { staff } }, (on) => {
    on.get('/orders', { config: { access: ['oidc:staff'] } }, async ({ identity }) => identity?.id)
  })
  await app.register(cookie)
  await app.register(logins, { logins: app.access.providers.browserLogins })
  await app.register(loginRoutes)
  const jar = new CookieJar()
  const visit = async (url: string) => {
    const answer = await app.inject({
      url,
      headers: { 'sec-fetch-mode': 'navigate', ...(jar.header !== undefined && { cookie: jar.header }) },
    })
    jar.take([answer.headers['set-cookie'] ?? []].flat())
    return answer
  }
  t.equal((await app.inject('/orders')).statusCode, 401, 'a program is not sent to a login')
  const away = await visit('/orders?page=2')
  t.match(away, { statusCode: 302, headers: { 'cache-control': 'no-store' } })
  const callback = new URL(await followAtProvider(String(away.headers.location), new CookieJar()))
  const back = await visit(callback.pathname + callback.search)
  t.match(back, { statusCode: 302, headers: { location: '/orders?page=2' } })
  t.match((await visit('/orders')).body, /\|ada$/)

  const seal = new Seal([secret.repeat(2)], { name: 'staff', now: Date.now })
  const session = (await seal.open(textOf(jar.header, '__Host-headrace') ?? '', 'session')) as Session
  const due = await seal.seal({ ...session, refreshAt: 1 }, 'session', session.until)
  for (const { name, value } of cookiesOf(due, { name: '__Host-headrace', maxAgeS: 60, header: undefined }) ?? []) {
    jar.set(name, value)
  }
  const refreshed = await visit('/orders')
  t.equal(refreshed.statusCode, 200)
  t.ok(refreshed.headers['set-cookie'], 'who passes gets the cookies of a session that was refreshed')
  t.match((await visit('/orders')).body, /\|ada$/)

  t.match((await visit('/oauth/logout')).headers.location, /session\/end/)
  t.same(jar.names, [])
  t.equal((await visit('/orders')).statusCode, 302)
})
