import createError from '@fastify/error'

/** A token that does not hold: its signature, issuer, audience, times or form; which of them, it does not say. */
export const TokenInvalidError = createError(
  'HR_ACCESS_TOKEN_INVALID',
  'The token does not hold here. Get a new one from its issuer, for this audience.',
  401,
)

/** A token whose signature holds, and whose time is over. */
export const TokenExpiredError = createError(
  'HR_ACCESS_TOKEN_EXPIRED',
  'The token has expired. Get a new one from its issuer.',
  401,
)

/** A token, or all of its subject up to a time, was revoked (`headrace token revoke`). */
export const TokenRevokedError = createError(
  'HR_ACCESS_TOKEN_REVOKED',
  'The token was revoked. Get a new one from its issuer.',
  401,
)

/** A token that is longer than its issuer's `maxTokenSize`. */
export const TokenSizeError = createError(
  'HR_ACCESS_TOKEN_SIZE',
  'The token is longer than %s bytes. Ask its issuer for one with fewer claims.',
  400,
)

/** A token in the query would stand in logs and in the history of browsers (RFC 9700 §4.3.2). */
export const TokenQueryError = createError(
  'HR_ACCESS_TOKEN_QUERY',
  'The query carries an access_token, which is never read. Send it as Authorization: Bearer.',
  400,
)

/** A request that a browser sends for another site, with the cookie of this one: cross-site request forgery. */
export const CrossSiteError = createError(
  'HR_ACCESS_CROSS_SITE',
  'The request comes from a page of another site, and changes something. Send it from a page of this one.',
  403,
)

/** The keys that an issuer signs with have not come, so that no token of it can be judged. Argument: its name. */
export const KeysAwayError = createError<[string]>(
  'HR_ACCESS_KEYS_AWAY',
  "The keys of the issuer '%s' cannot be had now, so that no token of it can be verified. Try again in some seconds.",
  503,
)

/** What should be a JSON Web Key Set is none that can be used. Arguments: where it is from, what is wrong. */
export const KeySetError = createError<[string, string]>('HR_ACCESS_KEY_SET', 'The key set of %s %s.', 500)

/** A document cannot be had. Arguments: its URL without its query, why. */
export const FetchError = createError<[string, string]>('HR_ACCESS_FETCH', '%s cannot be had: %s.', 502)
