import type { Static } from 'typebox'
import { bytes, Duration, milliseconds, Size } from '../../options/schema.ts'
import { Type } from '../../options/type.ts'

/** What `cache.redis` may say; where Redis is stands in `redis`. */
export const redisCacheSchema = Type.Object(
  {
    enabled: Type.Boolean({
      default: true,
      description: 'Keep entries in Redis as well, where `redis.url` names one (ENABLE_REDIS_CACHE)',
    }),
    keep: Duration({
      default: '12h',
      description: 'Longest that an entry stays in Redis; purges are remembered a little longer',
    }),
    maxEntryBytes: Size({ default: '1MiB', description: 'Larger entries stay out of Redis' }),
  },
  { additionalProperties: false, default: {}, description: 'The second tier in Redis or Valkey, shared by machines' },
)

export type RedisCacheInput = Static<typeof redisCacheSchema>

export interface RedisCacheOptions {
  enabled: boolean
  maxAgeMs: number
  maxEntryBytes: number
}

export function resolveRedisCache(input: RedisCacheInput): RedisCacheOptions {
  return {
    enabled: input.enabled,
    maxAgeMs: milliseconds(input.keep),
    maxEntryBytes: bytes(input.maxEntryBytes),
  }
}
