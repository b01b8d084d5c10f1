import createError from '@fastify/error'
import type { GatewayError } from '../../http/problem.ts'

const RETRY_AFTER_S = 5

/** A session that cannot be read, is over, or was ended elsewhere. */
export const SessionOverError = createError(
  'HR_ACCESS_SESSION',
  'There is no session any more. Open the page again in a browser to log in.',
  401,
)

/** An answer of the identity provider that this browser has not asked for, or asked for too long ago, or used already. */
export const LoginStateError = createError(
  'HR_ACCESS_LOGIN_STATE',
  'This login was not begun in this browser, or it took too long. Open the page that you want to see again.',
  400,
)

/** The page was opened over http, where browsers keep no `Secure` cookie (RFC 6265bis §5.7): no login could end. */
export const LoginInsecureError = createError(
  'HR_ACCESS_LOGIN_INSECURE',
  'Logins work over https alone. Open the page with https; where a proxy in front has it, name that in forwarded.trust, or set origin of the login.',
  400,
)

/** The identity provider says no. Argument: its error code. */
export const LoginRefusedError = createError<[string]>(
  'HR_ACCESS_LOGIN_REFUSED',
  'The identity provider has not let you in (%s). Open the page again to try once more, or ask whoever runs this service.',
  403,
)

/** The identity provider cannot be reached, or what it says does not hold. Argument: the name of the login. */
export const ProviderAwayError = createError<[string]>(
  'HR_ACCESS_PROVIDER_AWAY',
  "The identity provider of '%s' does not answer as it should now. Try again in some seconds.",
  503,
)

export function providerAway(login: string): GatewayError {
  const error: GatewayError = new ProviderAwayError(login)
  error.fields = ['retry-after', String(RETRY_AFTER_S)]
  return error
}

/** What the identity provider says of itself lacks something without which nobody can log in. Arguments: its issuer, what. */
export const ProviderMetadataError = createError<[string, string]>(
  'HR_ACCESS_PROVIDER_METADATA',
  'The metadata of the identity provider %s has no %s.',
  502,
)

/** What the identity provider says of somebody is more than cookies hold. */
export const SessionSizeError = createError(
  'HR_ACCESS_SESSION_SIZE',
  'The session is larger than cookies can be. Ask whoever runs this service to have fewer claims in the tokens of this login.',
  500,
)

/** Where the configuration has no secret for cookies, one lies in the data directory, and there it cannot. Arguments: file, reason. */
export const CookieSecretError = createError<[string, string]>(
  'HR_ACCESS_COOKIE_SECRET',
  'The secret of cookies in %s cannot be used: %s. Correct it, or set cookieSecrets.',
  500,
)
