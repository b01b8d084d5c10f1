import { hash } from 'node:crypto'
import { type Test, test } from 'tap'
import { OidcAuthenticator } from '../../../../services/access/oidc/authenticator.ts'
import { Login, type Redirect } from '../../../../services/access/oidc/login.ts'
import { oidcSchema, resolveOidc } from '../../../../services/access/oidc/options.ts'
import { Provider } from '../../../../services/access/oidc/provider.ts'
import { Seal } from '../../../../services/access/oidc/seal.ts'
import type { Session } from '../../../../services/access/oidc/session.ts'
import { setCookieOf, textOf } from '../../../../services/access/oidc/session-cookies.ts'
import { Sessions } from '../../../../services/access/oidc/sessions.ts'
import { SharedRenewals } from '../../../../services/access/oidc/shared-renewals.ts'
import type { Identity } from '../../../../services/downstream/identity.ts'
import { ANSWERED } from '../../../../services/gate/gate.ts'
import { httpServer } from '../../../cli/running.ts'
import { PATIENCE } from '../../../helper.ts'
import { CLIENT_ID, CLIENT_SECRET, CookieJar, followAtProvider, startIdentityProvider } from '../../../oidc.ts'
import { asked } from '../asked.ts'
import { settleOption } from '../settle-option.ts'

const ORIGIN = 'https://app.test'
const PAGE = { accept: 'text/html,*/*', 'sec-fetch-mode': 'navigate' }
const COOKIE = '__Host-headrace'

/** A login of the gateway's before a real identity provider. */
async function setUp(t: Test, input: Record<string, unknown> = {}, provided: Record<string, unknown> = {}) {
  const identityProvider = await startIdentityProvider(t, ORIGIN, provided)
  const options = resolveOidc(
    'staff',
    settleOption(oidcSchema, {
      issuer: identityProvider.issuer,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      scopes: ['openid', 'email'],
      claims: { groups: 'groups' },
      ...input,
    }),
    '/nowhere',
  )
  const clock = { now: Date.now() }
  const now = (): number => clock.now
  const failed: unknown[] = []
  const ended = new Set<string>()
  const seal = new Seal(['a secret that is 32 characters long', 'the one that was before it, as long'], {
    name: 'staff',
    now,
  })
  const provider = new Provider(options, now)
  const sessions = new Sessions(options, {
    provider,
    seal,
    now,
    consumerOf: () => undefined,
    isEnded: ({ id }) => ended.has(id),
    failed: (error) => failed.push(error),
    renewals: new SharedRenewals(),
    machines: null,
  })
  const login = new Login(options, {
    provider,
    sessions,
    seal,
    now,
    failed: (error) => failed.push(error),
    end: async ({ id }: Session) => {
      ended.add(id)
      sessions.forget()
    },
  })
  const authenticator = new OidcAuthenticator({ login, sessions, now }, false)
  return { identityProvider, login, sessions, authenticator, seal, clock, failed, ended }
}
type SetUp = Awaited<ReturnType<typeof setUp>>

/** What is set goes into a browser's jar. */
function keep(jar: CookieJar, { location, cookies }: Redirect): string {
  jar.take(cookies.map(setCookieOf))
  return location
}

const visit = (jar: CookieJar) => ({ origin: ORIGIN, header: jar.header })

/** Logs a browser in. @returns the callback that it came back by */
async function logIn({ login }: SetUp, jar: CookieJar, to = '/orders?page=2'): Promise<URL> {
  const callback = new URL(await followAtProvider(keep(jar, await login.begin(visit(jar), to)), new CookieJar()))
  t_equal(callback.origin + callback.pathname, `${ORIGIN}/oauth/callback`)
  keep(jar, await login.finish(visit(jar), callback.search))
  return callback
}

function t_equal(found: string, wanted: string): void {
  if (found !== wanted) throw new Error(`${found} is not ${wanted}`)
}

const request = (jar: CookieJar, fields: Record<string, string> = {}, method = 'GET') =>
  asked({ ...(jar.header === undefined ? {} : { cookie: jar.header }), ...fields }, { method })

const soon = { timeout: PATIENCE }

