import type { RedisOptions } from '../redis/options.ts'
import { RedisLink } from '../redis/link.ts'
import type { CacheOptions } from './options.ts'
import { type CacheStorage, purgeMemory } from './storage.ts'
import { DiskTier } from './store/disk.ts'
import { FullLog } from './store/full-log.ts'
import { RedisBus, type RedisBusStats } from './store/redis-bus.ts'
import { RedisKeys } from './store/redis-keys.ts'
import type { RedisMemory } from './store/redis-memory.ts'
import { RedisTier } from './store/redis-tier.ts'
import type { Tier, TierStats } from './store/tier.ts'

/** How the second tier of one process does. */
export interface SecondTierReport extends TierStats {
  /** What Redis says of its memory; `null` where it is away or does not say, and for a file. */
  memory: RedisMemory | null
  /** How purges of other machines are heard of; `null` for a file, which is this machine's. */
  bus: RedisBusStats | null
}

/** What stands behind the memory of a process, and what it needs. */
export interface SecondTier {
  tier: Tier
  /** Closed by whoever has made this, after it; `null` where the tier is not in Redis. */
  link: RedisLink | null
  /** Purges of other machines reach this memory from now on. */
  follow(storage: CacheStorage): void
  report(): SecondTierReport
  /** What wants attention, in words. */
  notices(): string[]
  close(): Promise<void>
}

type TierLog = Record<'info' | 'warn', (details: object, message: string) => void>

/**
 * The second tier that the configuration asks for: Redis where it is configured, shared by machines; else a file, shared by
 * the processes of this one; `null` where both are off. It connects behind the caller's back and may be away at any time.
 *
 * @throws HR_REDIS_TLS_FILE
 */
export function createSecondTier(cache: CacheOptions, redis: RedisOptions | null, log: TierLog): SecondTier | null {
  const second =
    redis !== null && cache.redis.enabled ? inRedis(cache, redis, log) : cache.disk.enabled ? onDisk(cache, log) : null
  if (second === null) return null
  const createdAt = performance.now()
  const notices = (): string[] => noticesOf(second.tier.stats(), performance.now() - createdAt)
  return { ...second, notices }
}

/** While it starts, nothing is amiss. */
const START_MS = 5_000

/** @param ageMs how long the tier has been there */
export function noticesOf({ name, state, reason, reads }: TierStats, ageMs: number): string[] {
  if (state === 'up') return reason === null ? [] : [`The cache stores nothing in its second tier (${name}): ${reason}`]
  const starts = reads === 0 && ageMs < START_MS
  return starts ? [] : [`The cache does without its second tier (${name}): ${reason}`]
}

function onDisk(cache: CacheOptions, log: TierLog): Omit<SecondTier, 'notices'> {
  const { folder, bytes } = cache.disk
  const tier = new DiskTier({ folder, maxBytes: bytes, maxVariants: cache.memory.variants, log })
  return {
    tier,
    link: null,
    follow: () => undefined,
    report: () => ({ ...tier.stats(), memory: null, bus: null }),
    close: () => tier.close(),
  }
}

const FULL_MESSAGES = {
  full: 'Redis has no memory left: the cache in it is read, and stores nothing. Give it room, or a maxmemory-policy that evicts',
  again: 'the cache stores in Redis again',
}

function inRedis(cache: CacheOptions, redis: RedisOptions, log: TierLog): Omit<SecondTier, 'notices'> {
  const link = new RedisLink(redis)
  const details = { tier: 'redis' }
  const fullLog = new FullLog({ log, clock: () => performance.now(), details, messages: FULL_MESSAGES })
  let hasBeenAway = false
  const tier = new RedisTier({
    link,
    prefix: redis.prefix,
    maxAgeMs: cache.redis.maxAgeMs,
    maxEntryBytes: cache.redis.maxEntryBytes,
    maxVariants: cache.memory.variants,
    changed: (state, reason) => {
      if (state === 'away') log.warn({ ...details, reason }, 'the cache goes on without Redis')
      else log.info(details, hasBeenAway ? 'the cache has Redis again' : 'the cache has Redis')
      hasBeenAway = state === 'away'
    },
    full: (reason) => fullLog.told(reason),
  })
  const bus = new RedisBus({ link, log: tier.log, channel: new RedisKeys(redis.prefix).channel })
  return {
    tier,
    link,
    follow: (storage) => followPurges(bus, storage),
    report: () => ({ ...tier.stats(), memory: tier.memory, bus: bus.stats() }),
    async close() {
      await bus.close()
      await tier.close()
    },
  }
}

/** Purges in memory what other machines purge. */
export function followPurges(
  bus: Pick<RedisBus, 'onPurge' | 'onGap'>,
  memory: Pick<CacheStorage, 'store' | 'purges'>,
): void {
  bus.onPurge((selector, mode) => void purgeMemory(memory, selector, mode))
  // Anything may have been purged meanwhile, and hard: nothing may be served stale, and a 304 would not tell. What was not
  // purged comes back from the tier, which judges it.
  bus.onGap(() => void purgeMemory(memory, { kind: 'all' }, 'hard'))
}
