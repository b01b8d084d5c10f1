import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { reportEntries } from '../services/cache/entry-report.ts'
import { equivalentUrls } from '../services/cache/equivalent-urls.ts'
import { type ObservedRoute, readCache } from '../services/cache/report.ts'
import type { ResponseCache } from '../services/cache/response-cache.ts'
import type { SecondTierReport } from '../services/cache/second-tier.ts'
import type { LocalControl } from '../services/control/local.ts'

/**
 * This process's part of the control port for the shared cache: it answers `cache` and `cache-entry`, and obeys
 * `cache-purge` and `cache-invalidate`. It shares nothing, and adds no hook of requests.
 */
export interface CacheMonitorOptions {
  local: LocalControl
  cache: Pick<ResponseCache, 'purge' | 'purgeUrls' | 'heard' | 'find' | 'stats' | 'top' | 'flights'>
  /** How the tier behind the memory does; `null` where there is none. */
  second: () => SecondTierReport | null
  /** All routes, cached or not. */
  routes: readonly ObservedRoute[]
}

async function cacheMonitor(_fastify: FastifyInstance, options: CacheMonitorOptions): Promise<void> {
  const { local, cache, second, routes } = options
  const forms = (url: string): string[] => equivalentUrls(url, routes)
  local.answer({
    cache: () => readCache(cache, routes, second()),
    'cache-entry': ({ url }) =>
      reportEntries(url, [...new Set(forms(url).flatMap((form) => cache.find(form)))], routes, Date.now()),
  })
  local.obey({
    'cache-purge': async ({ selector, mode }) => {
      const covered = await (selector.kind === 'url'
        ? cache.purgeUrls(forms(selector.url), mode)
        : cache.purge(selector, mode))
      const tier = second()
      return { covered, waiting: tier !== null && tier.state === 'away' && tier.purging > 0 }
    },
    'cache-invalidate': ({ from, selectors }) => {
      // Told to all, and this one knows already: what was stored since is no longer meant.
      if (from !== process.pid) cache.heard(selectors)
    },
  })
}

export default fp(cacheMonitor, { name: 'headrace-cache-monitor', fastify: '5.x' })
