import { hash, randomBytes } from 'node:crypto'
import { cookieOf } from '../cookies.ts'
import { CrossSiteError } from '../jwt/errors.ts'
import { LoginInsecureError, LoginRefusedError, LoginStateError, providerAway, SessionSizeError } from './errors.ts'
import { keepsSecureCookies, type OidcOptions } from './options.ts'
import { type Provider, ProviderRefusal } from './provider.ts'
import type { Seal } from './seal.ts'
import { type Begun, isBegun, safePath, type Session } from './session.ts'
import { cookiesOf, gone, MOST_TEXT, type SetCookie, textOf } from './session-cookies.ts'
import type { Sessions } from './sessions.ts'

/** How long somebody may take to log in. */
const LOGIN_MS = 600_000
/** Pages that are logging in at a time, in one browser; the cookies of those before go with the next. */
const MOST_LOGINS = 4

/** Where a browser goes, and what it keeps. */
export interface Redirect {
  location: string
  cookies: SetCookie[]
}

/** What is looked at of a request. */
export interface Visit {
  /** Where the browser finds the gateway: `https://app.example.com`. */
  origin: string
  /** Cookie. */
  header: string | undefined
  /** A page of another site has sent it here. */
  isCrossSite?: boolean
}

export interface LoginParts {
  provider: Pick<Provider, 'loginUrl' | 'redeem' | 'logoutUrl'>
  sessions: Sessions
  seal: Seal
  /** Epoch, ms. */
  now: () => number
  /** Told of what the provider fails with, where that is not a no. */
  failed: (error: unknown) => void
  /** Nobody is to come with this session any more, in any process. */
  end: (session: Session) => Promise<void>
}

/**
 * A browser's way to a session and out of it. What it has begun, it keeps in a sealed cookie of ten minutes, under a name
 * made of `state`: a callback counts only in the browser that began it (login CSRF), and only once.
 */
export class Login {
  readonly options: OidcOptions
  readonly #parts: LoginParts

  constructor(options: OidcOptions, parts: LoginParts) {
    this.options = options
    this.#parts = parts
  }

  /**
   * Sends a browser to the provider.
   *
   * @param to a path; another host's is none
   * @throws HR_ACCESS_LOGIN_INSECURE, HR_ACCESS_PROVIDER_AWAY
   */
  async begin({ origin, header }: Visit, to: string | undefined): Promise<Redirect> {
    const { seal, now, provider } = this.#parts
    if (!keepsSecureCookies(this.options.origin ?? origin)) throw new LoginInsecureError()
    const begun: Begun = { state: random(), nonce: random(), verifier: random(), to: safePath(to) }
    const location = await this.#asked(() => provider.loginUrl(begun, this.#callbackOf(origin)))
    const value = await seal.seal(begun, 'login', now() + LOGIN_MS)
    return {
      location: location.href,
      cookies: [...this.#crowd(header), { name: this.#cookieOf(begun.state), value, maxAgeS: LOGIN_MS / 1000 }],
    }
  }

  /**
   * A browser comes back. One whose login does not count, but who is logged in by another page, is sent on.
   *
   * @param query of the callback, with its `?`
   * @throws HR_ACCESS_LOGIN_STATE, HR_ACCESS_LOGIN_REFUSED, HR_ACCESS_PROVIDER_AWAY, HR_ACCESS_SESSION_SIZE, HR_ACCESS_INVALID
   */
  async finish({ origin, header }: Visit, query: string): Promise<Redirect> {
    const { seal, provider, sessions, now } = this.#parts
    const url = new URL(this.#callbackOf(origin) + query)
    const state = url.searchParams.get('state')
    const name = this.#cookieOf(state ?? '')
    const text = cookieOf(header, name)
    const begun = text === undefined ? undefined : await seal.open(text, 'login')
    if (!isBegun(begun) || begun.state !== state) {
      if (await this.#isIn(header)) return { location: '/', cookies: [] }
      throw new LoginStateError()
    }
    const session = sessions.create(await this.#asked(() => provider.redeem(url, begun)))
    const sealed = await sessions.seal(session, MOST_TEXT)
    const maxAgeS = Math.floor((session.until - now()) / 1000)
    const cookies = cookiesOf(sealed, { name: this.options.cookie, maxAgeS, header })
    if (cookies === undefined) throw new SessionSizeError()
    return { location: safePath(begun.to), cookies: [...cookies, { name, value: '', maxAgeS: 0 }] }
  }

  /**
   * Ends the session of a browser, here and at the provider; one that has none is sent on.
   *
   * @throws HR_ACCESS_CROSS_SITE: pages of other sites log nobody out
   */
  async end({ origin, header, isCrossSite = false }: Visit): Promise<Redirect> {
    if (isCrossSite) throw new CrossSiteError()
    const { cookie, afterLogout } = this.options
    const cookies = gone(cookie, header)
    const text = textOf(header, cookie)
    const session = text === undefined ? undefined : await this.#parts.sessions.read(text)
    if (session === undefined) return { location: afterLogout, cookies }
    await this.#parts.end(session)
    try {
      const url = await this.#parts.provider.logoutUrl(session.idToken, origin + afterLogout)
      return { location: url?.href ?? afterLogout, cookies }
    } catch (error) {
      // The session is over here in any case.
      this.#parts.failed(error)
      return { location: afterLogout, cookies }
    }
  }

  async #isIn(header: string | undefined): Promise<boolean> {
    const text = textOf(header, this.options.cookie)
    return text !== undefined && (await this.#parts.sessions.holds(text))
  }

  #callbackOf(origin: string): string {
    return (this.options.origin ?? origin) + this.options.callback
  }

  #cookieOf(state: string): string {
    return `${this.options.cookie}.login-${hash('sha256', state, 'base64url').slice(0, 10)}`
  }

  /** Logins that were begun and left, where they become many. */
  #crowd(header: string | undefined): SetCookie[] {
    const prefix = `${this.options.cookie}.login-`
    const names = (header ?? '')
      .split(';')
      .map((pair) => pair.trim().split('=', 1)[0] as string)
      .filter((name) => name.startsWith(prefix))
    return names.length < MOST_LOGINS ? [] : names.slice(0, 50).map((name) => ({ name, value: '', maxAgeS: 0 }))
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask()
    } catch (error) {
      if (error instanceof ProviderRefusal) throw new LoginRefusedError(shown(error.code))
      this.#parts.failed(error)
      throw providerAway(this.options.name)
    }
  }
}

const random = (): string => randomBytes(32).toString('base64url')

/** What a provider, or whoever writes a link to the callback, says of itself. */
function shown(code: string): string {
  return /^[A-Za-z0-9_]{1,64}$/.test(code) ? code : 'no reason that can be shown'
}
