import type { Config } from '../config/config.ts'
import type { SharedCache } from '../services/cache/storage.ts'
import type { GatewayState } from '../services/lane/gateway-state.ts'
import type { Lane } from '../services/lane/lane.ts'

/** The cache of the gateway, for code of the user's to keep things in. @param purge wherever its like is kept */
export function sharedCache(
  { cache, processes }: Config,
  { state, lane, purge }: { state: GatewayState; lane: Lane; purge: SharedCache['purge'] },
): SharedCache {
  const { second } = state
  return {
    storage: lane.cache.storage,
    options: cache,
    isShared: processes > 1 || second !== null,
    second: () => second?.report() ?? null,
    purge,
    invalidate: (selectors) => lane.cache.invalidate(selectors),
  }
}
