import { hash, randomBytes } from 'node:crypto'
import type { Exchange } from '../../downstream/exchange.ts'
import type { Consumers } from '../consumers/consumers.ts'
import { dropAuthorization, MOST_CREDENTIAL_CHARACTERS, onlyField, SEVERAL } from '../credentials.ts'
import { busy, CredentialsAmbiguousError, CredentialsInvalidError } from '../errors.ts'
import type { Authentication, Authenticator } from '../scheme.ts'
import { NOBODYS_PASSWORD } from './password.ts'
import { PasswordChecks, type PasswordChecksOptions } from './password-checks.ts'

export interface BasicSchemeOptions extends PasswordChecksOptions {
  keep: boolean
}

/** What a password was found to match. */
interface Matched {
  user: string
  hashed: string
}

const BASIC = /^basic(?: |$)/i
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const MOST_REMEMBERED = 10_000

/**
 * User name and password (RFC 7617), in UTF-8. The hash is slow, so what it has matched is remembered: a digest of the
 * credentials under a salt of this process. What is remembered is that a password matches a hash, not that somebody may
 * pass: whose hash is another now, or gone, has to show another password at once.
 */
export class BasicScheme implements Authenticator {
  readonly scheme = 'basic'
  readonly challenge: string
  readonly isCounted = true
  readonly checks: PasswordChecks
  readonly #keep: boolean
  readonly #consumers: Pick<Consumers, 'directory'>
  readonly #salt = randomBytes(16).toString('base64url')
  readonly #matched = new Map<string, Matched>()

  constructor(
    options: BasicSchemeOptions,
    { realm, consumers }: { realm: string; consumers: Pick<Consumers, 'directory'> },
  ) {
    this.#keep = options.keep
    this.#consumers = consumers
    this.checks = new PasswordChecks(options)
    this.challenge = `Basic realm="${realm}", charset="UTF-8"`
  }

  authenticate(exchange: Exchange): Authentication | Promise<Authentication> {
    if (exchange.fields.authorization === undefined) return undefined
    const value = onlyField(exchange.fields, 'authorization')
    if (value === SEVERAL) return new CredentialsAmbiguousError()
    if (value === undefined || !BASIC.test(value)) return undefined
    if (value.length > MOST_CREDENTIAL_CHARACTERS) return new CredentialsInvalidError()
    const digest = hash('sha256', this.#salt + value, 'base64url')
    const matched = this.#matched.get(digest)
    if (matched !== undefined) {
      const known = this.#consumers.directory.passwords.get(matched.user)
      if (known?.password === matched.hashed) return known.identity
      this.#matched.delete(digest)
    }
    return this.#verify(value.slice('basic '.length).trim(), digest)
  }

  guesses({ fields }: Exchange): boolean {
    return fields.authorization !== undefined && BASIC.test(fields.authorization)
  }

  conceal({ fields }: Exchange): void {
    if (!this.#keep && fields.authorization !== undefined && BASIC.test(fields.authorization)) dropAuthorization(fields)
  }

  #verify(encoded: string, digest: string): Authentication | Promise<Authentication> {
    const text = BASE64.test(encoded) ? Buffer.from(encoded, 'base64').toString('utf8') : ''
    const colon = text.indexOf(':')
    // RFC 7617 §2 has no control characters; to scrypt, a password with NUL behind it is the same one (RFC 2104 §2).
    if (colon === -1 || text.includes('\0')) return new CredentialsInvalidError()
    const user = text.slice(0, colon)
    const hashed = this.#consumers.directory.passwords.get(user)?.password ?? NOBODYS_PASSWORD
    const check = this.checks.check(text.slice(colon + 1), hashed)
    return check === undefined ? busy() : this.#decide(check, { user, hashed }, digest)
  }

  async #decide(check: Promise<boolean>, matched: Matched, digest: string): Promise<Authentication> {
    const isMatch = await check
    // Of the consumers in force now: they may be others than when this began.
    const known = this.#consumers.directory.passwords.get(matched.user)
    if (!isMatch || known?.password !== matched.hashed) return new CredentialsInvalidError()
    if (this.#matched.size >= MOST_REMEMBERED) this.#forgetOldest()
    this.#matched.set(digest, matched)
    return known.identity
  }

  #forgetOldest(): void {
    const [oldest] = this.#matched.keys()
    if (oldest !== undefined) this.#matched.delete(oldest)
  }
}
