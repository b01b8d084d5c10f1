import type * as Jose from 'jose'
import type { JWTVerifyOptions, ProtectedHeaderParameters } from 'jose'
import type { Identity } from '../../downstream/identity.ts'
import type { GatewayError } from '../../http/problem.ts'
import { onDemand } from '../../lifetime/on-demand.ts'
import { type Claims, identityOf, type KnownConsumer } from '../claims.ts'
import { Verdicts } from '../verdicts.ts'
import { KeysAwayError, TokenExpiredError, TokenInvalidError, TokenRevokedError } from './errors.ts'
import type { KeySet } from './key-set.ts'
import type { KeySource } from './key-source.ts'
import type { JwtOptions } from './options.ts'

const jose = onDemand<typeof Jose>('jose')

/** In seconds; a client that comes again sooner finds the same. */
const RETRY_AFTER_S = 5
/** Tokens without `exp`, where the configuration takes them, are looked at again after this. */
const LONGEST_VERDICT_MS = 3_600_000
const MOST_FORGED = 1_000
/** Of keys that fit a token without a `kid`, so many are tried. */
const MOST_TRIED = 4

export interface IssuerParts {
  keys: KeySource
  /** Epoch, ms. */
  now: () => number
  consumerOf: (name: string) => KnownConsumer | undefined
  /** Somebody has said that it holds no longer. */
  isRevoked: (claims: Claims) => boolean
}

/** Found out, or not to be found out now. */
type Judged = Identity | GatewayError

/**
 * Judges the tokens of one issuer (RFC 7519, RFC 8725). Which algorithms count is the configuration's to say: the header of
 * a token chooses among these, and a key takes those of its own type only, so that no public key becomes an HMAC secret.
 * Keys come from the issuer's set alone: `jwk`, `jku` and `x5u` in a header are a reason to refuse it, as is `crit`.
 *
 * What held once is remembered until it expires, or until the keys, the consumers or what is revoked change.
 */
export class Issuer {
  readonly options: JwtOptions
  readonly keys: KeySource
  readonly verdicts: Verdicts<Identity>
  readonly #parts: IssuerParts
  readonly #algorithms: ReadonlySet<string>
  /** Under way, by digest: the same token a thousand times at once is verified once. */
  readonly #underWay = new Map<string, Promise<Judged>>()
  /** Signatures that did not hold, by digest: a client that repeats one costs a hash. */
  #forged = new Set<string>()
  /** How many were verified, and not remembered. */
  verified = 0

  constructor(options: JwtOptions, parts: IssuerParts) {
    this.options = options
    this.keys = parts.keys
    this.#parts = parts
    this.verdicts = new Verdicts(options.cache)
    // RFC 9864 gives EdDSA with Ed25519 a name of its own.
    const { algorithms } = options
    this.#algorithms = new Set<string>(algorithms.includes('EdDSA') ? [...algorithms, 'Ed25519'] : algorithms)
    parts.keys.changed = () => this.forget()
  }

  /** Nothing that was judged until now counts any more. */
  forget(): void {
    this.verdicts.forget()
    this.#forged = new Set()
    this.#underWay.clear()
  }

  /** Whether a token says that it is of this issuer. @param token not verified: believe nothing else of it */
  issued(token: string): boolean {
    const issuer = claimedIssuer(token)
    // An object cannot always be made text.
    return typeof issuer === 'string' && this.options.issuers.includes(issuer)
  }

  /** What is remembered of it. @param digest its SHA-256 */
  known(digest: string): Judged | undefined {
    return this.verdicts.get(digest, this.#parts.now()) ?? (this.#forged.has(digest) ? invalid() : undefined)
  }

  /** Verifies a token. */
  judge(token: string, digest: string): Promise<Judged> {
    const begun = this.#underWay.get(digest)
    if (begun !== undefined) return begun
    const judging = this.#judge(token, digest).finally(() => {
      if (this.#underWay.get(digest) === judging) this.#underWay.delete(digest)
    })
    this.#underWay.set(digest, judging)
    return judging
  }