void test(
  'a browser without a session is sent to log in where it opens a page, and comes back to it',
  soon,
  async (t) => {
    const { login, authenticator } = await setUp(t)
    const jar = new CookieJar()
    const { exchange, reply } = asked(PAGE, { path: '/orders', query: '?page=2' })
    t.equal(await authenticator.authenticate(exchange), ANSWERED)
    t.equal(reply.answer?.status, 302)
    const fields = reply.answer?.fields ?? []
    const valuesOf = (name: string) => fields.filter((_, index) => index % 2 === 1 && fields[index - 1] === name)
    t.same(valuesOf('cache-control'), ['no-store'])
    const set = valuesOf('set-cookie')
    t.ok(set.every((field) => field.endsWith('; Path=/; HttpOnly; Secure; SameSite=Lax')))
    jar.take(set)
    const [location = ''] = valuesOf('location')
    const { searchParams } = new URL(location)
    t.match(Object.fromEntries(searchParams), {
      client_id: CLIENT_ID,
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: `${ORIGIN}/oauth/callback`,
      scope: 'openid email',
    })
    for (const name of ['state', 'nonce', 'code_challenge']) t.match(searchParams.get(name), /^[\w-]{43}$/, name)
    const callback = new URL(await followAtProvider(location, new CookieJar()))
    const redirect = await login.finish(visit(jar), callback.search)
    t.equal(redirect.location, '/orders?page=2')
    keep(jar, redirect)
    t.same(jar.names, [COOKIE], 'the cookie of the login is gone')
    // Words that chance does not write in a few thousand letters of Base64.
    t.notMatch(jar.header, /example|staff/, 'nothing can be read in it')

    const identity = await authenticator.authenticate(request(jar).exchange)
    t.match(identity, { id: /^http:\/\/127.*\|ada$/, scheme: 'oidc', groups: ['staff'], claims: { sub: 'ada' } })
    t.equal(authenticator.authenticate(request(jar).exchange), identity, 'at once, the second time')
  },
)

void test('what is no page is left to the next way, and is not redirected', soon, async (t) => {
  const { authenticator } = await setUp(t)
  const others: [fields: Record<string, string>, method?: string][] = [
    [{}],
    [{ accept: 'application/json' }],
    [{ accept: 'text/html', 'sec-fetch-mode': 'cors' }],
    [PAGE, 'POST'],
    [{ ...PAGE, authorization: 'Bearer x' }],
    [{ ...PAGE, upgrade: 'websocket' }],
  ]
  for (const [fields, method] of others) {
    t.equal(authenticator.authenticate(request(new CookieJar(), fields, method).exchange), undefined)
  }
})

void test('a callback counts only in the browser that began it, and once', soon, async (t) => {
  const all = await setUp(t)
  const { login } = all
  const [mine, theirs] = [new CookieJar(), new CookieJar()]
  const location = keep(mine, await login.begin(visit(mine), '/'))
  keep(theirs, await login.begin(visit(theirs), '/'))
  const callback = new URL(await followAtProvider(location, new CookieJar()))
  const refused = { code: 'HR_ACCESS_LOGIN_STATE', statusCode: 400 }
  await t.rejects(login.finish(visit(theirs), callback.search), refused, 'the state of another browser')
  await t.rejects(login.finish(visit(new CookieJar()), callback.search), refused)
  for (const query of ['', '?code=x', '?code=x&state=', '?state=a&state=b', '?code=x&state=__proto__']) {
    await t.rejects(login.finish(visit(mine), query), refused, query)
  }
  const before = mine.header
  keep(mine, await login.finish(visit(mine), callback.search))
  t.same(
    await login.finish(visit(mine), callback.search),
    { location: '/', cookies: [] },
    'played again, it is nothing',
  )
  // With the cookie of the login kept back, the provider sees that its code was used.
  await t.rejects(login.finish({ origin: ORIGIN, header: before }, callback.search), {
    code: 'HR_ACCESS_LOGIN_REFUSED',
    message: /invalid_grant/,
  })
})

void test('a page whose login does not count is sent on where another page has logged in', soon, async (t) => {
  const all = await setUp(t)
  const { login, clock, ended } = all
  const jar = new CookieJar()
  const callback = await logIn(all, jar)
  t.same(await login.finish(visit(jar), callback.search), { location: '/', cookies: [] })
  const session = await all.sessions.read(textOf(jar.header, COOKIE) ?? '')
  ended.add(session?.id ?? '')
  await t.rejects(login.finish(visit(jar), callback.search), { code: 'HR_ACCESS_LOGIN_STATE' }, 'it was ended')
  ended.clear()
  clock.now += 12 * 3_600_000
  await t.rejects(login.finish(visit(jar), callback.search), { code: 'HR_ACCESS_LOGIN_STATE' }, 'it is over')
})

