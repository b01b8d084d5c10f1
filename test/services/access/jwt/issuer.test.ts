import assert from 'node:assert/strict'
import { createHmac, hash } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import type { Claims, KnownConsumer } from '../../../../services/access/claims.ts'
import { FileKeys } from '../../../../services/access/jwt/file-keys.ts'
import { Issuer } from '../../../../services/access/jwt/issuer.ts'
import type { KeySource } from '../../../../services/access/jwt/key-source.ts'
import type { JwtOptions } from '../../../../services/access/jwt/options.ts'
import type { Identity } from '../../../../services/downstream/identity.ts'
import type { GatewayError } from '../../../../services/http/problem.ts'
import { AUDIENCE, ISSUER, jwtOptions, keySetOf, NOW_MS, NOW_S, signerOf } from '../../../tokens.ts'

const es = await signerOf('ES256', 'es')
const rs = await signerOf('RS256', 'rs')
const ps = await signerOf('PS256', 'ps')
const ed = await signerOf('EdDSA', 'ed')
const stranger = await signerOf('ES256', 'es')

interface SetUp {
  options?: Partial<JwtOptions>
  keys?: KeySource
  isRevoked?: (claims: Claims) => boolean
}

const keysOf = (text: string): FileKeys => new FileKeys({ from: { text }, failed: () => undefined })

function issuerOf({ options, keys = keysOf(keySetOf(es, rs, ps, ed)), isRevoked = () => false }: SetUp = {}) {
  const clock = { now: NOW_MS }
  const consumers: KnownConsumer[] = [
    { name: 'shop', tier: 'gold', groups: ['partners'], scopes: ['read'], priority: 'high' },
    { name: 'plain', tier: null, groups: [], scopes: [], priority: null },
  ]
  const issuer = new Issuer(jwtOptions(options), {
    keys,
    now: () => clock.now,
    consumerOf: (name) => consumers.find((consumer) => consumer.name === name),
    isRevoked,
  })
  const judge = (token: string): Promise<Identity | GatewayError> => issuer.judge(token, hash('sha256', token))
  const codeOf = async (token: string): Promise<string> => {
    const judged = await judge(token)
    return judged instanceof Error ? judged.code : 'accepted'
  }
  return { issuer, clock, judge, codeOf }
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

void test('each configured algorithm is taken, and says who calls', async (t) => {
  const { judge } = issuerOf()
  for (const signer of [es, rs, ps, ed]) {
    t.match(await judge(await signer.sign({ scope: 'read write' })), {
      id: `${ISSUER}|ada`,
      scheme: 'jwt',
      consumer: null,
      tier: null,
      groups: [],
      scopes: ['read', 'write'],
    })
  }
})

void test('an algorithm that is not configured is refused, though the key is there', async (t) => {
  const { codeOf } = issuerOf({ options: { algorithms: ['RS256'] } })
  t.equal(await codeOf(await rs.sign()), 'accepted')
  t.equal(await codeOf(await es.sign()), 'HR_ACCESS_TOKEN_INVALID')
  t.equal(await codeOf(await ps.sign()), 'HR_ACCESS_TOKEN_INVALID')
})

void test('alg none, in any case and without a signature, is refused', async (t) => {
  const { codeOf, issuer } = issuerOf()
  const claims = encoded({ iss: ISSUER, aud: AUDIENCE, sub: 'ada', exp: NOW_S + 60 })
  for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
    for (const signature of ['', '.', 'AAAA']) {
      t.equal(await codeOf(`${encoded({ alg, kid: 'es' })}.${claims}.${signature}`), 'HR_ACCESS_TOKEN_INVALID', alg)
    }
  }
  t.equal(issuer.verified, 0, 'no key was touched')
})

