import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { Exchange } from '../../downstream/exchange.ts'
import type { Identity } from '../../downstream/identity.ts'
import { BodyTooLargeError } from '../../http/errors.ts'
import type { GatewayError } from '../../http/problem.ts'
import type { Consumers } from '../consumers/consumers.ts'
import { dropField, onlyField, SEVERAL } from '../credentials.ts'
import { busy, CredentialsAmbiguousError, CredentialsInvalidError, ReplayedError } from '../errors.ts'
import type { HmacOptions } from '../options.ts'
import type { Authentication, Authenticator } from '../scheme.ts'
import { hasDigests, readContentDigest } from './content-digest.ts'
import { ReplayMemory } from './replay-memory.ts'
import { isCovered, signatureBase } from './signature-base.ts'
import { readSignatureInput, type SignatureInput } from './signature-input.ts'

/** What a signature of nobody is checked with. */
const NOBODYS_SECRET = 'nobody has this secret, and no secret is as short as none'

export interface HmacSchemeParts {
  realm: string
  consumers: Pick<Consumers, 'directory'>
  /** Milliseconds since 1970. */
  now: () => number
  /** Of the gateway whose place is taken: what was accepted there is not accepted again. */
  replays?: ReplayMemory | undefined
}

/**
 * Signed requests: HTTP Message Signatures (RFC 9421) by `hmac-sha256`. Method, authority, path and query have to be signed,
 * and with a body its Content-Digest (RFC 9530), which is compared with what comes before anything goes on. Accepted once
 * in the window of time around now, in this process.
 */
export class HmacScheme implements Authenticator {
  readonly scheme = 'hmac'
  readonly challenge: string
  readonly replays: ReplayMemory
  readonly #options: HmacOptions
  readonly #parts: HmacSchemeParts

  constructor(options: HmacOptions, parts: HmacSchemeParts) {
    this.#options = options
    this.#parts = parts
    this.challenge = `Signature realm="${parts.realm}", alg="hmac-sha256"`
    // From the earliest time at which it may come to the latest.
    const lifetimeMs = 2 * options.windowMs
    this.replays = parts.replays ?? new ReplayMemory({ lifetimeMs, most: options.remember })
  }

  /** Whether it remembers for as long, and as much. */
  isLike({ windowMs, remember }: HmacOptions): boolean {
    return this.#options.windowMs === windowMs && this.#options.remember === remember
  }

  authenticate(exchange: Exchange): Authentication | Promise<Authentication> {
    const input = onlyField(exchange.fields, 'signature-input')
    const signature = onlyField(exchange.fields, 'signature')
    if (input === undefined || signature === undefined) return undefined
    if (input === SEVERAL || signature === SEVERAL) return new CredentialsAmbiguousError()
    const given = readSignatureInput(input, signature)
    if (given === undefined || (given.alg !== null && given.alg !== 'hmac-sha256')) return new CredentialsInvalidError()
    const identity = this.#signer(exchange, given)
    if (identity === undefined || !this.#isInTime(given)) return new CredentialsInvalidError()
    const taken = this.#takeOnce(given)
    if (taken !== undefined) return taken
    return exchange.body === null ? identity : this.#withBody(exchange, identity)
  }

  conceal({ fields }: Exchange): void {
    if (this.#options.keep) return
    dropField(fields, 'signature-input')
    dropField(fields, 'signature')
  }

  /** Who has signed it. An unknown `keyid` is as much work as a wrong signature. */
  #signer(exchange: Exchange, given: SignatureInput): Identity | undefined {
    const base = isCovered(exchange, given.components) ? signatureBase(exchange, given) : undefined
    if (base === undefined) return undefined
    const known = this.#parts.consumers.directory.secrets.get(given.keyid)
    const expected = createHmac('sha256', known?.secret ?? NOBODYS_SECRET)
      .update(base, 'latin1')
      .digest()
    const { signature } = given
    return signature.length === expected.length && timingSafeEqual(signature, expected) ? known?.identity : undefined
  }

  #isInTime({ created, expires }: SignatureInput): boolean {
    const now = this.#parts.now()
    if (expires !== null && now >= expires * 1000) return false
    return Math.abs(now - created * 1000) <= this.#options.windowMs
  }

  #takeOnce({ keyid, nonce, signature }: SignatureInput): GatewayError | undefined {
    const once = nonce === null ? signature.toString('base64url') : `"${nonce}`
    const taken = this.replays.take(hash('sha256', `${keyid}\n${once}`, 'base64url'), this.#parts.now())
    if (taken === 'known') return new ReplayedError()
    return taken === 'full' ? busy() : undefined
  }

  async #withBody(exchange: Exchange, identity: Identity): Promise<Authentication> {
    const { maxBodyBytes } = this.#options
    const digest = onlyField(exchange.fields, 'content-digest')
    if (digest === SEVERAL) return new CredentialsAmbiguousError()
    const digests = readContentDigest(digest)
    if (digests === undefined) return new CredentialsInvalidError()
    if (Number(exchange.fields.contentLength ?? 0) > maxBodyBytes) return new BodyTooLargeError(maxBodyBytes)
    try {
      return (await hasDigests(exchange, digests, maxBodyBytes)) ? identity : new CredentialsInvalidError()
    } catch (error) {
      // It broke off, or is not what its head says: the client's doing, and told as that.
      if ((error as GatewayError).code?.startsWith('HR_')) return error as GatewayError
      throw error
    }
  }
}
