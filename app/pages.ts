import type { FastifyInstance } from 'fastify'
import type { Config } from '../config/config.ts'
import compression from '../plugins/compression.ts'
import lazySchemas from '../plugins/lazy-schemas.ts'
import openapi, { type OpenapiOptions } from '../plugins/openapi.ts'
import ownPages, { type OwnPagesOptions } from '../plugins/own-pages.ts'
import healthRoutes from '../routes/health.ts'
import { compressionOf } from '../services/compression/options.ts'

export interface PagesOptions {
  version: string
  title: string
  description: string
  /** What the document tells besides these pages. */
  document: Omit<OpenapiOptions, 'docs' | 'openapi' | 'info'>
  /** Who may read the pages, and what they may call. */
  origins: OwnPagesOptions
  /** Whether `/ready` names what is missing. */
  details: boolean
}

/**
 * What each plane shows of itself: its documentation, and whether it is up. What the scope gets after that is documented
 * with it, and under the same security headers and compression.
 */
export async function registerPages(
  scope: FastifyInstance,
  { endpoints, compression: shared }: Config,
  { version, title, description, document, origins, details }: PagesOptions,
): Promise<void> {
  const { docs, openapi: path, health, ready } = endpoints
  const coding = compressionOf(null, shared)
  await scope.register(lazySchemas)
  if (coding !== null) await scope.register(compression, { resolved: coding })
  await scope.register(ownPages, origins)
  await scope.register(openapi, { docs, openapi: path, info: { title, version, description }, ...document })
  await scope.register(healthRoutes, { health, ready, version, details })
}
