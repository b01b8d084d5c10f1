import type { FastifyInstance } from 'fastify'
import health from './health.ts'
import log from './log.ts'
import metrics from './metrics.ts'
import pools from './pools.ts'

export interface PerformanceOptions {
  /** Where the performance API is mounted: `/performance`. */
  path: string
  /** Whether metrics are collected; without, there is no route for them. */
  metrics: boolean
}

/** The same routes under the path of the versioned API; left out of the documents, which would show each one twice. */
const ALIAS = '/api/v1/performance'

/** The performance API, behind the admin token. */
export default async function performance(fastify: FastifyInstance, options: PerformanceOptions): Promise<void> {
  const mount = async (scope: FastifyInstance): Promise<void> => {
    await scope.register(health)
    await scope.register(pools)
    await scope.register(log)
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
