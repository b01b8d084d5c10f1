import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import type { Exchange } from '../../downstream/exchange.ts'
import type { Identity } from '../../downstream/identity.ts'
import { BodyTooLargeError } from '../../http/errors.ts'
import type { GatewayError } from '../../http/problem.ts'
import { removeField } from '../../http/request-fields.ts'
import type { Consumers } from '../consumers/consumers.ts'
import { onlyField, SEVERAL } from '../credentials.ts'
import { busy, CredentialsAmbiguousError, CredentialsInvalidError, ReplayedError } from '../errors.ts'
import type { HmacOptions } from '../options.ts'
import type { Authentication, Authenticator } from '../scheme.ts'
import { hasDigests, haveDigests, readContentDigest } from './content-digest.ts'
import { ReplayMemory, type Taken } from './replay-memory.ts'
import { SharedReplays, type TakeSignature } from './shared-replays.ts'
import { isCovered, signatureBase } from './signature-base.ts'
import { readSignatureInput, type SignatureInput } from './signature-input.ts'

/** What a signature of nobody is checked with. */
const NOBODYS_SECRET = 'nobody has this secret, and no secret is as short as none'

const NO_BYTES = Buffer.alloc(0)

export interface HmacSchemeParts {
  realm: string
  consumers: Pick<Consumers, 'directory'>
  /** Milliseconds since 1970. */
  now: () => number
  /** Of the gateway whose place is taken: what was accepted there is not accepted again. */
  previous?: HmacScheme | undefined
  /** What others have accepted; by default there are none. */
  shared?: SharedReplays | null
}

/**
 * Signed requests: HTTP Message Signatures (RFC 9421) by `hmac-sha256`. Method, authority, path and query have to be signed,
 * and with a body its Content-Digest (RFC 9530), which is compared with what comes, were it nothing, before anything goes on. Accepted once
 * in the window of time around now: in this process, and in those that it shares with, as long as they can be asked.
 */
export class HmacScheme implements Authenticator {
  readonly scheme = 'hmac'
  readonly challenge: string
  readonly isCounted = true
  /** Signatures that were computed, for whomever. */
  computed = 0
  readonly replays: ReplayMemory
  readonly #options: HmacOptions
  // Not with `previous`: each would keep all before it alive.
  readonly #parts: Omit<HmacSchemeParts, 'previous'>
  /** What others have accepted; `null` where there are none, or it is not wanted. */
  #shared: SharedReplays | null
  /** Signatures from before then have the window that there was, where it is the shorter: what it has let go is forgotten. */
  readonly #before: { time: number; windowMs: number }

  constructor(options: HmacOptions, { previous, ...parts }: HmacSchemeParts) {
    this.#options = options
    this.#parts = parts
    this.challenge = `Signature realm="${parts.realm}", alg="hmac-sha256"`
    const now = parts.now()
    this.replays = previous?.replays ?? new ReplayMemory(replayBounds(options))
    this.replays.rebind(replayBounds(options), now)
    this.#before = { time: -Infinity, windowMs: options.windowMs }
    // A client's clock may be ahead, by a window at most.
    if (previous !== undefined) {
      this.#before = { time: now + previous.#options.windowMs, windowMs: previous.#windowAt(now) }
    }
    this.#shared = options.shared ? (parts.shared ?? null) : null
  }

  /** Other processes of this machine accept signatures as well; who shares with other machines asks these. */
  shareWith(take: TakeSignature): void {
    if (this.#options.shared) this.#shared ??= new SharedReplays(take)
  }

  authenticate(exchange: Exchange): Authentication | Promise<Authentication> {
    const input = onlyField(exchange.fields, 'signature-input')
    const signature = onlyField(exchange.fields, 'signature')
    if (input === undefined || signature === undefined) return undefined
    if (input === SEVERAL || signature === SEVERAL) return new CredentialsAmbiguousError()
    const given = readSignatureInput(input, signature)
    if (given === undefined || (given.alg !== null && given.alg !== 'hmac-sha256')) return new CredentialsInvalidError()
    const identity = this.#signer(exchange, given)
    if (identity === undefined || !this.#isInTime(given) || lacksBody(exchange, given)) {
      return new CredentialsInvalidError()
    }
    const id = idOf(given)
    const refused = refusalOf(this.replays.take(id, this.#parts.now()))
    if (refused !== undefined) return refused
    const elsewhere = this.#shared?.take(id)
    if (elsewhere !== undefined) return this.#unlessTaken(elsewhere, exchange, identity)
    return exchange.body === null ? identity : this.#withBody(exchange, identity)
  }

  conceal({ fields }: Exchange): void {
    if (this.#options.keep) return
    removeField(fields.kept, 'signature-input')
    removeField(fields.kept, 'signature')
  }

  /** Who has signed it. An unknown `keyid` is as much work as a wrong signature. */
  #signer(exchange: Exchange, given: SignatureInput): Identity | undefined {
    const base = isCovered(exchange, given.components) ? signatureBase(exchange, given) : undefined
    if (base === undefined) return undefined
    this.computed++
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
    return Math.abs(now - created * 1000) <= this.#windowAt(created * 1000)
  }

  #windowAt(time: number): number {
    const { windowMs } = this.#options
    return time < this.#before.time ? Math.min(windowMs, this.#before.windowMs) : windowMs
  }

  async #unlessTaken(
    elsewhere: Promise<Taken | undefined>,
    exchange: Exchange,
    identity: Identity,
  ): Promise<Authentication> {
    return refusalOf(await elsewhere) ?? (exchange.body === null ? identity : await this.#withBody(exchange, identity))
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

/** For how long a signature has to be remembered: from the earliest time at which it may come to the latest. */
export function replayBounds({ windowMs, remember }: Pick<HmacOptions, 'windowMs' | 'remember'>): {
  lifetimeMs: number
  most: number
} {
  return { lifetimeMs: 2 * windowMs, most: remember }
}

/** One was signed, and has been taken away on the way here. */
function lacksBody({ body, fields }: Exchange, { components }: SignatureInput): boolean {
  if (body !== null || !components.includes('content-digest')) return false
  const digest = onlyField(fields, 'content-digest')
  const digests = digest === SEVERAL ? undefined : readContentDigest(digest)
  return digests === undefined || !haveDigests(NO_BYTES, digests)
}

/** By what a signature is accepted once: its nonce, or itself. */
function idOf({ keyid, nonce, signature }: SignatureInput): string {
  const once = nonce === null ? signature.toString('base64url') : `"${nonce}`
  return hash('sha256', `${keyid}\n${once}`, 'base64url')
}

function refusalOf(taken: Taken | undefined): GatewayError | undefined {
  if (taken === 'known') return new ReplayedError()
  return taken === 'full' ? busy() : undefined
}
