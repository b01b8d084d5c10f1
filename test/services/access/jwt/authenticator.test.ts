import { test } from 'tap'
import { JwtAuthenticator } from '../../../../services/access/jwt/authenticator.ts'
import { FileKeys } from '../../../../services/access/jwt/file-keys.ts'
import { Issuer } from '../../../../services/access/jwt/issuer.ts'
import type { JwtOptions } from '../../../../services/access/jwt/options.ts'
import { jwtOptions, keySetOf, NOW_MS, signerOf } from '../../../tokens.ts'
import { asked } from '../asked.ts'

const signer = await signerOf('ES256', 'es')
const token = await signer.sign()

function issuer(options: Partial<JwtOptions> = {}): Issuer {
  const keys = new FileKeys({ from: { text: keySetOf(signer) }, failed: () => undefined })
  const parts = { keys, now: () => NOW_MS, consumerOf: () => undefined, isRevoked: () => false }
  return new Issuer(jwtOptions(options), parts)
}

const authenticatorOf = (...issuers: Issuer[]): JwtAuthenticator => new JwtAuthenticator(issuers, 'orders')

void test('a bearer token is taken, in any case of its scheme; the second time at once', async (t) => {
  const authenticator = authenticatorOf(issuer())
  t.equal(authenticator.challenge, 'Bearer realm="orders"')
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer ']) {
    const { exchange } = asked({ authorization: `${scheme} ${token}` })
    t.match(await authenticator.authenticate(exchange), { scheme: 'jwt' })
  }
  t.notOk(authenticator.authenticate(asked({ authorization: `Bearer ${token}` }).exchange) instanceof Promise)
})

void test('what is no bearer token is left to the next way', async (t) => {
  const authenticator = authenticatorOf(issuer())
  for (const authorization of ['Basic YTpi', 'Bear', 'BearerX y', `Bearers ${token}`, token]) {
    t.equal(authenticator.authenticate(asked({ authorization }).exchange), undefined, authorization)
  }
  t.equal(authenticator.authenticate(asked().exchange), undefined)
  t.equal(authenticator.authenticate(asked({ cookie: `token=${token}` }).exchange), undefined)
})

void test('an empty, truncated, oversized or odd token is refused, and goes to no other way', async (t) => {
  const authenticator = authenticatorOf(issuer({ maxTokenBytes: 1_000 }))
  for (const odd of ['', 'x', '.', '..', '...', 'a.b.c', token.slice(0, -10), `${token} x`, 'é.ü.ß', '\u0000']) {
    const judged = await authenticator.authenticate(asked({ authorization: `Bearer ${odd}` }).exchange)
    t.match(judged, { code: 'HR_ACCESS_TOKEN_INVALID', statusCode: 401 }, odd)
  }
  const long = `Bearer ${token}${'A'.repeat(1_000)}`
  t.match(authenticator.authenticate(asked({ authorization: long }).exchange), {
    code: 'HR_ACCESS_TOKEN_SIZE',
    statusCode: 400,
  })
})

void test('two tokens are one too many', async (t) => {
  const authenticator = authenticatorOf(issuer({ cookie: 'token' }))
  const bearer = `Bearer ${token}`
  const twice = asked({ authorization: [bearer, bearer] }).exchange
  t.match(authenticator.authenticate(twice), { code: 'HR_ACCESS_AMBIGUOUS', statusCode: 400 })
  for (const authorization of [
    [bearer, 'Basic YTpi'],
    ['Basic YTpi', bearer],
  ]) {
    const mixed = asked({ authorization }).exchange
    t.match(await authenticator.authenticate(mixed), { code: 'HR_ACCESS_AMBIGUOUS', statusCode: 400 })
  }
  const both = asked({ authorization: bearer, cookie: 'token=other' }).exchange
  t.match(authenticator.authenticate(both), { code: 'HR_ACCESS_AMBIGUOUS' })
  // A page of another subdomain may add a cookie, for the parent domain, and have it stand first.
  for (const cookie of [`token=other; token=${token}`, `token=${token}; a=b; token=other`]) {
    t.match(await authenticator.authenticate(asked({ cookie }).exchange), { code: 'HR_ACCESS_AMBIGUOUS' }, cookie)
  }
  const same = asked({ cookie: `token=${token}; token=${token}` }).exchange
  t.match(await authenticator.authenticate(same), { scheme: 'jwt' })
})

