import Fastify from 'fastify'
import { answerControlPort } from './app/control-port.ts'
import { optionsBehindLane } from './app/fastify-options.ts'
import { leaveLaneForHooks, requestHandlers } from './app/handlers.ts'
import { laneOver } from './app/lane.ts'
import { registerLogins } from './app/logins.ts'
import { metricSources } from './app/metric-sources.ts'
import { registerPages } from './app/pages.ts'
import type { DataPlaneParts, Gateway } from './app/parts.ts'
import { sharedCache } from './app/shared-cache.ts'
import type { Config } from './config/config.ts'
import access from './plugins/access.ts'
import admission from './plugins/admission.ts'
import control from './plugins/control.ts'
import errors from './plugins/errors.ts'
import emptyBody from './plugins/empty-body.ts'
import expectation from './plugins/expectation.ts'
import http2 from './plugins/http2.ts'
import metrics from './plugins/metrics.ts'
import pressure from './plugins/pressure.ts'
import redis from './plugins/redis.ts'
import responseCache from './plugins/response-cache.ts'
import specifications from './plugins/specifications.ts'
import traffic from './plugins/traffic.ts'
import upstreams from './plugins/upstreams.ts'
import workerPool from './plugins/worker-pool.ts'
import { proxyRoutes } from './routes/proxy.ts'
import type { SharedCache } from './services/cache/storage.ts'
import type { Control } from './services/control/control.ts'
import { guardedRoots, isBelow } from './services/control/paths.ts'
import { GatewayState } from './services/lane/gateway-state.ts'
import { OwnPaths } from './services/lane/own-paths.ts'
import { connectSources } from './services/openapi/servers.ts'
import { ServedDocuments } from './services/openapi/served-documents.ts'
import type { RequestUpstream } from './services/openapi/source.ts'
import { CONTROL_GUARD } from './services/proxy/plan.ts'
import { WorkerPool } from './services/workers/worker-pool.ts'

/**
 * Builds the data plane: the lane, and Fastify behind it for the gateway's own endpoints and all that the lane leaves.
 *
 * @throws HR_ROUTE_*, HR_UPSTREAM_*, HR_FORWARDED_TRUST for a configuration that was not checked
 */
export async function buildGateway(
  config: Config,
  // Not among the parts that its closures hold on to: each gateway would keep all before it alive.
  { previous = null, specifications, ...parts }: DataPlaneParts,
): Promise<Gateway> {
  const state = new GatewayState(config, {
    log: parts.log,
    previous: previous?.state ?? null,
    specifications: specifications ?? null,
    loans: async (requests) => (await parts.control.ask('limit-loans', { requests })).result,
  })
  try {
    return await buildOver(state, config, parts)
  } catch (error) {
    await state.release()
    throw error
  }
}

async function buildOver(
  state: GatewayState,
  config: Config,
  parts: Omit<DataPlaneParts, 'previous' | 'specifications'>,
): Promise<Gateway> {
  const { local } = parts
  const own = new OwnPaths()
  const guarded = guardedRoots(config)
  const isGuarded = (path: string): boolean => isBelow(guarded, path)
  const workers = new WorkerPool(config.workers)
  const request: RequestUpstream = (name, path, signal) => state.upstreams.request(name, path, signal)
  const documents = new ServedDocuments(request, state.specifications)
  const lane = await laneOver(state, config, {
    workers,
    documents,
    // A mistyped path of the control plane must not take its token to an upstream.
    own: { find: (path) => (isGuarded(path) ? 'own' : own.find(path)) },
    ownGuard: (path) => (isGuarded(path) ? CONTROL_GUARD : ''),
    finished: parts.finished,
    draining: parts.draining,
  })

  const app = Fastify(optionsBehindLane(lane, { log: parts.log, limits: config.limits }))
  app.addHook('onClose', () => {
    lane.tunnels.close()
    return state.release()
  })
  app.addHook('onRoute', ({ url, method, config: route }) => {
    if (route?.proxied !== true) own.add(url, [method].flat())
  })

  // A request's way through Fastify.
  await app.register(errors, { own, docs: config.endpoints.docs, internalErrors: state.internalErrors })
  await app.register(http2, { limits: config.limits, ...(parts.http2 && { listeners: parts.http2 }) })
  await app.register(admission, { lane })
  await app.register(expectation)
  await app.register(emptyBody)

  // What it works with, for routes and for plugins of the user's.
  const link = state.second?.link ?? null
  if (link !== null) await app.register(redis, { link })
  await app.register(upstreams, { upstreams: state.upstreams, local })
  await app.register(specifications, { documents })
  await app.register(traffic, { traffic: state.traffic })
  await app.register(pressure, { pressure: state.pressure, local })
  await app.register(workerPool, { pool: workers })
  await app.register(access, { access: state.access, local })
  await app.register(control, { control: parts.control })
  await app.register(responseCache, { share: sharedCache(config, { state, lane, purge: purgeAll(parts.control) }) })

  await answerControlPort(app, config, { state, lane, parts })

  // One for each plan: Fastify's router follows ours by the constraint.
  const plans = config.routes.map(({ key }) => ({ url: '/*', methods: null, constraints: { plan: key } }))
  await app.register(proxyRoutes, { routes: plans })

  // Not loaded where it is not served: data planes start, and start anew, more often than control planes.
  const shared = config.admin?.shared === true ? await import('./app/control-plane.ts') : null
  await shared?.registerAdmin(app, config, parts.token)
  await app.register(async (pages) => {
    pages.addHook('onRoute', ({ url }) => own.claim(url))
    if (state.traffic !== null) {
      const sources = metricSources({ traffic: state.traffic, state, lane, workers })
      await pages.register(metrics, { local, node: state.nodeMetrics, sources: [...sources, ...parts.sources] })
    }
    await registerPages(pages, config, {
      version: parts.version,
      title: 'Gateway',
      description: 'The APIs behind this gateway, at its own paths.',
      document: {
        upstreams: config.upstreams,
        routes: config.routes,
        protectedPaths: guarded,
        request,
        known: state.specifications,
        ...(parts.related && { related: parts.related }),
      },
      origins: { connectSources: connectSources(config.routes) },
      details: false,
    })
    await registerLogins(pages, state.access)
    if (shared !== null) await pages.register(shared.controlRoutes, { config })
  })
  leaveLaneForHooks(app, lane)
  return {
    app,
    handlers: requestHandlers({ app, lane, early: config.cache.early, pressure: state.pressure }),
    state,
    get idle() {
      return lane.idle
    },
  }
}

/** Purges in every process. */
function purgeAll(port: Control): SharedCache['purge'] {
  return async (selector, mode) => {
    const { results } = await port.tell('cache-purge', { selector, mode })
    return results.reduce((total, { covered }) => total + covered, 0)
  }
}
