import { resolve } from 'node:path'
import type { Static, TSchema } from 'typebox'
import { faultIn, withDefaults } from '../../options/settled.ts'
import { type RedisInput, type RedisOptions, redisSchema, resolveRedis } from '../../redis/options.ts'
import {
  type CacheInput,
  cacheSchema,
  type CacheOptions,
  resolveCache,
  resolveRouteCache,
  type RouteCacheInput,
  routeCacheSchema,
} from '../options.ts'
import { type CachePolicy, compilePolicy } from '../policy.ts'
import { CacheOptionError } from '../values/errors.ts'

/** `cache` of an application's own route: as of a route in the configuration. */
export type HandlerCacheInput = Partial<Omit<RouteCacheInput, 'varyBy' | 'methods' | 'send'>> & {
  varyBy?: Partial<Pick<RouteCacheInput['varyBy'], 'headers' | 'cookies'>>
}

/** What a cache in an application takes of the configuration: `cache`, and of `redis` where it is. */
export type SharedCacheInput = Partial<Pick<CacheInput, 'profile' | 'maxEntryBytes'>> & {
  memory?: Partial<CacheInput['memory']>
  /** Keep it in a file as well, by default in `.headrace/cache`; without this there is no file. */
  disk?: Partial<CacheInput['disk']>
  /** Keep it in Redis or Valkey as well: `redis` of the configuration, and its `cache.redis`. */
  redis?: Partial<CacheInput['redis'] & RedisInput>
  /** The folder that relative paths start from; default: the working directory. */
  root?: string
}

/** @throws HR_CACHE_OPTION */
export function sharedCache(input: SharedCacheInput): { cache: CacheOptions; redis: RedisOptions | null } {
  const { profile, maxEntryBytes, memory, disk = { enabled: false }, redis = {}, root = '.' } = input
  const toPath = (path: string): string => resolve(root, path)
  const { enabled, keep, maxEntryBytes: largest, ...connection } = redis
  const inRedis = { enabled, keep, maxEntryBytes: largest }
  const cache = settled(cacheSchema, { profile, maxEntryBytes, memory, disk, redis: defined(inRedis) }, 'responseCache')
  return {
    cache: resolveCache(cache, { dataDir: '.headrace', toPath }),
    redis: resolveRedis(settled(redisSchema, connection, 'responseCache.redis'), toPath),
  }
}

/**
 * @param place for the message
 * @param shape what else decides about answers of the route; part of every key
 * @throws HR_CACHE_OPTION
 */
export function handlerPolicy(
  input: HandlerCacheInput | true,
  shared: CacheOptions,
  { place, shape }: { place: string; shape: unknown },
): CachePolicy {
  const given = settled(routeCacheSchema, input === true ? {} : input, place)
  if (input !== true && 'send' in input) {
    throw new CacheOptionError(`${place}.send is for routes to upstreams: a handler says itself what clients are told`)
  }
  // Nor are fields of a handler's answer made from its key.
  return { ...compilePolicy(resolveRouteCache(given), shared, { shape, isGuarded: false }), send: null }
}

function settled<Schema extends TSchema>(schema: Schema, input: object, place: string): Static<Schema> {
  if (typeof input !== 'object' || input === null) throw new CacheOptionError(`${place} must be an object`)
  const filled = withDefaults(schema, defined(input))
  const fault = faultIn(schema, filled)
  if (fault === undefined) return filled as Static<Schema>
  throw new CacheOptionError(`${place}${fault}`)
}

function defined(input: object): object {
  return Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined))
}
