import { createHash, randomBytes, randomInt } from 'node:crypto'
import { test } from 'tap'
import { NOBODYS_PASSWORD } from '../../../services/access/basic/password.ts'
import { BasicScheme } from '../../../services/access/basic/basic-scheme.ts'
import type { Consumers } from '../../../services/access/consumers/consumers.ts'
import { Directory } from '../../../services/access/consumers/directory.ts'
import { HmacScheme } from '../../../services/access/hmac/hmac-scheme.ts'
import { JwtAuthenticator } from '../../../services/access/jwt/authenticator.ts'
import { FileKeys } from '../../../services/access/jwt/file-keys.ts'
import { Issuer } from '../../../services/access/jwt/issuer.ts'
import type { Authentication } from '../../../services/access/scheme.ts'
import { AUDIENCE, ISSUER, jwtOptions, keySetOf, NOW_MS, NOW_S, signerOf } from '../../tokens.ts'
import { asking } from './given.ts'
import { signatureFields } from './signing.ts'
import { spoilt } from './spoilt.ts'

/**
 * Tens of thousands of credentials that are none: none is taken, none breaks anything, and none is more work than another.
 * 100,000 keys are in key-scheme.test.ts. Of passwords only those are here that no hash is computed for: scrypt takes 200 ms of
 * a thread on purpose, and what it is asked is counted in basic.test.ts.
 */

const SECRET = 'a secret that is long enough'
const NONE = { keys: [], certificates: [], groups: [], scopes: [], tier: null, priority: null, enabled: true }
const acme = { ...NONE, name: 'acme', password: NOBODYS_PASSWORD, secrets: [{ id: 'acme-1', secret: SECRET }] }
const consumers = { directory: new Directory([acme]) } as Consumers

/** How often what was told, by its code. */
class Told {
  readonly counts: Record<string, number> = {}

  add(found: Authentication): void {
    const code = found instanceof Error ? found.code : found === undefined ? 'nothing' : 'accepted'
    this.counts[code] = (this.counts[code] ?? 0) + 1
  }
}

void test('20,000 random signatures: each that can be read is one HMAC, for a known keyid and an unknown', async (t) => {
  const options = { windowMs: 60_000, maxBodyBytes: 1_000, remember: 100, shared: false, keep: false }
  const scheme = new HmacScheme(options, { realm: 'test', consumers, now: Date.now })
  const ask = async (fields: [string, string][]): Promise<Authentication> =>
    await scheme.authenticate(asking({ fields: fields.flat() }))
  const fieldsOf = (keyid: string, secret: string) =>
    signatureFields({ keyid, secret, authority: 'api.test', path: '/', nonce: randomBytes(6).toString('hex') })
  const told = new Told()
  for (let i = 0; i < 10_000; i++) {
    const [input, [name, value]] = fieldsOf(i % 2 === 0 ? 'acme-1' : `other-${i}`, SECRET) as [
      [string, string],
      [string, string],
    ]
    const random = `sig=:${randomBytes(i % 4 === 3 ? randomInt(6, 64) : 32).toString('base64')}:`
    told.add(await ask([input, [name, i % 4 === 1 ? value : random]]))
  }
  t.same(told.counts, { HR_ACCESS_INVALID: 10_000 })
  t.equal(scheme.computed, 10_000)
  for (let i = 0; i < 10_000; i++) {
    const [input, signature] = fieldsOf('acme-1', SECRET) as [[string, string], [string, string]]
    told.add(
      await ask(
        i % 2 === 0 ? [[input[0], spoilt(input[1])], signature] : [input, [signature[0], spoilt(signature[1])]],
      ),
    )
  }
  t.same(told.counts, { HR_ACCESS_INVALID: 20_000 })
  t.ok(scheme.computed <= 20_000, 'and what cannot be read is none')
  t.match(await ask(fieldsOf('acme-1', SECRET)), { id: 'acme' })
})

void test('20,000 random tokens: one that is none is no work, and each that could be one is verified once', async (t) => {
  const signer = await signerOf('ES256', 'es')
  const keys = new FileKeys({ from: { text: keySetOf(signer) }, failed: () => undefined })
  const parts = { keys, now: () => NOW_MS, consumerOf: () => undefined, isRevoked: () => false }
  const issuer = new Issuer(jwtOptions(), parts)
  const authenticator = new JwtAuthenticator([issuer], 'test')
  const ask = async (token: string): Promise<Authentication> =>
    await authenticator.authenticate(asking({ fields: ['authorization', `Bearer ${token}`] }))
  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const told = new Told()
  for (let i = 0; i < 18_000; i++) {
    const header = { alg: ['none', 'HS256', 'es256', i, null][i % 5], kid: 'es' }
    const kinds = [
      () => randomBytes(randomInt(1, 200)).toString('base64url'),
      () =>
        `${encoded(header)}.${encoded({ iss: ISSUER, i })}.${createHash('sha256').update(String(i)).digest('base64url')}`,
      () => `${encoded({ alg: 'ES256', kid: 'es', jwk: signer.jwk })}.${encoded({ i })}.AAAA`,
      () => '.'.repeat(i % 40) + String(i),
    ]
    told.add(await ask((kinds[i % kinds.length] as () => string)()))
  }
  t.same(told.counts, { HR_ACCESS_TOKEN_INVALID: 18_000 })
  t.equal(issuer.verified, 0)
  // A signature is verified in 0.1 ms of the main thread, and as much of another.
  for (let i = 0; i < 2_000; i++) {
    const claims = { iss: i % 3 === 0 ? 'https://other.test/' : ISSUER, aud: AUDIENCE, sub: `s${i}`, exp: NOW_S + 60 }
    const kid = i % 2 === 0 ? 'es' : `es-${i}`
    const signature = randomBytes(i % 5 === 4 ? randomInt(1, 100) : 64).toString('base64url')
    told.add(await ask(`${encoded({ alg: 'ES256', kid })}.${encoded(claims)}.${signature}`))
  }
  t.same(told.counts, { HR_ACCESS_TOKEN_INVALID: 20_000 })
  t.equal(issuer.verified, 2_000)
  t.match(await ask(await signer.sign()), { scheme: 'jwt' })
})

void test('20,000 times something that is no user name and password: no hash is computed', async (t) => {
  const options = { concurrency: 1, queue: 64, keep: false }
  const scheme = new BasicScheme(options, { realm: 'test', consumers })
  const checked = t.capture(scheme.checks, 'check', () => Promise.resolve(false))
  const told = new Told()
  for (let i = 0; i < 20_000; i++) {
    const text =
      i % 2 === 0
        ? spoilt('YWNtZQ').replaceAll(':', '')
        : randomBytes(12)
            .toString('hex')
            .slice(i % 24)
    const colonless = Buffer.from(text, 'base64').includes(':') ? 'AAAA' : text
    told.add(await scheme.authenticate(asking({ fields: ['authorization', `Basic ${colonless}`] })))
  }
  t.same(told.counts, { HR_ACCESS_INVALID: 20_000 })
  t.equal(checked().length, 0)
})
