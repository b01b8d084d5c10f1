import { systemClock } from '../upstream/clock.ts'
import type { Claims, KnownConsumer } from './claims.ts'
import type { Consumers } from './consumers/consumers.ts'
import { ForwardAuthenticator } from './forward/authenticator.ts'
import { JwtAuthenticator } from './jwt/authenticator.ts'
import { FileKeys } from './jwt/file-keys.ts'
import { Issuer } from './jwt/issuer.ts'
import type { KeySource } from './jwt/key-source.ts'
import type { JwtOptions, KeysOptions } from './jwt/options.ts'
import { RemoteKeys } from './jwt/remote-keys.ts'
import { SharedKeys, sourceOf } from './jwt/shared-keys.ts'
import { OidcAuthenticator } from './oidc/authenticator.ts'
import { cookieSecrets } from './oidc/cookie-secrets.ts'
import { Login } from './oidc/login.ts'
import type { OidcOptions } from './oidc/options.ts'
import { Provider } from './oidc/provider.ts'
import { RedisRenewals } from './oidc/redis-renewals.ts'
import { Seal } from './oidc/seal.ts'
import type { Session } from './oidc/session.ts'
import { Sessions } from './oidc/sessions.ts'
import { SharedRenewals } from './oidc/shared-renewals.ts'
import type { Machines } from './machines.ts'
import type { AccessOptions } from './options.ts'
import type { Authenticator } from './scheme.ts'

export interface ProvidersParts {
  log: Record<'info' | 'error', (details: object, message: string) => void>
  consumers: Pick<Consumers, 'directory'>
  machines: Machines
  /** Milliseconds since 1970. */
  now: () => number
  /** Of the gateway whose place is taken: keys that it has read are not waited for again. */
  previous: Providers | null
  /** What was revoked, wherever: tokens by their claims, sessions by their name. */
  isRevoked: (claims: Claims) => boolean
  isEnded: (session: Session) => boolean
}

interface BrowserLogin {
  login: Login
  sessions: Sessions
}

/**
 * Those outside the configuration who say who callers are: issuers of tokens, identity providers, services that are asked.
 * What was found out from them is remembered, and all of it forgotten whenever something that it was judged by changes.
 */
export class Providers {
  readonly issuers: ReadonlyMap<string, Issuer>
  readonly forwards: ReadonlyMap<string, ForwardAuthenticator>
  readonly logins: ReadonlyMap<string, BrowserLogin>
  /** Of issuers' keys, with other processes and machines. */
  readonly sharing: SharedKeys
  /** Of browsers' sessions, with other processes; machines share those of each login. */
  readonly renewals = new SharedRenewals()
  /** Ends a session in all processes; by default there is this one. */
  endSession: (session: Session) => Promise<void> = async () => this.forget()
  readonly #realm: string
  // Not with `previous`: each would keep all before it alive.
  readonly #parts: Omit<ProvidersParts, 'previous'>

