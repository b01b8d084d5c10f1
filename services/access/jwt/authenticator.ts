import { hash } from 'node:crypto'
import type { Exchange } from '../../downstream/exchange.ts'
import type { GatewayError } from '../../http/problem.ts'
import { cookiesNamed, dropCookies } from '../cookies.ts'
import { dropAuthorization, onlyField, SEVERAL } from '../credentials.ts'
import { isCrossSite } from '../cross-site.ts'
import { CredentialsAmbiguousError } from '../errors.ts'
import type { Authentication, Authenticator } from '../scheme.ts'
import { CrossSiteError, TokenQueryError, TokenSizeError } from './errors.ts'
import { invalid, type Issuer } from './issuer.ts'

/** RFC 6750 §2.3, which RFC 9700 takes back. */
const IN_QUERY = /[?&]access_token=/i

/**
 * Callers with a token of one of a route's issuers: `Authorization: Bearer` (RFC 6750 §2.1), or a cookie where an issuer has
 * one. A token of none of them is refused, and never goes on to the next way: whoever shows one wants to be somebody.
 *
 * A token that held a moment ago is decided at once, by one hash and a look into a map; a new one takes a promise.
 */
export class JwtAuthenticator implements Authenticator {
  readonly scheme = 'jwt'
  readonly challenge: string
  readonly #issuers: readonly Issuer[]
  readonly #cookies: readonly string[]
  readonly #keeps: boolean
  readonly #mostBytes: number

  /** @param issuers at least one */
  constructor(issuers: readonly Issuer[], realm: string) {
    this.challenge = `Bearer realm="${realm}"`
    this.#issuers = issuers
    const cookies = issuers.map(({ options }) => options.cookie).filter((name) => name !== null)
    this.#cookies = [...new Set(cookies)]
    this.#keeps = issuers.some(({ options }) => options.keep)
    this.#mostBytes = Math.max(...issuers.map(({ options }) => options.maxTokenBytes))
  }

  authenticate(exchange: Exchange): Authentication | Promise<Authentication> {
    if (exchange.query !== '' && IN_QUERY.test(exchange.query)) return new TokenQueryError()
    const token = this.#tokenOf(exchange)
    if (typeof token !== 'string') return token
    if (token.length > this.#mostBytes) return new TokenSizeError(this.#mostBytes)
    const digest = hash('sha256', token, 'base64url')
    const issuers = this.#issuers
    for (let i = 0; i < issuers.length; i++) {
      const known = (issuers[i] as Issuer).known(digest)
      if (known !== undefined) return known
    }
    const issuer = issuers.length === 1 ? issuers[0] : issuers.find((one) => one.issued(token))
    if (issuer === undefined || token.length > issuer.options.maxTokenBytes) return invalid()
    return issuer.judge(token, digest)
  }

  /** Tokens of these issuers; what else Authorization has is another way's. */
  conceal({ fields }: Exchange): void {
    if (this.#keeps) return
    if (bearerOf(fields.authorization) !== undefined) dropAuthorization(fields)
    if (this.#cookies.length > 0) dropCookies(fields, (name) => this.#cookies.includes(name))
  }

  /** @returns `undefined` where there is none */
  #tokenOf(exchange: Exchange): string | GatewayError | undefined {
    const { fields } = exchange
    // Which of several a token is in, another reader may see otherwise.
    if (fields.authorization !== undefined && onlyField(fields, 'authorization') === SEVERAL) {
      return new CredentialsAmbiguousError()
    }
    const bearer = bearerOf(fields.authorization)
    if (this.#cookies.length === 0) return bearer
    let found = bearer
    for (const name of this.#cookies) {
      for (const value of cookiesNamed(fields.cookie, name)) {
        if (value === found) continue
        if (found !== undefined) return new CredentialsAmbiguousError()
        if (isCrossSite(exchange)) return new CrossSiteError()
        found = value
      }
    }
    return found
  }
}

/** RFC 9110 §11.1: the scheme in any case. An empty token is one, and does not hold. */
function bearerOf(authorization: string | undefined): string | undefined {
  if (authorization === undefined || authorization.length < 6) return undefined
  // As nearly all write it.
  if (authorization.startsWith('Bearer ') && authorization.charCodeAt(7) !== 0x20) return authorization.slice(7)
  if (authorization.slice(0, 6).toLowerCase() !== 'bearer') return undefined
  if (authorization.length === 6) return ''
  return authorization.charCodeAt(6) === 0x20 ? authorization.slice(7).trim() : undefined
}
