/** The package's entry. A configuration file that imports it gets `defineConfig` and `env` alone, and nothing is loaded. */
export { defineConfig, env } from './config/define.ts'
export type { Config } from './config/config.ts'
export type { ConfigInput } from './config/input.ts'
export { loadConfig, type Loaded, type LoadOptions } from './config/load.ts'
export type { Problem } from './config/problem.ts'
export { resolveConfig } from './config/resolve.ts'

/** The whole gateway: running, or as Fastify applications to build upon. */
export { buildAdmin, buildGateway, type DataPlaneParts, type Gateway, type Parts } from './app.ts'
export type { Address } from './server/address.ts'
export { type Running, serve, type ServeOptions } from './server.ts'

/** Each capability alone. */
export { default as errors } from './plugins/errors.ts'
export { default as metrics, type MetricsOptions } from './plugins/metrics.ts'
export { default as openapi, type OpenapiOptions } from './plugins/openapi.ts'
export { default as ownPages, type OwnPagesOptions } from './plugins/own-pages.ts'
export { default as upstreams, type UpstreamsPluginOptions } from './plugins/upstreams.ts'

/** What the plugins' options are made of. */
export { LocalControl } from './services/control/local.ts'
export { Traffic } from './services/monitor/traffic.ts'
export { Upstreams } from './services/upstream/upstreams.ts'
