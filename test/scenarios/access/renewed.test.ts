import { type Test, test } from 'tap'
import { request } from 'undici'
import { Seal } from '../../../services/access/oidc/seal.ts'
import type { Session } from '../../../services/access/oidc/session.ts'
import { cookiesOf, textOf } from '../../../services/access/oidc/session-cookies.ts'
import { PATIENCE } from '../../helper.ts'
import { CLIENT_ID, CLIENT_SECRET, CookieJar, followAtProvider, startIdentityProvider } from '../../oidc.ts'
import { noRedis, startRedis } from '../../redis-server.ts'
import { type Machine, machine } from './machines.ts'

const ORIGIN = 'https://app.test'
const COOKIE = '__Host-headrace'
const SECRET = 'a secret that is 32 characters long'
const seal = new Seal([SECRET], { name: 'staff', now: Date.now })

interface Answer {
  status: number
  location: string
  jar: CookieJar
}

async function visit({ gateway }: Machine, path: string, jar: CookieJar): Promise<Answer> {
  const { statusCode, headers, body } = await request(`http://127.0.0.1:${gateway.ports.cleartext}${path}`, {
    headers: {
      accept: 'text/html',
      'sec-fetch-mode': 'navigate',
      ...(jar.header === undefined ? {} : { cookie: jar.header }),
    },
  })
  await body.dump()
  const own = new CookieJar()
  own.take([headers['set-cookie'] ?? []].flat())
  return { status: statusCode, location: String(headers.location ?? ''), jar: own }
}

async function sessionIn(jar: CookieJar): Promise<Session> {
  return (await seal.open(textOf(jar.header, COOKIE) ?? '', 'session')) as Session
}

/** The cookies of a session whose access token has ended. */
async function due(session: Session): Promise<CookieJar> {
  const text = await seal.seal({ ...session, refreshAt: Date.now() - 1 }, 'session', session.until)
  const jar = new CookieJar()
  for (const { name, value } of cookiesOf(text, { name: COOKIE, maxAgeS: 60, header: undefined }) ?? []) {
    jar.set(name, value)
  }
  return jar
}

/** Two machines with one login and one Redis; `tokens` says how often they have asked the provider for some. */
async function twoMachines(t: Test): Promise<{ one: Machine; other: Machine; issuer: string; tokens: () => number }> {
  const redis = await startRedis(t)
  const { issuer, requests } = await startIdentityProvider(t, ORIGIN)
  const staff = { issuer, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, origin: ORIGIN, cookieSecrets: [SECRET] }
  const config = {
    access: { oidc: { staff } },
    routes: { '/*': { answer: { body: 'in' }, access: ['oidc:staff'] } },
    redis: { url: redis.url },
  }
  const tokens = (): number => requests.filter((path) => path === '/token').length
  return { one: await machine(t, config), other: await machine(t, config), issuer, tokens }
}

void test('machines refresh a session once, where a token that comes twice would end it', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const { one, other, tokens } = await twoMachines(t)
  const away = await visit(one, '/', new CookieJar())
  const callback = new URL(await followAtProvider(away.location, new CookieJar()))
  const { jar } = await visit(one, callback.pathname + callback.search, away.jar)
  t.equal(tokens(), 1)

  const before = await due(await sessionIn(jar))
  const answers = await Promise.all([one, other, one, other, one, other].map((at) => visit(at, '/', before)))
  t.same(
    answers.map(({ status }) => status),
    Array(6).fill(200),
  )
  t.equal(tokens(), 2, 'one refresh')
  const late = await visit(other, '/', before)
  t.equal(late.status, 200, 'and what was on its way with the cookie from before gets the same')
  t.equal(tokens(), 2)

  const sessions = await Promise.all([...answers, late].map((answer) => sessionIn(answer.jar)))
  t.equal(new Set(sessions.map(({ refreshToken }) => refreshToken)).size, 1)
  const next = await visit(other, '/', await due(sessions[0] as Session))
  t.equal(next.status, 200, 'the provider has taken nothing for stolen')
  t.equal(tokens(), 3)
})

void test('that a provider says no, machines tell each other as well', {
  skip: noRedis,
  timeout: PATIENCE,
}, async (t) => {
  const { one, other, issuer, tokens } = await twoMachines(t)
  const now = Date.now()
  const stolen = await due({
    id: 'one',
    claims: { iss: issuer, sub: 'ada' },
    idToken: null,
    accessToken: null,
    refreshToken: 'none of its',
    refreshAt: now,
    startedAt: now,
    until: now + 3_600_000,
  })
  const answers = await Promise.all([one, other].map((at) => visit(at, '/', stolen)))
  t.same(
    answers.map(({ status }) => status),
    [302, 302],
    'to a new login',
  )
  t.equal(tokens(), 1)
})
