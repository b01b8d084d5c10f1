import { RedisLink } from '../redis/link.ts'
import type { RedisOptions } from '../redis/options.ts'
import type { RouteAccessOptions } from './route/options.ts'

/** The way to other machines. */
export interface Machines {
  /** `null` without Redis. */
  link: Pick<RedisLink, 'batch' | 'subscriber' | 'ready' | 'on' | 'off'> | null
  /** Of every key and channel. */
  prefix: string
}

export const NO_MACHINES: Machines = { link: null, prefix: '' }

interface Guarded {
  access: RouteAccessOptions | null
}

const isIn = (routes: readonly Guarded[], wanted: (way: string) => boolean): boolean =>
  routes.some(({ access }) => (access?.by ?? []).some(wanted))

/** Whether any of these routes accepts what can be revoked: keys, tokens, sessions. */
export function isRevocable(routes: readonly Guarded[]): boolean {
  return isIn(routes, (way) => way === 'key' || way.includes(':'))
}

/**
 * What access has to tell other machines needs a link to Redis, also where the cache has none that it could use.
 *
 * @param shared the cache's
 * @returns one to be closed by the caller; `null` where there is nothing to tell, or nobody to tell it to
 * @throws HR_REDIS_TLS_FILE
 */
export function ownLink(
  { redis, routes }: { redis: RedisOptions | null; routes: readonly Guarded[] },
  shared: RedisLink | null,
): RedisLink | null {
  const isWanted = isRevocable(routes) || isIn(routes, (way) => way === 'hmac')
  return redis !== null && shared === null && isWanted ? new RedisLink(redis) : null
}
