import { hash, timingSafeEqual } from 'node:crypto'
import type { Exchange } from '../../downstream/exchange.ts'
import type { Identity } from '../../downstream/identity.ts'
import type { Peer } from '../../downstream/peer.ts'
import type { GatewayError } from '../../http/problem.ts'
import { removeField } from '../../http/request-fields.ts'
import type { Consumers } from '../consumers/consumers.ts'
import type { Directory, KnownKey } from '../consumers/directory.ts'
import { onlyField, SEVERAL } from '../credentials.ts'
import { CredentialsAmbiguousError, CredentialsInvalidError } from '../errors.ts'
import type { KeySchemeOptions } from '../options.ts'
import type { Authentication, Authenticator } from '../scheme.ts'
import { keyIdOf } from './api-key.ts'
import { takeParameter } from './query-parameter.ts'

/** Keys are 40 characters; nobody's is longer than this, and hashing more would be work that callers choose. */
const MOST_CHARACTERS = 256
/** What an unknown key is compared with. */
const NOBODYS = Buffer.alloc(32)

/** The key that a connection has shown before, and whose it is. */
interface Shown {
  key: Buffer
  of: KnownKey
  /** What it was found in: with another, nothing of it holds. */
  directory: Directory
}

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
 * time tells nothing. Only the key that was right on the same connection before costs neither: whoever holds that knows it.
 * Whether it is still in force is asked each time, so that a key is dead from the moment in which its consumer's entry is gone.
 */
export class KeyScheme implements Authenticator {
  readonly scheme = 'key'
  readonly challenge: string
  readonly isCounted = true
  /** Keys that were hashed. */
  hashed = 0
  /** Of the key that is being looked at. */
  readonly #digest = Buffer.alloc(32)
  readonly #text = Buffer.alloc(MOST_CHARACTERS)
  readonly #shown = new WeakMap<Peer, Shown>()
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
    if (exchange.query !== '' && query !== null) {
      const given = takeParameter(exchange, query)
      if (given !== undefined) key = key === undefined ? given : SEVERAL
    }
    if (key === undefined) return undefined
    if (key === SEVERAL) return new CredentialsAmbiguousError()
    return this.#verify(key, exchange.peer)
  }

  conceal(exchange: Exchange): void {
    const { header, query, keep } = this.#options
    if (!keep) removeField(exchange.fields.kept, header)
    // Another way has decided before this one was asked.
    if (exchange.query !== '' && query !== null) takeParameter(exchange, query)
  }

  #verify(key: string, peer: Peer): Identity | GatewayError {
    const { directory } = this.#parts.consumers
    const shown = this.#shown.get(peer)
    const isShown = shown !== undefined && shown.directory === directory && this.#isSame(key, shown.key)
    const known = isShown ? shown.of : this.#find(key, directory)
    if (known === undefined) return new CredentialsInvalidError()
    const now = this.#parts.now()
    if (now >= known.expiresAt || this.#parts.isRevoked(known.id)) return new CredentialsInvalidError()
    known.use.lastUsedAt = now
    if (!isShown) this.#shown.set(peer, { key: Buffer.from(key), of: known, directory })
    return known.identity
  }

  /** In constant time: a proxy's connection carries what many show. */
  #isSame(key: string, shown: Buffer): boolean {
    if (key.length !== shown.length || this.#text.write(key) !== shown.length) return false
    return timingSafeEqual(this.#text.subarray(0, shown.length), shown)
  }

  #find(key: string, directory: Directory): KnownKey | undefined {
    if (key.length > MOST_CHARACTERS) return undefined
    // Text, and into a buffer that is there already: a new one for each digest takes four times as long (bench/micro/api-key.ts).
    this.#digest.write(hash('sha256', key, 'latin1'), 'latin1')
    this.hashed++
    const known = directory.keys.get(keyIdOf(key))
    return timingSafeEqual(this.#digest, known === undefined ? NOBODYS : known.digest) ? known : undefined
  }
}
