import createError from '@fastify/error'

/** Bytes from another tier are not a stored response of this format. Argument: what is wrong with them. */
export const StoredFormatError = createError<[string]>(
  'HR_CACHE_STORED_FORMAT',
  'A stored response cannot be read (%s). It counts as absent; if this goes on, empty the store.',
  500,
)

/** The second tier answers, but later than a request may wait. Argument: how long that is, in ms. */
export const TierSlowError = createError<[number]>(
  'HR_CACHE_TIER_SLOW',
  'no answer within %d ms. The gateway serves without it; see to its load and the way to it.',
  503,
)