void test('no login is begun where browsers keep no cookie of it', soon, async (t) => {
  const { login } = await setUp(t)
  const at = (origin: string) => login.begin({ origin, header: undefined }, '/')
  for (const origin of ['http://app.test', 'http://app.localhost.test', 'https://no host']) {
    await t.rejects(at(origin), { code: 'HR_ACCESS_LOGIN_INSECURE', statusCode: 400 })
  }
  for (const origin of ['http://localhost:3000', 'http://app.localhost', 'http://127.0.0.1:3000', 'http://[::1]']) {
    t.match((await at(origin)).location, /\/auth\?/)
  }
})

void test("a provider's no is told, and whatever stands in the callback is not repeated", soon, async (t) => {
  const { login, identityProvider } = await setUp(t)
  const jar = new CookieJar()
  const iss = encodeURIComponent(identityProvider.issuer)
  const state = new URL(keep(jar, await login.begin(visit(jar), '/'))).searchParams.get('state')
  await t.rejects(login.finish(visit(jar), `?error=access_denied&state=${state}&iss=${iss}`), {
    code: 'HR_ACCESS_LOGIN_REFUSED',
    statusCode: 403,
    message: /access_denied/,
  })
  await t.rejects(login.finish(visit(jar), `?error=%3Cscript%3E&state=${state}&iss=${iss}`), {
    message: /no reason that can be/,
  })
  await t.rejects(login.finish(visit(jar), `?code=x&state=${state}&iss=https://other.test`), {
    code: 'HR_ACCESS_LOGIN_REFUSED',
    message: /invalid_response/,
  })
})

void test('a login that took too long, or was tampered with, does not count', soon, async (t) => {
  const all = await setUp(t)
  const jar = new CookieJar()
  const callback = new URL(await followAtProvider(keep(jar, await all.login.begin(visit(jar), '/')), new CookieJar()))
  const [name = ''] = jar.names
  const value = jar.value(name) ?? ''
  const refused = { code: 'HR_ACCESS_LOGIN_STATE' }
  for (const changed of [value.slice(0, -1), `${value.slice(0, -1)}A`, value.replace(/^[^.]+/, 'e30'), 'x', '']) {
    if (changed === value) continue
    jar.set(name, changed)
    await t.rejects(all.login.finish(visit(jar), callback.search), refused)
  }
  jar.set(name, value)
  all.clock.now += 600_001
  await t.rejects(all.login.finish(visit(jar), callback.search), refused)
})

void test('it leads to paths of this origin only', soon, async (t) => {
  const all = await setUp(t)
  const elsewhere = ['https://evil.test/', '//evil.test/', '/\\evil.test', '\\evil', '/\t/evil', 'evil', '', undefined]
  for (const to of elsewhere) {
    const jar = new CookieJar()
    const url = keep(jar, await all.login.begin(visit(jar), to))
    const callback = new URL(await followAtProvider(url, new CookieJar()))
    t.equal((await all.login.finish(visit(jar), callback.search)).location, '/', String(to))
  }
})

void test(
  'a session that was tampered with, or is over, is none: pages log in again, others are told',
  soon,
  async (t) => {
    const all = await setUp(t, { lifetime: '1h' })
    const jar = new CookieJar()
    await logIn(all, jar)
    const value = jar.value(COOKIE) ?? ''
    const over = async (cookie: string): Promise<void> => {
      jar.set(COOKIE, cookie)
      const { exchange } = request(jar)
      t.match(await all.authenticator.authenticate(exchange), { code: 'HR_ACCESS_SESSION', statusCode: 401 })
      exchange.reply.head(401, [], 0)
      t.equal(await all.authenticator.authenticate(request(jar, PAGE).exchange), ANSWERED)
    }
    for (let at = 0; at < value.length; at += 97) {
      const changed = value[at] === 'A' ? 'B' : 'A'
      await over(value.slice(0, at) + changed + value.slice(at + 1))
    }
    for (const cookie of [value.slice(0, -4), value.slice(2), `9~${value.slice(2)}`, 'x', '1~', '~', value + value]) {
      await over(cookie)
    }
    // A sealed login is no session, and one of another gateway is none here.
    await over(
      `1~${await all.seal.seal({ id: 'x', claims: { sub: 'root' }, startedAt: 0, until: 9e15 }, 'login', 9e12)}`,
    )
    const strange = new Seal(['another secret, 32 characters long'], { name: 'staff', now: () => all.clock.now })
    await over(
      `1~${await strange.seal({ id: 'x', claims: { sub: 'root' }, startedAt: 0, until: 9e15 }, 'session', 9e12)}`,
    )
    jar.set(COOKIE, value)
    t.match(await all.authenticator.authenticate(request(jar).exchange), { scheme: 'oidc' })
    all.clock.now += 3_600_000
    await over(value)
  },
)

