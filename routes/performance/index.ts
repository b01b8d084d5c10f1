import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import cache from './cache.ts'
import cacheWarm from './cache-warm.ts'
import config from './config.ts'
import consumers from './consumers.ts'
import health from './health.ts'
import limits from './limits.ts'
import log from './log.ts'
import maintenance from './maintenance.ts'
import metrics from './metrics.ts'
import openapi from './openapi.ts'
import pools from './pools.ts'
import pressure from './pressure.ts'
import tokens from './tokens.ts'

export interface PerformanceOptions {
  /** Where the performance API is mounted: `/performance`. */
  path: string
  /** Whether metrics are collected; without, there is no route for them. */
  metrics: boolean
}

/** The same routes under the path of the versioned API; left out of the documents, which would show each one twice. */
const ALIAS = '/api/v1/performance'

/** The performance API, behind the admin token. */
async function performance(fastify: FastifyInstance, options: PerformanceOptions): Promise<void> {
  const mount = async (scope: FastifyInstance): Promise<void> => {
    await scope.register(health)
    await scope.register(pools)
    await scope.register(log)
    await scope.register(cache)
    await scope.register(cacheWarm)
    await scope.register(config)
    await scope.register(consumers)
    await scope.register(maintenance)
    await scope.register(limits)
    await scope.register(pressure)
    await scope.register(openapi)
    await scope.register(tokens)
    if (options.metrics) await scope.register(metrics)
  }
  await fastify.register(mount, { prefix: options.path })
  if (options.path === ALIAS) return
  await fastify.register(
    async (scope) => {
      scope.addHook('onRoute', (route) => {
        route.schema = { ...route.schema, hide: true }
      })
      await mount(scope)
    },
    { prefix: ALIAS },
  )
}

export default fp(performance, {
  name: 'headrace-performance',
  fastify: '5.x',
  encapsulate: true,
  decorators: { fastify: ['control', 'adminGuard', 'cacheAdmin', 'upstreamAdmin', 'maintenanceAdmin'] },
})
