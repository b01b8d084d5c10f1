import createError from '@fastify/error'

/** There is no connection now. Argument: the last thing that went wrong. */
export const RedisAwayError = createError<[string]>(
  'HR_REDIS_AWAY',
  'Redis cannot be reached (%s). The gateway goes on without it and connects again by itself; see to redis.url and the server.',
  503,
)

/** A certificate or key of `redis.tls` cannot be read. Arguments: the file, the reason. */
export const RedisTlsFileError = createError<[string, string]>(
  'HR_REDIS_TLS_FILE',
  '%s cannot be read (%s). Correct redis.tls, or the rights on the file.',
  500,
)