void test('a public key is no HMAC secret', async (t) => {
  const { codeOf } = issuerOf()
  const secrets = [JSON.stringify(rs.jwk), rs.jwk.n as string, Buffer.from(rs.jwk.n as string, 'base64url')]
  for (const secret of secrets) {
    const head = encoded({ alg: 'HS256', kid: 'rs', typ: 'JWT' })
    const signed = `${head}.${encoded({ iss: ISSUER, aud: AUDIENCE, sub: 'root', exp: NOW_S + 60 })}`
    const mac = createHmac('sha256', secret).update(signed).digest('base64url')
    t.equal(await codeOf(`${signed}.${mac}`), 'HR_ACCESS_TOKEN_INVALID')
  }
})

void test('a key of another kind than the algorithm, or made for another one, is not used', async (t) => {
  const { codeOf } = issuerOf()
  t.equal(await codeOf(await es.sign({}, { kid: 'rs' })), 'HR_ACCESS_TOKEN_INVALID')
  t.equal(await codeOf(await ps.sign({}, { kid: 'rs' })), 'HR_ACCESS_TOKEN_INVALID')
})

void test('keys that a token brings along, or says the place of, are a reason to refuse it', async (t) => {
  const { codeOf } = issuerOf()
  const jwk = stranger.jwk
  t.equal(await codeOf(await stranger.sign({}, { jwk })), 'HR_ACCESS_TOKEN_INVALID')
  t.equal(await codeOf(await es.sign({}, { jwk: es.jwk })), 'HR_ACCESS_TOKEN_INVALID', 'even the right one')
  t.equal(await codeOf(await es.sign({}, { jku: 'https://evil.test/keys' })), 'HR_ACCESS_TOKEN_INVALID')
  t.equal(await codeOf(await es.sign({}, { x5u: 'https://evil.test/cert' })), 'HR_ACCESS_TOKEN_INVALID')
  const [, payload, signature] = (await es.sign()).split('.')
  const critical = encoded({ alg: 'ES256', kid: 'es', crit: ['b64'], b64: false })
  t.equal(await codeOf(`${critical}.${payload}.${signature}`), 'HR_ACCESS_TOKEN_INVALID')
})

void test('a token that names what is no key is refused, and the other keys of the set count', async (t) => {
  const zeros = Buffer.alloc(32).toString('base64url')
  const [broken, curve] = [
    { ...es.jwk, x: zeros, y: zeros, kid: 'broken' },
    { ...es.jwk, crv: 'P-999', kid: 'curve' },
  ]
  const [short, half] = [
    { ...ed.jwk, x: 'AA', kid: 'short' },
    { kty: 'RSA', n: rs.jwk.n, kid: 'half' },
  ]
  const keys = keysOf(JSON.stringify({ keys: [broken, curve, short, half, es.jwk] }))
  const { codeOf } = issuerOf({ keys })
  t.equal(keys.current.size, 1)
  for (const [signer, kid] of [
    [es, 'broken'],
    [es, 'curve'],
    [ed, 'short'],
    [rs, 'half'],
  ] as const) {
    t.equal(await codeOf(await signer.sign({}, { kid })), 'HR_ACCESS_TOKEN_INVALID', kid)
  }
  t.equal(await codeOf(await es.sign()), 'accepted')
})

void test("a stranger's signature under a known key's name is refused, and the second time without verifying", async (t) => {
  const { codeOf, issuer } = issuerOf()
  const token = await stranger.sign()
  t.equal(await codeOf(token), 'HR_ACCESS_TOKEN_INVALID')
  t.match(issuer.known(hash('sha256', token)), { code: 'HR_ACCESS_TOKEN_INVALID' })
  t.equal(issuer.verified, 1)
})

