import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { laneOver } from './app/lane.ts'
import { registerLogins } from './app/logins.ts'
import { sharedCache } from './app/shared-cache.ts'
import { type EmbeddedInput, resolveEmbedded } from './config/embedded.ts'
import hostedAdmission from './plugins/hosted-admission.ts'
import responseCache from './plugins/response-cache.ts'
import specifications from './plugins/specifications.ts'
import trafficPlugin from './plugins/traffic.ts'
import upstreamsPlugin from './plugins/upstreams.ts'
import workerPool from './plugins/worker-pool.ts'
import { type ProxiedRoute, proxiedRoute } from './routes/proxied-routes.ts'
import { proxyRoutes } from './routes/proxy.ts'
import type { SharedCache } from './services/cache/storage.ts'
import { GatewayState } from './services/lane/gateway-state.ts'
import type { Loans } from './services/limit/control-ledger.ts'
import { ServedDocuments } from './services/openapi/served-documents.ts'
import { InvalidRouteError } from './services/routing/errors.ts'
import type { RouteOptions } from './services/routing/options.ts'
import { parseRouteKey } from './services/routing/pattern.ts'
import { WorkerPool } from './services/workers/worker-pool.ts'

/** Upstreams and routes as in a configuration file, and what Fastify's `register` takes besides. */
export type GatewayOptions = EmbeddedInput & {
  /** Comes before the path of each route, and is a part of it: `stripPrefix` and `rewrite` take it off. */
  readonly prefix?: string
  /** The folder that relative paths (certificates of upstreams) start from; default: the working directory. */
  readonly root?: string
}

/**
 * The gateway inside anybody's Fastify application (docs/embedding.md): its routes stand beside the application's own,
 * which win where both have the same pattern, and what no route takes goes on to its not-found handler. Listening, limits
 * of connections and the log stay with the application.
 *
 * It shares `upstreams`, `traffic`, `workerPool` and `responseCache`, and ends the connections to upstreams, and what it keeps in a file
 * or in Redis, when the application has closed.
 *
 * @throws HR_CONFIG_INVALID for its options, with the same messages as for a configuration file; HR_ROUTE_INVALID for its
 *   prefix
 */
async function register(fastify: FastifyInstance, options: GatewayOptions): Promise<void> {
  const { prefix: given = '', root, ...input } = options
  if (given !== '' && !given.startsWith('/')) {
    throw new InvalidRouteError(`the prefix '${given}' is no path: write '/${given}'`)
  }
  const prefix = given.replace(/\/+$/, '')
  const before = fastify.prefix.replace(/\/+$/, '') + prefix
  const resolved = resolveEmbedded(withoutRegisterOptions(input), root === undefined ? {} : { root })
  const config = {
    ...resolved,
    routes: resolved.routes.map((route) => ({ ...route, key: prefixed(route.key, before) })),
  }
  // One process, as far as it knows: nobody is asked for loans but Redis.
  const loans = async (): Promise<Loans> => ({ loans: [], members: 1 })
  const state = new GatewayState(config, { log: fastify.log, previous: null, loans })
  // From here on it is closed with the application, also where something below throws.
  fastify.addHook('onClose', () => state.release())
  await fastify.register(upstreamsPlugin, { upstreams: state.upstreams })
  await fastify.register(trafficPlugin, { traffic: state.traffic })
  // The application may have threads of its own.
  const hasWorkers = fastify.hasDecorator('workerPool')
  const workers = hasWorkers ? fastify.workerPool : new WorkerPool(config.workers)
  if (!hasWorkers) await fastify.register(workerPool, { pool: workers })
  const documents = new ServedDocuments((name, path, signal) => state.upstreams.request(name, path, signal))
  await fastify.register(specifications, { documents })
  const lane = await laneOver(state, config, {
    workers,
    documents,
    own: { find: () => undefined },
    ownGuard: () => '',
    finished: [],
  })
  const purge: SharedCache['purge'] = (selector, mode) => lane.cache.purge(selector, mode)
  await fastify.register(responseCache, { share: sharedCache(config, { state, lane, purge }) })
  await registerLogins(fastify, state.access)
  // A scope of its own: what holds here (no body is parsed) holds for the proxied routes alone.
  await fastify.register(
    async (scope) => {
      await scope.register(hostedAdmission, { lane })
      await scope.register(proxyRoutes, { routes: resolved.routes.map((route) => hostedRoute(route)) })
    },
    { prefix },
  )
}

/** A route as the application's router has it; preflights of one with CORS are for it too. */
function hostedRoute({ key, cors }: RouteOptions): ProxiedRoute {
  const route = proxiedRoute(parseRouteKey(key))
  return cors === null || route.methods === null ? route : { ...route, methods: [...route.methods, 'OPTIONS'] }
}

/** Without what Fastify itself reads of a plugin's options. */
function withoutRegisterOptions(input: Record<string, unknown>): Record<string, unknown> {
  const { logLevel: _level, logSerializers: _serializers, ...rest } = input
  return rest
}

/** The key with more before its path: `GET a.test/x` → `GET a.test/before/x`. */
function prefixed(key: string, before: string): string {
  const slash = key.indexOf('/')
  return key.slice(0, slash) + before + key.slice(slash)
}

export const gateway = fp(register, { name: 'headrace', fastify: '5.x' })
