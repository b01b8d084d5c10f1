import { hash, randomUUID } from 'node:crypto'
import type { Identity } from '../../downstream/identity.ts'
import { type Claims, identityOf, type KnownConsumer } from '../claims.ts'
import { CredentialsInvalidError } from '../errors.ts'
import { Verdicts } from '../verdicts.ts'
import { providerAway } from './errors.ts'
import type { OidcOptions } from './options.ts'
import { type Provider, ProviderRefusal, type Tokens } from './provider.ts'
import type { Seal } from './seal.ts'
import { isSession, type Session } from './session.ts'
import { MOST_TEXT } from './session-cookies.ts'
import type { RedisRenewals } from './redis-renewals.ts'
import { NOT_KNOWN, type Renewed, type SharedRenewals } from './shared-renewals.ts'

/** A token is refreshed so long before it expires: it is to be good where it arrives, too. */
const EARLY_MS = 10_000
/** A browser sends several requests with the cookie from before a refresh; they get what the first one got. */
const KEEP_RENEWED_MS = 30_000
const MOST_RENEWED = 1_000
/** What a token says of itself, and not of a person. */
const ABOUT_TOKEN = new Set(['nonce', 'at_hash', 'c_hash', 's_hash', 'exp', 'nbf', 'iat', 'jti', 'sid', 'aud', 'azp'])

/** A session that holds. */
export interface OpenSession {
  session: Session
  identity: Identity
  /** What its browser is to keep from now on; `null`: what it has. */
  renewed: string | null
}

export interface SessionsParts {
  provider: Pick<Provider, 'refresh'>
  seal: Seal
  /** Epoch, ms. */
  now: () => number
  consumerOf: (name: string) => KnownConsumer | undefined
  /** Somebody has ended it. */
  isEnded: (session: Session) => boolean
  /** Told of what the provider fails with, where that is not a no. */
  failed: (error: unknown) => void
  /** With the other processes. */
  renewals: SharedRenewals
  /** With other machines; `null` without Redis. */
  machines: Pick<RedisRenewals, 'ask' | 'tell'> | null
}

/**
 * Sessions that browsers keep in sealed cookies: nothing of them is stored here. What was opened once is remembered by its
 * digest until it is to be refreshed. A refresh happens once for all requests that come with the same cookie;
 * its outcome is the whole session's: where the provider says no, it is over.
 */
export class Sessions {
  readonly verdicts: Verdicts<OpenSession>
  refreshes = 0
  readonly #options: OidcOptions
  readonly #parts: SessionsParts
  /** What an identity of an open session may send upstream. */
  readonly #tokens = new WeakMap<Identity, string>()
  readonly #renewing = new Map<string, { since: number; outcome: Promise<OpenSession | undefined> }>()

  constructor(options: OidcOptions, parts: SessionsParts) {
    this.#options = options
    this.#parts = parts
    this.verdicts = new Verdicts(options.cache)
  }