void test('a token in the query is refused, even where there is another', async (t) => {
  const authenticator = authenticatorOf(issuer())
  for (const query of [`?access_token=${token}`, `?a=b&ACCESS_TOKEN=x`]) {
    const { exchange } = asked({ authorization: `Bearer ${token}` }, { query })
    t.match(authenticator.authenticate(exchange), { code: 'HR_ACCESS_TOKEN_QUERY', statusCode: 400 })
  }
  const { exchange } = asked({ authorization: `Bearer ${token}` }, { query: '?my_access_token=x' })
  t.match(await authenticator.authenticate(exchange), { scheme: 'jwt' })
})

void test('a cookie counts where it is configured, and not for pages of other sites', async (t) => {
  const authenticator = authenticatorOf(issuer({ cookie: 'token' }))
  const cookie = `a=b; token=${token}; c=d`
  const from = async (fields: Record<string, string>, method = 'POST') =>
    await authenticator.authenticate(asked({ cookie, ...fields }, { method }).exchange)
  t.match(await from({}, 'GET'), { scheme: 'jwt' })
  t.match(await from({ 'sec-fetch-site': 'cross-site' }, 'GET'), { scheme: 'jwt' })
  t.match(await from({ 'sec-fetch-site': 'same-origin' }), { scheme: 'jwt' })
  t.match(await from({ origin: 'https://app.test' }), { scheme: 'jwt' })
  const refusal = { code: 'HR_ACCESS_CROSS_SITE', statusCode: 403 }
  t.match(await from({ 'sec-fetch-site': 'cross-site' }), refusal)
  t.match(await from({ 'sec-fetch-site': 'same-site' }), refusal)
  t.match(await from({ origin: 'https://evil.test' }), refusal)
  t.match(await from({ origin: 'null' }, 'DELETE'), refusal)
  t.match(await from({ upgrade: 'websocket', origin: 'https://evil.test' }, 'GET'), refusal)
})

void test('of several issuers the one that a token names judges it; a token of none is refused', async (t) => {
  const [first, second] = [issuer({ issuers: ['https://other.test/'] }), issuer()]
  const authenticator = authenticatorOf(first, second)
  const judge = async (bearer: string) =>
    await authenticator.authenticate(asked({ authorization: `Bearer ${bearer}` }).exchange)
  t.match(await judge(token), { scheme: 'jwt' })
  t.equal(first.verified, 0)
  t.match(await judge(await signer.sign({ iss: 'https://evil.test/' })), { code: 'HR_ACCESS_TOKEN_INVALID' })
  t.match(await judge('a.b.c'), { code: 'HR_ACCESS_TOKEN_INVALID' })
  const [head, , signature] = token.split('.')
  for (const iss of [{ toString: 1, valueOf: 1 }, ['https://other.test/'], null, 7]) {
    const payload = Buffer.from(JSON.stringify({ iss })).toString('base64url')
    t.match(await judge(`${head}.${payload}.${signature}`), { code: 'HR_ACCESS_TOKEN_INVALID' }, JSON.stringify(iss))
  }
})

void test('tokens go no further, unless the configuration says so; what is not theirs stays', async (t) => {
  const cookie = `a=b; token=${token}; c=d`
  const fields = { authorization: `Bearer ${token}`, cookie }
  const { exchange } = asked(fields)
  authenticatorOf(issuer({ cookie: 'token' })).conceal(exchange)
  t.same(exchange.fields.kept, ['cookie', 'a=b; c=d'])
  t.equal(exchange.fields.authorization, undefined)
  const { exchange: basic } = asked({ authorization: 'Basic YTpi', cookie: `token=${token}` })
  authenticatorOf(issuer({ cookie: 'token' })).conceal(basic)
  t.same(basic.fields.kept, ['authorization', 'Basic YTpi'])
  const { exchange: kept } = asked(fields)
  authenticatorOf(issuer({ cookie: 'token', keep: true })).conceal(kept)
  t.same(kept.fields.kept, ['authorization', `Bearer ${token}`, 'cookie', cookie])
})
