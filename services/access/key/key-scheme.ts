import { hash, timingSafeEqual } from 'node:crypto'
import type { Exchange } from '../../downstream/exchange.ts'
import type { GatewayError } from '../../http/problem.ts'
import type { Identity } from '../../downstream/identity.ts'
import type { Consumers } from '../consumers/consumers.ts'
import { dropField, onlyField, SEVERAL } from '../credentials.ts'
import { CredentialsAmbiguousError, CredentialsInvalidError, KeyInQueryError } from '../errors.ts'
import type { KeySchemeOptions } from '../options.ts'
import type { Authentication, Authenticator } from '../scheme.ts'
import { KEY_IN_QUERY, keyIdOf } from './api-key.ts'
import { takeParameter } from './query-parameter.ts'

/** Keys are 40 characters; nobody's is longer than this, and hashing more would be work that callers choose. */
const MOST_CHARACTERS = 256
/** What an unknown key is compared with. */
const NOBODYS = Buffer.alloc(32)

export interface KeySchemeParts {
  realm: string
  consumers: Pick<Consumers, 'directory'>
  /** Revoked since the consumers were read, wherever. */
  isRevoked: (keyId: string) => boolean
  /** Milliseconds since 1970. */
  now: () => number
}

/**
 * API keys. Every key that is shown costs one SHA-256 and one comparison in constant time, an unknown one as a wrong one:
 * time tells nothing. Decided at once, and by nothing that is kept from an earlier request, so that a key is dead from the
 * moment in which its consumer's entry is gone.
 */
export class KeyScheme implements Authenticator {
  readonly scheme = 'key'
  readonly challenge: string
  /** Keys that were hashed. */
  hashed = 0
  /** Of the key that is being looked at. */
  readonly #digest = Buffer.alloc(32)
  readonly #options: KeySchemeOptions
  readonly #parts: KeySchemeParts

  constructor(options: KeySchemeOptions, parts: KeySchemeParts) {
    this.#options = options
    this.#parts = parts
    this.challenge = `ApiKey realm="${parts.realm}", header="${options.header}"`
  }

  authenticate(exchange: Exchange): Authentication {
    const { header, query } = this.#options
    let key = onlyField(exchange.fields, header)
    if (exchange.query !== '') {
      if (query !== null) {
        const given = takeParameter(exchange, query)
        if (given !== undefined) key = key === undefined ? given : SEVERAL
      }
      if (KEY_IN_QUERY.test(exchange.query)) return new KeyInQueryError(header)
    }
    if (key === undefined) return undefined
    if (key === SEVERAL) return new CredentialsAmbiguousError()
    return this.#verify(key)
  }

  conceal(exchange: Exchange): void {
    if (!this.#options.keep) dropField(exchange.fields, this.#options.header)
  }

  #verify(key: string): Identity | GatewayError {
    if (key.length > MOST_CHARACTERS) return new CredentialsInvalidError()
    // Text, and into a buffer that is there already: a new one for each digest takes four times as long (bench/micro/api-key.ts).
    this.#digest.write(hash('sha256', key, 'latin1'), 'latin1')
    this.hashed++
    const known = this.#parts.consumers.directory.keys.get(keyIdOf(key))
    const isIts = timingSafeEqual(this.#digest, known === undefined ? NOBODYS : known.digest)
    if (!isIts || known === undefined) return new CredentialsInvalidError()
    const now = this.#parts.now()
    if (now >= known.expiresAt || this.#parts.isRevoked(known.id)) return new CredentialsInvalidError()
    known.use.lastUsedAt = now
    return known.identity
  }
}
