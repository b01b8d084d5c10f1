/** The package's entry. A configuration file that imports it gets `defineConfig` and `env` alone, and nothing is loaded. */
export { defineConfig, env } from './config/define.ts'
export type { Config } from './config/config.ts'
export type { ConfigInput } from './config/input.ts'
export { loadConfig, type Loaded, type LoadOptions } from './config/load.ts'
export type { Problem } from './config/problem.ts'
export { resolveConfig } from './config/resolve.ts'