void test('issuer, audience, times, type and required claims have to be right', async (t) => {
  const { codeOf } = issuerOf({ options: { requiredClaims: ['exp', 'tenant'], typ: 'at+jwt', maxTokenAgeS: 600 } })
  const good = { tenant: 'a', iat: NOW_S - 10 }
  const header = { typ: 'at+jwt' }
  t.equal(await codeOf(await es.sign(good, header)), 'accepted')
  t.equal(await codeOf(await es.sign({ ...good, aud: ['x', AUDIENCE] }, header)), 'accepted')
  const bad = 'HR_ACCESS_TOKEN_INVALID'
  const expired = 'HR_ACCESS_TOKEN_EXPIRED'
  const cases: [claims: Record<string, unknown>, code: string][] = [
    [{ iss: 'https://evil.test/' }, bad],
    [{ iss: [ISSUER] }, bad],
    [{ iss: undefined }, bad],
    [{ aud: 'other' }, bad],
    [{ aud: undefined }, bad],
    [{ exp: undefined }, bad],
    [{ exp: 'never' }, bad],
    [{ exp: NOW_S - 11 }, expired],
    [{ exp: NOW_S - 9 }, 'accepted'],
    [{ nbf: NOW_S + 11 }, bad],
    [{ nbf: NOW_S + 9 }, 'accepted'],
    [{ iat: NOW_S - 611 }, expired],
    [{ iat: NOW_S + 11 }, bad],
    [{ tenant: undefined }, bad],
    [{ sub: undefined }, bad],
    [{ sub: 7 }, bad],
  ]
  for (const [claims, code] of cases) {
    t.equal(await codeOf(await es.sign({ ...good, ...claims }, header)), code, JSON.stringify(claims))
  }
  t.equal(await codeOf(await es.sign(good)), bad, 'without its type')
  t.equal(await codeOf(await es.sign(good, { typ: 'JWT' })), bad, 'an ID token is no access token')
})

void test('claims name the consumer, its groups, tier, scopes and priority', async (t) => {
  const claims = { consumer: 'azp', groups: 'realm.roles', tier: 'plan', scopes: ['scp'] }
  const { judge, codeOf } = issuerOf({ options: { claims } })
  t.match(await judge(await es.sign({ azp: 'shop', realm: { roles: ['admin', 7, 'staff '] }, scp: ['write'] })), {
    id: 'shop',
    consumer: 'shop',
    tier: 'gold',
    groups: ['admin', 'staff', 'partners'],
    scopes: ['write', 'read'],
    priority: 'high',
  })
  const plain = await judge(await es.sign({ azp: 'plain' }))
  t.notOk('priority' in plain, "a consumer without one leaves it to the route's")
  t.match(await judge(await es.sign({ azp: 'shop', plan: 'silver' })), { tier: 'silver' })
  t.equal(await codeOf(await es.sign({ azp: 'nobody' })), 'HR_ACCESS_TOKEN_INVALID')
  t.equal(await codeOf(await es.sign({ azp: '__proto__' })), 'HR_ACCESS_TOKEN_INVALID')
  t.equal(await codeOf(await es.sign()), 'HR_ACCESS_TOKEN_INVALID')
})

void test('without a kid, keys that fit are tried', async (t) => {
  const other = await signerOf('ES256', 'other')
  const { codeOf } = issuerOf({ keys: keysOf(keySetOf(other, es)) })
  t.equal(await codeOf(await es.sign({}, { kid: undefined as never })), 'accepted')
  t.equal(await codeOf(await stranger.sign({}, { kid: undefined as never })), 'HR_ACCESS_TOKEN_INVALID')
})

void test('a verdict is remembered until the token expires, whatever the clock does', async (t) => {
  const { issuer, clock, judge } = issuerOf()
  const token = await es.sign({ exp: NOW_S + 60 })
  const digest = hash('sha256', token)
  const identity = await judge(token)
  t.equal(issuer.known(digest), identity, 'at once, and the same object')
  clock.now -= 3_600_000
  t.equal(issuer.known(digest), identity)
  clock.now = NOW_MS + 69_999
  t.equal(issuer.known(digest), identity)
  clock.now = NOW_MS + 70_000
  t.equal(issuer.known(digest), undefined)
  t.match(await judge(token), { code: 'HR_ACCESS_TOKEN_EXPIRED' })
})