  /** What is remembered of a cookie. @param digest its SHA-256 */
  known(digest: string): OpenSession | undefined {
    return this.verdicts.get(digest, this.#parts.now())
  }

  /**
   * What a cookie has.
   *
   * @returns `undefined` where it is no session, or one that is over
   * @throws HR_ACCESS_INVALID for somebody who is no consumer, HR_ACCESS_PROVIDER_AWAY
   */
  async open(text: string, digest: string): Promise<OpenSession | undefined> {
    const { seal, now } = this.#parts
    const { generation } = this.verdicts
    const session = await seal.open(text, 'session')
    if (!isSession(session) || !this.#lasts(session)) return undefined
    if (session.refreshAt !== null && session.refreshToken !== null && now() >= session.refreshAt) {
      return await this.#renewOnce(session, session.refreshToken)
    }
    const open = { session, identity: this.#identityOf(session), renewed: null }
    this.#keep(digest, open, generation)
    return open
  }

  /** Of a cookie that is not to be used any more, but for its end. @returns `undefined` where it is no session */
  async read(text: string): Promise<Session | undefined> {
    const session = await this.#parts.seal.open(text, 'session')
    return isSession(session) ? session : undefined
  }

  /** Whether a cookie has a session that lasts; it may have to be refreshed. */
  async holds(text: string): Promise<boolean> {
    const session = await this.read(text)
    return session !== undefined && this.#lasts(session)
  }

  /** A session of somebody who has just logged in. @throws HR_ACCESS_INVALID */
  create(tokens: Tokens): Session {
    const startedAt = this.#parts.now()
    const until = startedAt + this.#options.lifetimeMs
    const session = this.#with(tokens, { id: randomUUID(), claims: {}, idToken: null, startedAt, until })
    this.#identityOf(session)
    return session
  }

  /** @param maxLength longer texts are tried without the ID token */
  async seal(session: Session, maxLength: number): Promise<string> {
    const text = await this.#parts.seal.seal(session, 'session', session.until)
    if (text.length <= maxLength || session.idToken === null) return text
    return await this.#parts.seal.seal({ ...session, idToken: null }, 'session', session.until)
  }

  /** The access token of somebody's session, where it is kept. */
  tokenOf(identity: Identity): string | undefined {
    return this.#tokens.get(identity)
  }

  forget(): void {
    this.verdicts.forget()
    this.#renewing.clear()
  }

  #renewOnce(session: Session, refreshToken: string): Promise<OpenSession | undefined> {
    const now = this.#parts.now()
    const digest = hash('sha256', refreshToken)
    const known = this.#renewing.get(digest)
    if (known !== undefined) return known.outcome
    for (const [key, { since }] of this.#renewing) {
      if (this.#renewing.size < MOST_RENEWED && now - since < KEEP_RENEWED_MS) break
      this.#renewing.delete(key)
    }
    const outcome = this.#renewHereOrElsewhere(session, refreshToken, digest)
    this.#renewing.set(digest, { since: now, outcome })
    // The next request tries again.
    outcome.catch(() => this.#renewing.delete(digest))
    return outcome
  }

  async #renewHereOrElsewhere(
    session: Session,
    refreshToken: string,
    digest: string,
  ): Promise<OpenSession | undefined> {
    const { renewals, machines } = this.#parts
    const { timeoutMs } = this.#options
    const here = await renewals.ask(digest, timeoutMs)
    if (here !== NOT_KNOWN) return await this.#adopt(here)
    let said: Renewed = NOT_KNOWN
    try {
      if (machines !== null) said = await machines.ask(digest, timeoutMs)
      if (said !== NOT_KNOWN) return await this.#adopt(said)
      const open = await this.#renewTelling(session, refreshToken, digest)
      said = open?.renewed ?? null
      return open
    } finally {
      renewals.tell(digest, said)
    }
  }

  async #renewTelling(session: Session, refreshToken: string, digest: string): Promise<OpenSession | undefined> {
    let said: Renewed = NOT_KNOWN
    try {
      const open = await this.#renew(session, refreshToken)
      said = open?.renewed ?? null
      return open
    } finally {
      void this.#parts.machines?.tell(digest, said)
    }
  }

  /** @param text sealed by another process or machine, which has refreshed it; `null` where it was told no */
  async #adopt(text: string | null): Promise<OpenSession | undefined> {
    if (text === null) return undefined
    const { generation } = this.verdicts
    const session = await this.read(text)
    if (session === undefined || !this.#lasts(session)) return undefined
    return this.#renewed(session, text, generation)
  }

  async #renew(session: Session, refreshToken: string): Promise<OpenSession | undefined> {
    const { provider, failed } = this.#parts
    const { generation } = this.verdicts
    this.refreshes++
    let tokens: Tokens
    try {
      tokens = await provider.refresh(refreshToken)
    } catch (error) {
      if (error instanceof ProviderRefusal && error.code === 'invalid_grant') return undefined
      failed(error)
      throw providerAway(this.#options.name)
    }
    // OpenID Connect Core §12.2: of the same person.
    if (tokens.claims !== null && tokens.claims.sub !== session.claims.sub) return undefined
    const renewed = this.#with(tokens, session)
    if (!this.#lasts(renewed)) return undefined
    const text = await this.seal(renewed, MOST_TEXT)
    return this.#renewed(renewed, text, generation)
  }

  #renewed(session: Session, text: string, generation: number): OpenSession {
    const open = { session, identity: this.#identityOf(session), renewed: text }
    this.#keep(hash('sha256', text, 'base64url'), { ...open, renewed: null }, generation)
    return open
  }

  #with(
    tokens: Tokens,
    before: Pick<Session, 'id' | 'claims' | 'idToken' | 'startedAt' | 'until'> & Partial<Session>,
  ): Session {
    const refreshToken = tokens.refreshToken ?? before.refreshToken ?? null
    const { expiresInS } = tokens
    const isRefreshed = refreshToken !== null && expiresInS !== null
    return {
      id: before.id,
      claims: tokens.claims === null ? before.claims : personal(tokens.claims),
      idToken: tokens.idToken ?? before.idToken,
      // Only where it is of use: cookies are small.
      accessToken: this.#options.sendToken ? tokens.accessToken : null,
      refreshToken: isRefreshed ? refreshToken : null,
      refreshAt: isRefreshed ? this.#parts.now() + Math.max(expiresInS * 1000 - EARLY_MS, 1_000) : null,
      startedAt: before.startedAt,
      until: before.until,
    }
  }

  #lasts(session: Session): boolean {
    return this.#parts.now() < session.until && !this.#parts.isEnded(session)
  }

  #keep(digest: string, open: OpenSession, generation: number): void {
    const { refreshAt, until } = open.session
    this.verdicts.keep(digest, { value: open, until: Math.min(refreshAt ?? until, until) }, generation)
  }

  #identityOf({ claims, accessToken }: Session): Identity {
    const names = this.#options.claims
    const identity = identityOf(claims, { scheme: 'oidc', names }, this.#parts.consumerOf)
    if (identity === undefined) throw new CredentialsInvalidError()
    if (accessToken !== null) this.#tokens.set(identity, accessToken)
    return identity
  }
}

function personal(claims: Claims): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([name]) => !ABOUT_TOKEN.has(name)))
}
