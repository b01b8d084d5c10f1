import { exportJWK, generateKeyPair, type JWK, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose'
import type { JwtOptions } from '../services/access/jwt/options.ts'

export const ISSUER = 'https://id.test/'
export const AUDIENCE = 'orders'

/** Somebody who signs tokens, with one key. */
export interface Signer {
  readonly alg: string
  readonly kid: string
  /** The public key, as a key set has it. */
  readonly jwk: JWK
  /** A token that holds for an hour, unless `claims` says otherwise; `undefined` takes a claim away. */
  sign(claims?: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>
}

/** Seconds: what tokens are made for. */
export const NOW_S = 1_800_000_000
export const NOW_MS = NOW_S * 1000

export async function signerOf(alg: string, kid: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk: JWK = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  return {
    alg,
    kid,
    jwk,
    sign: (claims = {}, header = {}) =>
      new SignJWT({ iss: ISSUER, aud: AUDIENCE, sub: 'ada', exp: NOW_S + 3_600, ...claims })
        .setProtectedHeader({ alg, kid, ...header })
        .sign(privateKey),
  }
}

export const keySetOf = (...signers: readonly Signer[]): string =>
  JSON.stringify({ keys: signers.map(({ jwk }) => jwk) })

/** Options as a configuration with defaults gives them. */
export const jwtOptions = (options: Partial<JwtOptions> = {}): JwtOptions => ({
  name: 'main',
  issuers: [ISSUER],
  audiences: [AUDIENCE],
  keys: { inline: '' },
  algorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
  skewS: 10,
  requiredClaims: ['exp'],
  maxTokenAgeS: null,
  typ: null,
  cookie: null,
  keep: false,
  claims: { consumer: null, groups: null, tier: null, scopes: ['scope', 'scp'] },
  maxTokenBytes: 8_192,
  cache: 100,
  ...options,
})
