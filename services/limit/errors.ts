import createError from '@fastify/error'

/**
 * A limit of the route or of the caller is used up; `Retry-After` says when there is enough for one more. Arguments: the
 * limit's name, in how many seconds.
 */
export const RateLimitedError = createError<[string, number]>(
  'HR_RATE_LIMITED',
  "The limit '%s' is used up. Try again in %s s, and spread requests by the RateLimit fields.",
  429,
)

/** A quota of the day or the month is used up; `Retry-After` says when the next one begins. Arguments: as above. */
export const QuotaUsedError = createError<[string, number]>(
  'HR_RATE_QUOTA',
  "The quota '%s' is used up. It begins anew in %s s; a larger one is a matter of the caller's tier.",
  429,
)

/** An entry of `allowList` cannot be read. Argument: the entry. */
export const AllowListError = createError(
  'HR_RATE_ALLOW_LIST',
  "rateLimit's allowList has '%s': write an address, a CIDR block such as 10.0.0.0/8, 'loopback', 'private', 'consumer:NAME' or 'consumer:*'",
  500,
)

/** A route names a limit that there is not. Arguments: the name, those there are. */
export const UnknownLimitError = createError<[string, string]>(
  'HR_RATE_UNKNOWN',
  "There is no limit '%s': add it to rateLimit, or name one of %s",
  500,
)