void test('the same new token at the same time is verified once', async (t) => {
  const { issuer, judge } = issuerOf()
  const token = await es.sign()
  const judged = await Promise.all(Array.from({ length: 50 }, () => judge(token)))
  t.equal(new Set(judged).size, 1)
  t.equal(issuer.verified, 1)
})

void test('what is remembered is bounded', async (t) => {
  const { issuer, judge } = issuerOf({ options: { cache: 2 } })
  const tokens = await Promise.all(['a', 'b', 'c'].map((sub) => ed.sign({ sub })))
  for (const token of tokens) await judge(token)
  t.equal(issuer.verdicts.size, 2)
  t.equal(issuer.known(hash('sha256', tokens[0] as string)), undefined)
})

void test('no verdict outlives the keys: neither a remembered one, nor one under way', async (t) => {
  const keys = keysOf(keySetOf(es))
  const { issuer, judge, codeOf } = issuerOf({ keys })
  const [token, late] = [await es.sign(), await es.sign({ sub: 'late' })]
  await judge(token)
  const underWay = judge(late)
  keys.changed()
  await underWay
  t.equal(issuer.known(hash('sha256', token)), undefined)
  t.equal(issuer.known(hash('sha256', late)), undefined)
  t.equal(await codeOf(token), 'accepted', 'and is judged anew')
})

void test('what is revoked is refused', async (t) => {
  const { codeOf } = issuerOf({ isRevoked: ({ jti }) => jti === 'gone' })
  t.equal(await codeOf(await es.sign({ jti: 'gone' })), 'HR_ACCESS_TOKEN_REVOKED')
  t.equal(await codeOf(await es.sign({ jti: 'here' })), 'accepted')
})

void test('without keys nothing is accepted, and the client is told when to come again', async (t) => {
  const keys = { first: async () => undefined, another: async () => undefined } as unknown as KeySource
  const { judge } = issuerOf({ keys })
  t.match(await judge(await es.sign()), { code: 'HR_ACCESS_KEYS_AWAY', statusCode: 503, fields: ['retry-after', '5'] })
})

void test('a token that is changed anywhere is never accepted, and never makes the gateway fail', async () => {
  const { judge } = issuerOf()
  const tokens = await Promise.all([es, rs, ed].map((signer) => signer.sign()))
  const mutation = fc.record({
    token: fc.constantFrom(...tokens),
    at: fc.nat(2_000),
    how: fc.constantFrom('replace', 'insert', 'delete', 'truncate', 'repeat'),
    text: fc.string({ minLength: 1, maxLength: 8, unit: 'binary-ascii' }),
  })
  await fc.assert(
    fc.asyncProperty(mutation, async ({ token, at: anywhere, how, text }) => {
      const at = anywhere % token.length
      const changed = {
        replace: token.slice(0, at) + text + token.slice(at + text.length),
        insert: token.slice(0, at) + text + token.slice(at),
        delete: token.slice(0, at) + token.slice(at + 1),
        truncate: token.slice(0, at),
        repeat: `${token}.${token}`,
      }[how]
      // base64url has several writings of the same last bytes (RFC 4648 §3.5): those are the same token.
      if (sameBytes(changed, token)) return
      const judged = await judge(changed)
      assert.ok(judged instanceof Error, `accepted: ${changed}`)
      assert.match(judged.code, /^HR_ACCESS_TOKEN_(INVALID|EXPIRED)$/)
    }),
    { numRuns: 500 },
  )
})

function sameBytes(one: string, other: string): boolean {
  const [head, payload, ...rest] = one.split('.')
  const [otherHead, otherPayload, ...otherRest] = other.split('.')
  const bytes = (text = ''): string => Buffer.from(text, 'base64url').toString('hex')
  return (
    head === otherHead &&
    payload === otherPayload &&
    rest.length === otherRest.length &&
    bytes(rest[0]) === bytes(otherRest[0])
  )
}
