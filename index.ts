/** The package's entry. A configuration file that imports it gets `defineConfig` and `env` alone, and nothing is loaded. */
export { defineConfig, env } from './config/define.ts'
export type { Config } from './config/config.ts'
export type { ConfigInput } from './config/input.ts'
export { loadConfig, type Loaded, type LoadOptions } from './config/load.ts'
export type { Problem } from './config/problem.ts'
export { resolveConfig } from './config/resolve.ts'

/** The whole gateway: running, or as Fastify applications to build upon. */
export { buildGateway } from './app.ts'
export { buildAdmin } from './app/control-plane.ts'
export type { DataPlaneParts, Gateway, Parts } from './app/parts.ts'
export type { Address } from './server/address.ts'
export { type Running, serve, type ServeOptions } from './server.ts'

/** The gateway inside somebody's own Fastify application. */
export { gateway, type GatewayOptions } from './gateway.ts'

/** Code that changes requests and answers on their way. */
export {
  defineRequestHook,
  defineResponseHook,
  type RequestHook,
  type RequestHookInput,
  type RequestHookResult,
  type ResponseHook,
  type ResponseHookInput,
  type ResponseHookResult,
} from './services/transform/hooks.ts'

/** Each capability alone. */
export { default as access, type AccessPluginOptions } from './plugins/access.ts'
export { default as adminToken, type AdminTokenOptions } from './plugins/admin-token.ts'
export { default as cacheAdmin } from './plugins/cache-admin.ts'
export { default as cacheMonitor, type CacheMonitorOptions } from './plugins/cache-monitor.ts'
export { default as compression, type CompressionPluginOptions } from './plugins/compression.ts'
export { default as control, type ControlOptions } from './plugins/control.ts'
export { default as errors, type ErrorsOptions } from './plugins/errors.ts'
export { default as http2, type Http2PluginOptions } from './plugins/http2.ts'
export { default as logins, type LoginsOptions } from './plugins/logins.ts'
export { default as maintenanceAdmin } from './plugins/maintenance-admin.ts'
export { default as metrics, type MetricsOptions } from './plugins/metrics.ts'
export { default as monitor, type MonitorOptions } from './plugins/monitor.ts'
export { default as openapi, type OpenapiOptions } from './plugins/openapi.ts'
export { default as ownPages, type OwnPagesOptions } from './plugins/own-pages.ts'
export { default as pressure, type PressurePluginOptions } from './plugins/pressure.ts'
export { default as responseCache, type ResponseCacheOptions } from './plugins/response-cache.ts'
export { default as traffic, type TrafficPluginOptions } from './plugins/traffic.ts'
export { default as upstreamAdmin } from './plugins/upstream-admin.ts'
export { default as upstreams, type UpstreamsPluginOptions } from './plugins/upstreams.ts'
export { default as workerPool, type WorkerPoolOptions } from './plugins/worker-pool.ts'

/** Its own pages; they want `control`, and all but the first `adminToken`; those of logins `logins` alone. */
export { default as healthRoutes, type HealthRouteOptions } from './routes/health.ts'
export { default as loginRoutes } from './routes/logins.ts'
export { default as metricsRoute, type MetricsRouteOptions } from './routes/metrics.ts'
export { default as performanceRoutes, type PerformanceOptions } from './routes/performance/index.ts'

/** What the plugins' options are made of. */
export type { PurgeSource } from './services/cache/purge-source.ts'
export type { ValueCache } from './services/cache/values/value-cache.ts'
export type { ValueOptions } from './services/cache/values/options.ts'
export { LocalControl } from './services/control/local.ts'
export { trafficMetrics } from './services/monitor/traffic-metrics.ts'
export { upstreamMetrics } from './services/monitor/upstream-metrics.ts'
export { Traffic } from './services/monitor/traffic.ts'
export { Upstreams } from './services/upstream/upstreams.ts'
