import { hash } from 'node:crypto'
import { dress } from '../../downstream/dressed-reply.ts'
import type { Exchange } from '../../downstream/exchange.ts'
import { ANSWERED } from '../../gate/gate.ts'
import { currentDate } from '../../http/current-date.ts'
import type { GatewayError } from '../../http/problem.ts'
import { fieldOf } from '../../http/request-fields.ts'
import { dropCookies } from '../cookies.ts'
import { dropAuthorization } from '../credentials.ts'
import { isCrossSite } from '../cross-site.ts'
import { CrossSiteError } from '../jwt/errors.ts'
import type { Authentication, Authenticator } from '../scheme.ts'
import { SessionOverError } from './errors.ts'
import type { Login, Redirect, Visit } from './login.ts'
import { cookiesOf, gone, setCookieOf, textOf } from './session-cookies.ts'
import type { OpenSession, Sessions } from './sessions.ts'

export interface OidcParts {
  login: Login
  sessions: Sessions
  /** Epoch, ms. */
  now: () => number
}

/**
 * Browsers with a session of the gateway's. One without is sent to log in where it opens a page; what a script or a program
 * asks for is left to the route's next way, since a login page is no answer to it.
 */
export class OidcAuthenticator implements Authenticator {
  readonly scheme = 'oidc'
  /** RFC 9110 has no scheme for it: browsers are redirected. */
  readonly challenge = null
  readonly #parts: OidcParts
  readonly #cookie: string
  /** Whoever may come as nobody is not made to log in: they go to the login's own path if they want to. */
  readonly #isOptional: boolean

  constructor(parts: OidcParts, isOptional: boolean) {
    this.#parts = parts
    this.#cookie = parts.login.options.cookie
    this.#isOptional = isOptional
  }

  authenticate(exchange: Exchange): Authentication | Promise<Authentication> {
    const text = textOf(exchange.fields.cookie, this.#cookie)
    if (text === undefined) return !this.#isOptional && opensPage(exchange) ? this.#logIn(exchange, []) : undefined
    if (isCrossSite(exchange)) return new CrossSiteError()
    const digest = hash('sha256', text, 'base64url')
    return this.#parts.sessions.known(digest)?.identity ?? this.#resume(exchange, text, digest)
  }

  conceal(exchange: Exchange): void {
    const { fields, identity } = exchange
    const prefix = `${this.#cookie}.`
    dropCookies(fields, (name) => name === this.#cookie || name.startsWith(prefix))
    if (!this.#parts.login.options.sendToken || identity?.scheme !== 'oidc') return
    const token = this.#parts.sessions.tokenOf(identity)
    if (token === undefined) return
    dropAuthorization(fields)
    // As if it had come with it: a cache is to know (RFC 9111 §3.5).
    fields.authorization = `Bearer ${token}`
    fields.kept.push('authorization', fields.authorization)
  }

  async #resume(exchange: Exchange, text: string, digest: string): Promise<Authentication> {
    let open: OpenSession | undefined
    try {
      open = await this.#parts.sessions.open(text, digest)
    } catch (error) {
      return refusalOf(error)
    }
    const { cookie: header } = exchange.fields
    if (open === undefined) {
      const cookies = gone(this.#cookie, header)
      if (!this.#isOptional && opensPage(exchange)) return await this.#logIn(exchange, cookies)
      for (const cookie of cookies) dress(exchange, 'set-cookie', setCookieOf(cookie))
      return new SessionOverError()
    }
    if (open.renewed !== null) {
      const maxAgeS = Math.floor((open.session.until - this.#parts.now()) / 1000)
      const cookies = cookiesOf(open.renewed, { name: this.#cookie, maxAgeS, header }) ?? []
      for (const cookie of cookies) dress(exchange, 'set-cookie', setCookieOf(cookie))
    }
    return open.identity
  }

  async #logIn(exchange: Exchange, cookies: Redirect['cookies']): Promise<Authentication> {
    const { login } = this.#parts
    try {
      const redirect = await login.begin(visitOf(exchange, login.options.origin), exchange.path + exchange.query)
      return redirectTo(exchange, { ...redirect, cookies: [...cookies, ...redirect.cookies] })
    } catch (error) {
      return refusalOf(error)
    }
  }
}

function visitOf({ scheme, authority, fields }: Exchange, origin: string | null): Visit {
  return { origin: origin ?? `${scheme}://${authority}`, header: fields.cookie }
}

/** Fetch Metadata says it; browsers without it accept HTML. Whoever brings a token of another kind is no browser. */
function opensPage({ method, fields }: Exchange): boolean {
  if (method !== 'GET' || fields.authorization !== undefined || fields.upgrade !== undefined) return false
  const mode = fieldOf(fields.kept, 'sec-fetch-mode')
  if (mode !== undefined) return mode === 'navigate'
  return /(?:^|[\s,])text\/html\b/i.test(fieldOf(fields.kept, 'accept') ?? '')
}

function redirectTo(exchange: Exchange, { location, cookies }: Redirect): typeof ANSWERED {
  const { reply, requestId } = exchange
  exchange.status = 302
  const fields = ['location', location, 'cache-control', 'no-store', 'date', currentDate()]
  for (const cookie of cookies) fields.push('set-cookie', setCookieOf(cookie))
  reply.head(302, [...fields, 'x-request-id', requestId], 0)
  reply.end()
  return ANSWERED
}

/** What is told to clients; anything else is a fault of the gateway. */
function refusalOf(error: unknown): GatewayError {
  if (error instanceof Error && 'code' in error && String(error.code).startsWith('HR_ACCESS_'))
    return error as GatewayError
  throw error
}