  /** @throws HR_ACCESS_KEY_SET, HR_ACCESS_COOKIE_SECRET */
  constructor({ jwt, oidc, forward, realm }: AccessOptions, { previous, ...parts }: ProvidersParts) {
    this.#realm = realm
    this.#parts = parts
    this.sharing = new SharedKeys(parts.machines)
    this.issuers = new Map(jwt.map((options) => [options.name, this.#issuer(options, previous)]))
    this.logins = new Map(oidc.map((options) => [options.name, this.#login(options)]))
    this.forwards = new Map(forward.map((options) => [options.name, this.#forward(options)]))
  }

  /** As routes have them in `by`. */
  get names(): string[] {
    return [
      ...[...this.issuers.keys()].map((name) => `jwt:${name}`),
      ...[...this.logins.keys()].map((name) => `oidc:${name}`),
      ...[...this.forwards.keys()].map((name) => `forward:${name}`),
    ]
  }

  get browserLogins(): Login[] {
    return [...this.logins.values()].map(({ login }) => login)
  }

  /** Fields of requests that only these services write. */
  get reserved(): string[] {
    return [...this.forwards.values()].flatMap(({ options }) => options.copy)
  }

  /**
   * A way of a route, by its name in `by`. All issuers of tokens that a route has are one way, in the place of the first:
   * each token has one issuer.
   *
   * @param by all ways of the route
   * @param isOptional it lets through who shows nothing
   * @returns `null` for an issuer that is part of another way already; `undefined` for what is none of these
   */
  way(name: string, by: readonly string[], isOptional: boolean): Authenticator | null | undefined {
    const at = name.indexOf(':')
    const [kind, own] = [name.slice(0, at), name.slice(at + 1)]
    switch (kind) {
      case 'jwt': {
        const names = by.filter((one) => one.startsWith('jwt:'))
        const issuers = names.map((one) => this.issuers.get(one.slice(4))).filter((one) => one !== undefined)
        if (issuers.length < names.length) return undefined
        return names[0] === name ? new JwtAuthenticator(issuers, this.#realm) : null
      }
      case 'oidc': {
        const login = this.logins.get(own)
        return login && new OidcAuthenticator({ ...login, now: this.#parts.now }, isOptional)
      }
      case 'forward':
        return this.forwards.get(own)
      default:
        return undefined
    }
  }

  /** Begins to follow keys. */
  start(): void {
    if (this.names.length > 0) {
      const sources = [...this.issuers.values()].flatMap(({ options }) => sourceOf(options) ?? [])
      this.sharing.start(sources, { refresh: () => void this.#refresh(), keys: this.#heardOfKeys })
    }
    for (const { keys } of this.issuers.values()) keys.start()
  }

  /** Nothing that was judged until now counts any more. */
  forget(): void {
    for (const issuer of this.issuers.values()) issuer.forget()
    for (const { sessions } of this.logins.values()) sessions.forget()
    for (const forward of this.forwards.values()) forward.forget()
  }

  /**
   * Reads all keys anew, and forgets; other machines are told to do the same. Resolves once those that can be had are in force
   * here.
   *
   * @param id of what asked for it: once from there is enough
   */
  async refresh(id: string): Promise<void> {
    this.sharing.refresh(id)
    await this.#refresh()
  }

  /** Takes over keys that another process of this machine has read. */
  adoptKeys(issuer: string, text: string): void {
    this.issuers.get(issuer)?.keys.adopt(text)
  }

  close(): void {
    this.sharing.close()
    for (const { keys } of this.issuers.values()) keys.close()
    for (const forward of this.forwards.values()) forward.close()
  }

  #issuer(options: JwtOptions, previous: Providers | null): Issuer {
    const { now, isRevoked } = this.#parts
    const keys = this.#keys(options)
    const before = previous?.issuers.get(options.name)
    const text = before?.keys.current?.text
    const isSame = JSON.stringify(before?.options.keys) === JSON.stringify(options.keys)
    if (isSame && text !== undefined) keys.adopt(text)
    return new Issuer(options, { keys, now, consumerOf: this.#consumerOf, isRevoked })
  }

  #keys({ name, keys: from }: JwtOptions): KeySource {
    const failed = this.#failed(name, 'The keys of an issuer cannot be read; those from before stay in force')
    if (!('url' in from)) return new FileKeys({ from: fileOf(from), failed })
    const source = sourceOf({ keys: from }) as string
    return new RemoteKeys({
      ...from,
      clock: systemClock,
      failed,
      takeTurn: () => this.sharing.takeTurn(source),
      tell: (set) => this.sharing.tell(name, source, set),
    })
  }

  readonly #heardOfKeys = (source: string, digest: string): void => {
    for (const { options, keys } of this.issuers.values()) if (sourceOf(options) === source) void keys.heard(digest)
  }

  async #refresh(): Promise<void> {
    this.forget()
    await Promise.all([...this.issuers.values()].map(({ keys }) => keys.refresh()))
  }

  #login(options: OidcOptions): BrowserLogin {
    const { now, isEnded, machines } = this.#parts
    const { link, prefix } = machines
    const { name } = options
    const failed = this.#failed(name, 'An identity provider does not answer as it should')
    const provider = new Provider(options, () => systemClock.now())
    const seal = new Seal(cookieSecrets(options.cookieSecrets, options.dataDir), { name, now })
    const consumerOf = this.#consumerOf
    const sessions = new Sessions(options, {
      provider,
      seal,
      now,
      consumerOf,
      isEnded,
      failed,
      renewals: this.renewals,
      machines: link === null ? null : new RedisRenewals({ link, prefix, seal, now }),
    })
    const end = (session: Session): Promise<void> => this.endSession(session)
    return { sessions, login: new Login(options, { provider, sessions, seal, now, failed, end }) }
  }

  #forward(options: ForwardAuthenticator['options']): ForwardAuthenticator {
    const failed = this.#failed(options.name, 'A service that says who may call does not answer as it should')
    return new ForwardAuthenticator(options, { now: this.#parts.now, consumerOf: this.#consumerOf, failed })
  }

  /** What failed, without anything of the request. */
  #failed(provider: string, message: string): (error: unknown) => void {
    return (error) => {
      const { code, message: reason } = error as { code?: unknown; message?: unknown }
      this.#parts.log.error({ provider, code, reason }, message)
    }
  }

  readonly #consumerOf = (name: string): KnownConsumer | undefined => {
    const consumer = this.#parts.consumers.directory.named(name)
    return consumer?.enabled === true ? consumer : undefined
  }
}

function fileOf(from: Exclude<KeysOptions, { url: string }>): { file: string } | { text: string } {
  return 'file' in from ? from : { text: from.inline }
}