void test('a cookie of the secret before is read, and none of a removed one', soon, async (t) => {
  const now = (): number => 0
  const [old, next] = ['the old secret, 32 characters long!', 'the new secret, 32 characters long!']
  const text = await new Seal([old], { name: 'a', now }).seal({ ok: 1 }, 'session', 1e12)
  t.same(await new Seal([next, old], { name: 'a', now }).open(text, 'session'), { ok: 1 })
  t.equal(await new Seal([next], { name: 'a', now }).open(text, 'session'), undefined)
  t.equal(await new Seal([old], { name: 'b', now }).open(text, 'session'), undefined, 'of another login')
  t.equal(await new Seal([old], { name: 'a', now }).open(text, 'login'), undefined, 'for something else')
})

void test(
  'tokens are refreshed once for all who come with the same cookie, who then get the new one',
  soon,
  async (t) => {
    const all = await setUp(t, { sendToken: true }, { ttl: { AccessToken: 300 } })
    const jar = new CookieJar()
    await logIn(all, jar)
    const tokenOf = async (): Promise<string> => {
      const { exchange } = request(jar)
      const identity = await all.authenticator.authenticate(exchange)
      exchange.identity = identity as never
      all.authenticator.conceal(exchange)
      t.notMatch(exchange.fields.kept.join(), COOKIE, 'its cookies go no further')
      const token = exchange.fields.kept[exchange.fields.kept.indexOf('authorization') + 1] as string
      t.equal(exchange.fields.authorization, token, 'and a cache sees that the request has one')
      return token
    }
    const before = await tokenOf()
    t.match(before, /^Bearer /)
    all.clock.now += 295_000
    const many = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const { exchange, reply } = request(jar)
        t.match(await all.authenticator.authenticate(exchange), { id: /ada$/ })
        exchange.reply.head(200, [], 0)
        return reply.answer?.fields ?? []
      }),
    )
    t.equal(all.sessions.refreshes, 1)
    const cookies = many.map((fields) => fields[fields.indexOf('set-cookie') + 1])
    t.equal(new Set(cookies).size, 1)
    t.match(cookies[0], /^__Host-headrace=\d~/)
    const old = jar.header
    jar.take(many[0]?.filter((_, index, fields) => fields[index - 1] === 'set-cookie') ?? [])
    t.not(jar.header, old)
    t.not(await tokenOf(), before)
    t.equal(all.sessions.refreshes, 1)
  },
)

void test(
  'where the provider says no to a refresh, the session is over; where it is away, it is not',
  soon,
  async (t) => {
    const all = await setUp(t, {}, { ttl: { AccessToken: 300 } })
    const jar = new CookieJar()
    await logIn(all, jar)
    const other = new CookieJar()
    await logIn(all, other)
    all.clock.now += 295_000
    all.identityProvider.broken = true
    t.match(await all.authenticator.authenticate(request(jar).exchange), {
      code: 'HR_ACCESS_PROVIDER_AWAY',
      statusCode: 503,
      fields: ['retry-after', '5'],
    })
    t.equal(all.failed.length, 1)
    all.identityProvider.broken = false
    t.match(await all.authenticator.authenticate(request(jar).exchange), { scheme: 'oidc' })
    // A refresh token that was used is one that was stolen, to the provider: all of its kind are dead.
    all.sessions.forget()
    t.match(await all.authenticator.authenticate(request(jar).exchange), { code: 'HR_ACCESS_SESSION' })
    t.match(await all.authenticator.authenticate(request(other).exchange), { scheme: 'oidc' })
  },
)

void test('a logout ends the session here, for every copy of its cookie, and at the provider', soon, async (t) => {
  const all = await setUp(t)
  const jar = new CookieJar()
  await logIn(all, jar)
  const copy = jar.header ?? ''
  t.match(await all.authenticator.authenticate(request(jar).exchange), { scheme: 'oidc' })
  const url = new URL(keep(jar, await all.login.end(visit(jar))))
  t.equal(url.origin, all.identityProvider.issuer)
  t.equal(url.searchParams.get('post_logout_redirect_uri'), `${ORIGIN}/`)
  t.ok(url.searchParams.get('id_token_hint'))
  t.same(jar.names, [])
  t.match(await all.authenticator.authenticate(asked({ cookie: copy }).exchange), { code: 'HR_ACCESS_SESSION' })
  const asWas = await all.login.end({ origin: ORIGIN, header: undefined })
  t.same(asWas, { location: '/', cookies: [] }, 'who has no session is sent on')
})

