import createError from '@fastify/error'

/** `only-if-cached`, and nothing is stored that may be used (RFC 9111 §5.2.1.7). */
export const NotCachedError = createError(
  'HR_CACHE_ONLY_IF_CACHED',
  'Nothing usable is stored for this request, and it asks for nothing else. Send it without only-if-cached.',
  504,
)

/** What a purge or a look into the cache names cannot be a URL of anything stored. Arguments: what was given, why. */
export const CacheTargetError = createError<[string, string]>(
  'HR_CACHE_TARGET',
  "'%s' %s. Write a URL such as https://api.example.com/vehicles/7, or /vehicles/7 for every scheme and host.",
  400,
)

/** A purge names nothing, or several things at once. Argument: what it names. */
export const CacheSelectorError = createError<[string]>(
  'HR_CACHE_SELECTOR',
  'A purge takes exactly one of url, prefix, pattern, tag and all: true; this one has %s.',
  400,
)

/** A list is to be warmed while another is. */
export const CacheWarmBusyError = createError(
  'HR_CACHE_WARM_BUSY',
  'The cache is being warmed. Wait until that is done, or cancel it with DELETE.',
  409,
)

/** More URLs to be warmed than one round may have. Arguments: how many, and the most. */
export const CacheWarmSizeError = createError<[number, number]>(
  'HR_CACHE_WARM_SIZE',
  'There are %d URLs to be warmed, and one round may have %d. Send fewer at a time.',
  400,
)

/** What is to be warmed is no URL of http or https. Argument: what was given. */
export const CacheWarmTargetError = createError<[string]>(
  'HR_CACHE_WARM_TARGET',
  "'%s' cannot be warmed. Write a URL such as https://api.example.com/vehicles, or a path.",
  400,
)
