import Fastify, { type FastifyInstance } from 'fastify'
import type { Config } from '../config/config.ts'
import adminToken from '../plugins/admin-token.ts'
import cacheAdmin from '../plugins/cache-admin.ts'
import control from '../plugins/control.ts'
import errors from '../plugins/errors.ts'
import emptyBody from '../plugins/empty-body.ts'
import expectation from '../plugins/expectation.ts'
import maintenanceAdmin from '../plugins/maintenance-admin.ts'
import upstreamAdmin from '../plugins/upstream-admin.ts'
import metricsRoute from '../routes/metrics.ts'
import performanceRoutes from '../routes/performance/index.ts'
import { controlRoots } from '../services/control/paths.ts'
import { OwnPaths } from '../services/lane/own-paths.ts'
import { fastifyOptions } from './fastify-options.ts'
import { limitScope } from './limited-scope.ts'
import { registerPages } from './pages.ts'
import type { Parts } from './parts.ts'

/** Builds the control plane for a listener of its own. It holds no state: everything is asked through the control port. */
export async function buildAdmin(config: Config, parts: Parts): Promise<FastifyInstance> {
  const own = new OwnPaths()
  const app = Fastify(fastifyOptions({ log: parts.log, limits: config.limits }))
  app.addHook('onRoute', ({ url, method }) => {
    own.add(url, [method].flat())
    own.claim(url)
  })
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  await app.register(errors, { own, docs: config.endpoints.docs })
  await app.register(expectation)
  await app.register(emptyBody)
  await app.register(control, { control: parts.control })
  await registerAdmin(app, config, parts.token)
  await app.register(async (pages) => {
    await registerPages(pages, config, {
      version: parts.version,
      title: 'Gateway control plane',
      description: 'What the gateway does, and how it does it.',
      document: {
        protectedPaths: controlRoots(config.endpoints),
        ...(parts.related && { related: parts.related }),
      },
      origins: { origin: false },
      details: true,
    })
    await pages.register(controlRoutes, { config })
  })
  return app
}

/** What the routes of the control plane go by, besides the control port. */
export async function registerAdmin(app: FastifyInstance, { admin }: Config, token: string): Promise<void> {
  await app.register(cacheAdmin)
  await app.register(upstreamAdmin)
  await app.register(maintenanceAdmin)
  await app.register(adminToken, { token, limited: Object.values(admin?.tokens ?? {}) })
}

/** The routes that want the admin token. */
export async function controlRoutes(scope: FastifyInstance, { config }: { config: Config }): Promise<void> {
  const { performance, metrics: metricsPath } = config.endpoints
  const { admin, metrics } = config
  if (admin !== null && admin.rateLimit !== false) await limitScope(scope, admin.rateLimit)
  if (performance !== false) await scope.register(performanceRoutes, { path: performance, metrics })
  if (metricsPath !== false && metrics) await scope.register(metricsRoute, { path: metricsPath })
}
