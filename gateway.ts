import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { type EmbeddedInput, resolveEmbedded } from './config/embedded.ts'
import loginsPlugin from './plugins/logins.ts'
import hostedAdmission from './plugins/hosted-admission.ts'
import specifications from './plugins/specifications.ts'
import rateLimit from './plugins/rate-limit.ts'
import responseCache from './plugins/response-cache.ts'
import trafficPlugin from './plugins/traffic.ts'
import upstreamsPlugin from './plugins/upstreams.ts'
import workerPool from './plugins/worker-pool.ts'
import loginRoutes from './routes/logins.ts'
import { type ProxiedRoute, proxiedRoute } from './routes/proxied-routes.ts'
import { proxyRoutes } from './routes/proxy.ts'
import { highestPriority } from './services/access/consumers/highest-priority.ts'
import { Access } from './services/access/access.ts'
import { ownLink } from './services/access/machines.ts'
import { createSecondTier } from './services/cache/second-tier.ts'
import { createRecoder } from './services/compression/recoder.ts'
import { createLane } from './services/lane/create-lane.ts'
import { createLimitStore } from './services/limit/create-store.ts'
import { Limits } from './services/limit/limits.ts'
import { ServedDocuments } from './services/openapi/served-documents.ts'
import { InternalErrors } from './services/monitor/internal-errors.ts'
import { Traffic } from './services/monitor/traffic.ts'
import { identifies, pressureGates } from './services/pressure/pressure-gates.ts'
import { samplePressure } from './services/pressure/sampled-pressure.ts'
import { InvalidRouteError } from './services/routing/errors.ts'
import type { RouteOptions } from './services/routing/options.ts'
import { parseRouteKey } from './services/routing/pattern.ts'
import { loadHooks } from './services/transform/hooks.ts'
import { Upstreams } from './services/upstream/upstreams.ts'
import { logDisagreement } from './services/validation/log.ts'
import { ValidationRecord } from './services/validation/record.ts'
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
  const config = resolveEmbedded(withoutRegisterOptions(input), root === undefined ? {} : { root })
  const before = fastify.prefix.replace(/\/+$/, '') + prefix
  const traffic = config.metrics ? new Traffic() : null
  const upstreams = new Upstreams(config.upstreams)
  // First: from here on they are closed with the application, also where something below throws.
  await fastify.register(upstreamsPlugin, { upstreams })
  await fastify.register(trafficPlugin, { traffic })
  // The application may have threads of its own.
  const hasWorkers = fastify.hasDecorator('workerPool')
  const workers = hasWorkers ? fastify.workerPool : new WorkerPool(config.workers)
  if (!hasWorkers) await fastify.register(workerPool, { pool: workers })
  const second = config.routes.some(({ cache }) => cache !== null)
    ? createSecondTier(config.cache, config.redis, fastify.log)
    : null
  fastify.addHook('onClose', async () => {
    await second?.close()
    second?.link?.close()
  })
  const accessLink = ownLink(config, second?.link ?? null)
  fastify.addHook('onClose', async () => accessLink?.close())
  const access = new Access(config.access, config.routes, {
    log: fastify.log,
    machines: { link: second?.link ?? accessLink, prefix: config.redis?.prefix ?? '' },
  })
  access.start()
  fastify.addHook('onClose', () => access.close())
  // One process, as far as it knows: nobody is asked but Redis.
  const limitStore = createLimitStore(config, {
    loans: async () => ({ loans: [], members: 1 }),
    log: fastify.log,
  })
  fastify.addHook('onClose', () => limitStore.close())
  const limits = new Limits(config, limitStore)
  const load = { inFlight: 0 }
  const pressure = samplePressure(config.pressure, { previous: null, load })
  fastify.addHook('onClose', async () => pressure?.release())
  const highest = highestPriority(access.consumers)
  const shedding =
    pressure === null ? [] : pressureGates<RouteOptions>({ pressure: pressure.value, identifies, highest })
  const documents = new ServedDocuments((name, path, signal) => upstreams.request(name, path, signal))
  await fastify.register(specifications, { documents })
  const lane = createLane({
    ...config,
    tier: second?.tier ?? null,
    routes: config.routes.map((route) => ({ ...route, key: prefixed(route.key, before) })),
    recode: createRecoder(workers),
    upstreams,
    load,
    documents,
    traffic,
    hooks: await loadHooks(config.routes),
    validations: new ValidationRecord((told) => logDisagreement(fastify.log, told)),
    own: { find: () => undefined },
    ownStrictness: () => 0,
    finished: [access.finished],
    gates: [...access.makers, ...limits.makers, ...shedding],
    reserved: access.reserved,
    internalErrors: new InternalErrors(fastify.log),
  })
  second?.follow(lane.cache.storage)
  await fastify.register(responseCache, {
    share: {
      storage: lane.cache.storage,
      options: config.cache,
      isShared: second !== null,
      second: () => second?.report() ?? null,
      purge: (selector, mode) => lane.cache.purge(selector, mode),
      invalidate: (selectors) => lane.cache.invalidate(selectors),
    },
  })
  if (access.providers.logins.size > 0) {
    await fastify.register(async (scope) => {
      await scope.register(rateLimit, { max: 120, timeWindow: 60_000 })
      scope.addHook('onRequest', scope.rateLimit())
      await scope.register(loginsPlugin, { logins: access.providers.browserLogins })
      await scope.register(loginRoutes)
    })
  }
  // A scope of its own: what holds here (no body is parsed) holds for the proxied routes alone.
  await fastify.register(
    async (scope) => {
      await scope.register(hostedAdmission, { lane })
      await scope.register(proxyRoutes, { routes: config.routes.map((route) => hostedRoute(route)) })
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