  async #judge(token: string, digest: string): Promise<Judged> {
    const header = headerOf(token)
    if (header === undefined || !this.#takes(header)) return invalid()
    const set = this.keys.current ?? (await this.keys.first())
    if (set === undefined) return this.#away()
    const { generation } = this.verdicts
    this.verified++
    try {
      return this.#accept(await this.#claimsOf(token, set), digest, generation)
    } catch (error) {
      const { errors } = jose()
      if (error instanceof errors.JWTExpired) return refusal(new TokenExpiredError(), 'the token has expired')
      if (error instanceof errors.JWSSignatureVerificationFailed) this.#remember(digest, generation)
      if (error instanceof errors.JOSEError || error instanceof TypeError) return invalid()
      throw error
    }
  }

  /** @throws what jose throws of a token that does not hold */
  async #claimsOf(token: string, set: KeySet): Promise<Claims> {
    try {
      return await this.#verify(token, set)
    } catch (error) {
      if (!(error instanceof jose().errors.JWKSNoMatchingKey)) throw error
      const other = await this.keys.another(set)
      if (other === undefined) throw error
      return await this.#verify(token, other)
    }
  }

  async #verify(token: string, { keyOf }: KeySet): Promise<Claims> {
    const options = this.#expected()
    const { errors, jwtVerify } = jose()
    try {
      return (await jwtVerify(token, keyOf, options)).payload
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error
      let tried = 0
      for await (const key of error) {
        if (++tried > MOST_TRIED) break
        try {
          return (await jwtVerify(token, key, options)).payload
        } catch (failure) {
          if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure
        }
      }
      throw new errors.JWSSignatureVerificationFailed()
    }
  }

  #expected(): JWTVerifyOptions {
    const { issuers, audiences, requiredClaims, skewS, maxTokenAgeS, typ } = this.options
    return {
      algorithms: [...this.#algorithms],
      issuer: [...issuers],
      requiredClaims: [...requiredClaims],
      clockTolerance: skewS,
      currentDate: new Date(this.#parts.now()),
      ...(audiences === null ? {} : { audience: [...audiences] }),
      ...(maxTokenAgeS === null ? {} : { maxTokenAge: maxTokenAgeS }),
      ...(typ === null ? {} : { typ }),
    }
  }

  #accept(claims: Claims, digest: string, generation: number): Judged {
    const { now, consumerOf, isRevoked } = this.#parts
    if (isRevoked(claims)) return refusal(new TokenRevokedError(), 'the token was revoked')
    const identity = identityOf(claims, { scheme: 'jwt', names: this.options.claims }, consumerOf)
    if (identity === undefined) return invalid()
    this.verdicts.keep(digest, { value: identity, until: this.#until(claims, now()) }, generation)
    return identity
  }

  /** jose has seen to it that what is there is a number. */
  #until({ exp, iat }: Claims, now: number): number {
    const { skewS, maxTokenAgeS } = this.options
    const expires = typeof exp === 'number' ? (exp + skewS) * 1000 : Number.POSITIVE_INFINITY
    const ages = maxTokenAgeS === null ? Number.POSITIVE_INFINITY : ((iat as number) + maxTokenAgeS + skewS) * 1000
    return Math.min(expires, ages, now + LONGEST_VERDICT_MS)
  }

  #remember(digest: string, generation: number): void {
    if (generation !== this.verdicts.generation) return
    if (this.#forged.size >= MOST_FORGED) this.#forged.clear()
    this.#forged.add(digest)
  }

  #takes(header: ProtectedHeaderParameters): boolean {
    if (typeof header.alg !== 'string' || !this.#algorithms.has(header.alg)) return false
    return header.crit === undefined && header.jwk === undefined && header.jku === undefined && header.x5u === undefined
  }

  #away(): GatewayError {
    const error: GatewayError = new KeysAwayError(this.options.name)
    error.fields = ['retry-after', String(RETRY_AFTER_S)]
    return error
  }
}

function headerOf(token: string): ProtectedHeaderParameters | undefined {
  try {
    return jose().decodeProtectedHeader(token)
  } catch {
    return undefined
  }
}

/** Of a token that nobody has verified. */
function claimedIssuer(token: string): unknown {
  const [, payload = ''] = token.split('.', 2)
  try {
    return (JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { iss?: unknown } | null)?.iss
  } catch {
    return undefined
  }
}

export function invalid(): GatewayError {
  return refusal(new TokenInvalidError(), 'the token does not hold here')
}

/** RFC 6750 §3: what the client is told beside the problem. */
function refusal(error: GatewayError, description: string): GatewayError {
  error.fields = ['www-authenticate', `Bearer error="invalid_token", error_description="${description}"`]
  return error
}
