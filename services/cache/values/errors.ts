import createError from '@fastify/error'

/** A key of `responseCache` that is no text, is empty or is too long. Argument: what is wrong. */
export const ValueKeyError = createError<[string]>(
  'HR_CACHE_KEY',
  'A key of the cache %s. Use a short text that names the value, such as vehicle:42; hash what is long.',
  500,
)

/** Tags of a value that are too many, or no short texts. Argument: what is wrong. */
export const ValueTagsError = createError<[string]>(
  'HR_CACHE_TAGS',
  'The tags of a value %s. Tag it with the few names by which it is purged.',
  500,
)

/** An option of `responseCache`, of a cached route or of a purge that has no meaning. Argument: which, and why. */
export const CacheOptionError = createError<[string]>('HR_CACHE_OPTION', 'An option of the cache is wrong: %s.', 500)

/** What a function returned cannot be kept: functions, promises, streams and the like cannot be copied. */
export const ValueTypeError = createError<[string, string]>(
  'HR_CACHE_VALUE_TYPE',
  "The value for '%s' cannot be stored (%s). Return plain data: what structuredClone() takes.",
  500,
)

/** `set` or `mset` with a value larger than an entry may be. (`getOrSet` returns such a value and does not store it.) */
export const ValueSizeError = createError<[string, number, number]>(
  'HR_CACHE_VALUE_SIZE',
  "The value for '%s' takes %d bytes, and an entry has at most %d. Store less of it, or raise maxEntryBytes.",
  500,
)

/** The function that makes a value did not finish in its time; whoever waited is told, and the next call begins anew. */
export const ValueTimeoutError = createError<[string, string]>(
  'HR_CACHE_VALUE_TIMEOUT',
  "The value for '%s' was not there after %s. Try again later, or give it more time with timeout.",
  504,
)

/** `mget` or `mset` with more keys than one call may have. */
export const BatchSizeError = createError<[number, number]>(
  'HR_CACHE_BATCH_SIZE',
  'One call has %d keys, and may have %d. Split it.',
  500,
)

/** The application is closing: nothing is made any more. */
export const CacheClosedError = createError(
  'HR_CACHE_CLOSED',
  'The cache is closed, because the application is closing. Send the request again.',
  503,
)