void test('a session too large for a cookie is in several, and one too large for these is refused', soon, async (t) => {
  const large = (size: number) => ({
    findAccount: (_: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({ sub, groups: Array.from({ length: size }, (_unused, index) => `group-${index}`) }),
    }),
  })
  const all = await setUp(t, {}, large(250))
  const jar = new CookieJar()
  await logIn(all, jar)
  t.same(jar.names, [COOKIE, `${COOKIE}.1`, `${COOKIE}.2`])
  const identity = await all.authenticator.authenticate(request(jar).exchange)
  t.equal((identity as Identity).groups.length, 250)
  jar.set(`${COOKIE}.1`, 'x')
  t.match(await all.authenticator.authenticate(request(jar).exchange), { code: 'HR_ACCESS_SESSION' })
  const huge = await setUp(t, {}, large(2_000))
  await t.rejects(logIn(huge, new CookieJar()), { code: 'HR_ACCESS_SESSION_SIZE' })
})

void test('a session does not act for pages of other sites', soon, async (t) => {
  const all = await setUp(t)
  const jar = new CookieJar()
  await logIn(all, jar)
  const { exchange } = request(jar, { 'sec-fetch-site': 'cross-site' }, 'POST')
  t.match(all.authenticator.authenticate(exchange), { code: 'HR_ACCESS_CROSS_SITE', statusCode: 403 })
})

void test('many logins that were begun and left do not fill a browser with cookies', soon, async (t) => {
  const { login } = await setUp(t)
  const jar = new CookieJar()
  for (let page = 0; page < 12; page++) keep(jar, await login.begin(visit(jar), '/'))
  t.ok(jar.names.length <= 5, String(jar.names.length))
})

void test('where the provider is away, it is told so and asked again', soon, async (t) => {
  const { login, identityProvider, authenticator, failed, clock } = await setUp(t)
  identityProvider.broken = true
  const jar = new CookieJar()
  await t.rejects(login.begin(visit(jar), '/'), {
    code: 'HR_ACCESS_PROVIDER_AWAY',
    statusCode: 503,
    fields: ['retry-after', '5'],
  })
  t.match(await authenticator.authenticate(asked(PAGE).exchange), { code: 'HR_ACCESS_PROVIDER_AWAY' })
  t.equal(identityProvider.requests.length, 1, 'not for each who comes')
  t.equal(failed.length, 2)
  identityProvider.broken = false
  clock.now += 1_000
  t.equal(await authenticator.authenticate(asked(PAGE).exchange), ANSWERED)
})

void test('what a provider says of itself is kept only when it is whole', soon, async (t) => {
  let metadata: Record<string, string> = {}
  const issuer = await httpServer(t, (_request, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ issuer, ...metadata }))
  })
  const whole = {
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
  }
  const options = resolveOidc('staff', settleOption(oidcSchema, { issuer, clientId: CLIENT_ID }), '/nowhere')
  const clock = { now: 0 }
  const provider = new Provider(options, () => clock.now)
  const begun = { state: 's', nonce: 'n', verifier: 'v', to: '/' }
  for (const name of Object.keys(whole)) {
    metadata = { ...whole }
    delete metadata[name]
    await t.rejects(provider.loginUrl(begun, ORIGIN), { code: 'HR_ACCESS_PROVIDER_METADATA' }, name)
    clock.now += 1_000
  }
  metadata = whole
  t.equal((await provider.loginUrl(begun, ORIGIN)).pathname, '/auth')
})

void test('no secret is in what is told of failures', soon, async (t) => {
  const { login, identityProvider, failed } = await setUp(t)
  const jar = new CookieJar()
  const callback = new URL(await followAtProvider(keep(jar, await login.begin(visit(jar), '/')), new CookieJar()))
  identityProvider.broken = true
  const error = await login.finish(visit(jar), callback.search).catch((thrown: Error) => thrown)
  const code = callback.searchParams.get('code') ?? 'none'
  t.notMatch(String((error as Error).message), code)
  t.notMatch(failed.map((one) => String((one as Error).message)).join(), new RegExp(`${code}|${CLIENT_SECRET}`))
  t.equal(hash('sha256', code).length, 64)
})
