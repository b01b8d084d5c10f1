import type { Exchange } from '../downstream/exchange.ts'
import type { AccessScheme, Identity } from '../downstream/identity.ts'
import type { ANSWERED } from '../gate/gate.ts'
import type { GatewayError } from '../http/problem.ts'

/**
 * What one way of showing who one is makes of a request.
 *
 * - `undefined`: it carries no credentials of this kind; the route's next way is asked
 * - an identity: this is who calls
 * - an error: it carries credentials that do not hold. No other way is asked: a forged token must not pass as nobody
 * - `ANSWERED`: the scheme has answered by itself (a login page's redirect)
 */
export type Authentication = Identity | GatewayError | typeof ANSWERED | undefined

/** One way in which callers show who they are. A route has several, asked in order. */
export interface Authenticator {
  readonly scheme: AccessScheme
  /** For WWW-Authenticate of a 401 (RFC 9110 §11.6.1): `Bearer realm="…"`; `null` where the scheme has none. */
  readonly challenge: string | null
  /** At once wherever it can; who waits bounds the wait and answers with an error of its own then. */
  authenticate(exchange: Exchange): Authentication | Promise<Authentication>
  /**
   * Failures of this way are counted by address. Not those of tokens: a key that is rotated makes many fail at once, and only
   * a 401 tells their owners to get new ones.
   */
  readonly isCounted?: true
  /**
   * Whether a request carries credentials of this kind, by a look; of a way in which they can be guessed: who has failed too
   * often is not asked. Others are, as somebody of the same address may have what holds.
   */
  guesses?(exchange: Exchange): boolean
  /** The request passes, whoever has shown who they are: takes credentials of this kind off what goes upstream. Never throws. */
  conceal?(exchange: Exchange): void
}
