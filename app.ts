import { createServer } from 'node:http'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
} from 'fastify'
import type { Config } from './config/config.ts'
import access from './plugins/access.ts'
import admission from './plugins/admission.ts'
import adminToken, { type AdminTokenOptions } from './plugins/admin-token.ts'
import cacheAdmin from './plugins/cache-admin.ts'
import cacheMonitor from './plugins/cache-monitor.ts'
import cacheWarm from './plugins/cache-warm.ts'
import compression from './plugins/compression.ts'
import control from './plugins/control.ts'
import errors, { answerFrameworkError } from './plugins/errors.ts'
import expectation from './plugins/expectation.ts'
import http2 from './plugins/http2.ts'
import loginsPlugin from './plugins/logins.ts'
import lazySchemas from './plugins/lazy-schemas.ts'
import maintenanceAdmin from './plugins/maintenance-admin.ts'
import metrics from './plugins/metrics.ts'
import specifications from './plugins/specifications.ts'
import monitor from './plugins/monitor.ts'
import openapi from './plugins/openapi.ts'
import ownPages from './plugins/own-pages.ts'
import pressurePlugin from './plugins/pressure.ts'
import rateLimit from './plugins/rate-limit.ts'
import redis from './plugins/redis.ts'
import responseCache from './plugins/response-cache.ts'
import tokens from './plugins/tokens.ts'
import trafficPlugin from './plugins/traffic.ts'
import upstreamAdmin from './plugins/upstream-admin.ts'
import upstreamsPlugin from './plugins/upstreams.ts'
import validationMonitor from './plugins/validation-monitor.ts'
import workerPool from './plugins/worker-pool.ts'
import healthRoutes from './routes/health.ts'
import loginRoutes from './routes/logins.ts'
import metricsRoute from './routes/metrics.ts'
import performanceRoutes from './routes/performance/index.ts'
import { proxyRoutes } from './routes/proxy.ts'
import type { Access } from './services/access/access.ts'
import { highestPriority } from './services/access/consumers/highest-priority.ts'
import type { Control } from './services/control/control.ts'
import type { LocalControl } from './services/control/local.ts'
import { controlRoots, guardedRoots, isBelow } from './services/control/paths.ts'
import type { Exchange } from './services/downstream/exchange.ts'
import { compressionOf } from './services/compression/options.ts'
import { createRecoder } from './services/compression/recoder.ts'
import { Announcements } from './services/cache/announcements.ts'
import type { SecondTierReport } from './services/cache/second-tier.ts'
import { createLane } from './services/lane/create-lane.ts'
import { Kept } from './services/lane/kept.ts'
import type { Lane } from './services/lane/lane.ts'
import { OwnPaths } from './services/lane/own-paths.ts'
import type { GateMaker } from './services/gate/gate.ts'
import type { Http2Counters } from './services/listener/counters.ts'
import type { RequestHandlers } from './services/listener/handlers.ts'
import { ServedDocuments } from './services/openapi/served-documents.ts'
import { accessMetrics } from './services/monitor/access-metrics.ts'
import { cacheMetrics } from './services/monitor/cache-metrics.ts'
import { cacheTierMetrics } from './services/monitor/cache-tier-metrics.ts'
import type { MetricSource } from './services/monitor/families.ts'
import { limitMetrics } from './services/monitor/limit-metrics.ts'
import { maintenanceMetrics } from './services/monitor/maintenance-metrics.ts'
import { mirrorMetrics } from './services/monitor/mirror-metrics.ts'
import { splitMetrics } from './services/monitor/split-metrics.ts'
import { tokenMetrics } from './services/monitor/token-metrics.ts'
import { trafficMetrics } from './services/monitor/traffic-metrics.ts'
import { validationMetrics } from './services/monitor/validation-metrics.ts'
import { webSocketMetrics } from './services/monitor/websocket-metrics.ts'
import { workerMetrics } from './services/monitor/worker-metrics.ts'
import { pressureMetrics } from './services/monitor/pressure-metrics.ts'
import { upstreamMetrics } from './services/monitor/upstream-metrics.ts'
import type { RelatedDocument } from './services/openapi/describe.ts'
import { connectSources } from './services/openapi/servers.ts'
import { parseRate } from './services/options/units.ts'
import { loadHooks } from './services/transform/hooks.ts'
import { WorkerPool } from './services/workers/worker-pool.ts'
import { CONTROL_RANK, type RoutePlan } from './services/proxy/plan.ts'
import type { Pressure } from './services/pressure/pressure.ts'
import { identifies, pressureGates } from './services/pressure/pressure-gates.ts'
import type { RouteOptions } from './services/routing/options.ts'

/** What the process gives to both planes. */
export interface Parts {
  log: FastifyBaseLogger
  version: string
  /** The control port that admin routes speak to. */
  control: Control
  /** The admin token; unused where the control plane is off. */
  token: string
  /** The other plane's documents, asked when a document is built. */
  related?: () => RelatedDocument | null
}

/** What a data-plane process adds. */
export interface DataPlaneParts extends Parts {
  /** Answers the control port for this process. */
  local: LocalControl
  draining: () => boolean
  /** Told of every request that is over, such as the access log. */
  finished: readonly ((exchange: Exchange<RoutePlan>) => void)[]
  /** Further sources of metrics: the listeners. */
  sources: readonly MetricSource[]
  /** What the listeners' HTTP/2 sessions have counted; without listeners there is none. */
  http2?: () => readonly Http2Counters[]
  /** The gateway whose place this one takes in the same process: what can be kept of it is. Close it when it is idle. */
  previous?: Gateway | null
}

/** The data plane, ready to be given requests. */
export interface Gateway {
  app: FastifyInstance
  handlers: RequestHandlers
  /** What it hands on to the one that takes its place. */
  kept: Kept
  /** Nothing is under way in it. */
  readonly idle: boolean
}

/** Hooks that see a request: one of the user's on the gateway takes every route off the lane. */
const REQUEST_HOOKS = new Set([
  'onRequest',
  'preParsing',
  'preValidation',
  'preHandler',
  'preSerialization',
  'onSend',
  'onResponse',
  'onError',
  'onTimeout',
  'onRequestAbort',
])

/**
 * Builds the data plane: the lane, and Fastify behind it for the gateway's own endpoints and all that the lane leaves.
 *
 * @throws HR_ROUTE_*, HR_UPSTREAM_*, HR_FORWARDED_TRUST for a configuration that was not checked
 */
export async function buildGateway(
  config: Config,
  // Not among the parts that its closures hold on to: each gateway would keep all before it alive.
  { previous = null, ...parts }: DataPlaneParts,
): Promise<Gateway> {
  const kept = new Kept(config, {
    log: parts.log,
    previous: previous?.kept ?? null,
    loans: async (requests) => (await parts.control.ask('limit-loans', { requests })).result,
  })
  try {
    return await buildWith(kept, config, parts)
  } catch (error) {
    await kept.release()
    throw error
  }
}

async function buildWith(kept: Kept, config: Config, parts: Omit<DataPlaneParts, 'previous'>): Promise<Gateway> {
  const { upstreams, traffic, internalErrors, second, pressure } = kept
  const readSecond = (): SecondTierReport | null => second?.report() ?? null
  const workers = new WorkerPool(config.workers)
  const own = new OwnPaths()
  const guarded = guardedRoots(config)
  const isGuarded = (path: string): boolean => isBelow(guarded, path)
  const documents = new ServedDocuments((name, path, signal) => upstreams.request(name, path, signal))
  const lane = createLane({
    ...config,
    tier: second?.tier ?? null,
    recode: createRecoder(workers),
    upstreams,
    traffic,
    // A mistyped path of the control plane must not take its token to an upstream.
    own: { find: (path) => (isGuarded(path) ? 'own' : own.find(path)) },
    ownStrictness: (path) => (isGuarded(path) ? CONTROL_RANK : 0),
    finished: [...parts.finished, kept.access.finished],
    reserved: kept.access.reserved,
    internalErrors,
    webSockets: kept.webSockets,
    draining: parts.draining,
    gates: [...kept.access.makers, ...kept.limits.makers, ...gateMakers(pressure, kept.access)],
    load: kept.load,
    cacheParts: kept.cacheParts,
    cacheCounters: kept.cacheCounters,
    maintained: kept.maintenance,
    documents,
    hooks: await loadHooks(config.routes),
    validations: kept.validations,
    splits: kept.splits,
    mirrors: kept.mirrors,
    ...(kept.peers && { peers: kept.peers }),
  })
  kept.use(lane)

  const options: FastifyServerOptions = {
    ...fastifyOptions(parts.log),
    bodyLimit: config.limits.bodyBytes,
    routerOptions: {
      // No path is longer: Fastify's router would answer by itself, and not with a problem.
      maxParamLength: config.limits.headerBytes,
      constraints: {
        // Fastify's router is told the route that ours has found; there is one authority on what matches what.
        plan: {
          name: 'plan',
          storage: () => {
            const handlers = new Map<string, never>()
            return {
              get: (key) => handlers.get(key as string) ?? null,
              set: (key, handler) => void handlers.set(key as string, handler as never),
            }
          },
          deriveConstraint: (request) => lane.exchangeOf(request).plan?.key as string,
          mustMatchWhenDerived: false,
        },
      },
    },
    rewriteUrl(request) {
      const exchange = lane.exchangeOf(request)
      return exchange.refusal === undefined ? decodable(exchange.path) + exchange.query : '/'
    },
    genReqId: (request) => lane.exchangeOf(request).requestId,
  }
  const app = Fastify(options)
  app.addHook('onClose', () => {
    lane.tunnels.close()
    return kept.release()
  })
  app.addHook('onRoute', ({ url, method, config: routeConfig }) => {
    if (routeConfig?.proxied !== true) own.add(url, [method].flat())
  })

  if (config.processes > 1) {
    const announcements = new Announcements({
      send: (selectors) => parts.control.tell('cache-invalidate', { from: process.pid, selectors }),
      // What does not hear of it keeps what it has until that is stale.
      failed: (error) => parts.log.warn({ err: error }, 'not every process heard of an invalidation'),
    })
    lane.cache.announce = (selectors) => announcements.add(selectors)
    app.addHook('onClose', () => announcements.close())
  }
  if (second !== null && second.link !== null) await app.register(redis, { link: second.link })
  await app.register(errors, { own, docs: config.endpoints.docs, internalErrors })
  await app.register(http2, { limits: config.limits, ...(parts.http2 && { listeners: parts.http2 }) })
  await app.register(admission, { lane })
  await app.register(expectation)
  await app.register(upstreamsPlugin, { upstreams, local: parts.local })
  await app.register(specifications, { documents })
  await app.register(trafficPlugin, { traffic })
  await app.register(pressurePlugin, { pressure, local: parts.local })
  await app.register(workerPool, { pool: workers })
  await app.register(access, { access: kept.access, local: parts.local })
  await app.register(control, { control: parts.control })
  await app.register(tokens, {
    access: kept.access,
    local: parts.local,
    process: config.processes > 1 ? process.pid : null,
  })
  await app.register(cacheAdmin)
  await app.register(upstreamAdmin)
  await app.register(maintenanceAdmin)
  await app.register(adminToken, tokensOf(config, parts))
  await app.register(monitor, {
    local: parts.local,
    version: parts.version,
    upstreams,
    draining: parts.draining,
    maintenance: kept.maintenance,
    limits: kept.limits,
    notices: () => [...(second?.notices() ?? []), ...kept.limits.notices()],
    loggers: [parts.log as never],
  })
  await app.register(responseCache, {
    share: {
      storage: lane.cache.storage,
      options: config.cache,
      isShared: config.processes > 1 || second !== null,
      second: readSecond,
      purge: async (selector, mode) => {
        const { results } = await parts.control.tell('cache-purge', { selector, mode })
        return results.reduce((total, covered) => total + covered, 0)
      },
      invalidate: (selectors) => lane.cache.invalidate(selectors),
    },
  })
  await app.register(cacheWarm, {
    local: parts.local,
    lane,
    targets: config.cache.warm,
    base: ownAddress(config),
  })
  await app.register(validationMonitor, { local: parts.local, record: kept.validations })
  await app.register(cacheMonitor, {
    local: parts.local,
    cache: lane.cache,
    second: readSecond,
    routes: lane.plans,
  })
  await app.register(proxyRoutes, {
    // One for each plan: Fastify's router follows ours by the constraint.
    routes: config.routes.map(({ key }) => ({ url: '/*', methods: null, constraints: { plan: key } })),
  })
  await app.register(async (pages) => {
    pages.addHook('onRoute', ({ url }) => own.claim(url))
    await pages.register(lazySchemas)
    await registerCompression(pages, config)
    await pages.register(ownPages, { connectSources: connectSources(config.routes) })
    if (traffic !== null) {
      const sources = [
        trafficMetrics(traffic),
        cacheMetrics(lane.cache, lane.plans),
        cacheTierMetrics(readSecond),
        webSocketMetrics(kept.webSockets),
        workerMetrics(workers),
        upstreamMetrics(upstreams),
        maintenanceMetrics(() => kept.maintenance.report()),
        pressureMetrics(() => pressure?.report() ?? null),
        splitMetrics(kept.splits),
        mirrorMetrics(kept.mirrors),
        accessMetrics(() => kept.access.counters.counts()),
        tokenMetrics(kept.access),
        limitMetrics(() => kept.limits.report()),
        validationMetrics(kept.validations),
        internalErrors,
        ...parts.sources,
      ]
      await pages.register(metrics, { local: parts.local, sources })
    }
    await pages.register(openapi, {
      docs: config.endpoints.docs,
      openapi: config.endpoints.openapi,
      info: {
        title: 'Gateway',
        version: parts.version,
        description: 'The APIs behind this gateway, at its own paths.',
      },
      upstreams: config.upstreams,
      routes: config.routes,
      protectedPaths: guarded,
      request: (name, path, signal) => upstreams.request(name, path, signal),
      ...(parts.related && { related: parts.related }),
    })
    await pages.register(healthRoutes, {
      health: config.endpoints.health,
      ready: config.endpoints.ready,
      version: parts.version,
      details: false,
    })
    if (kept.access.providers.logins.size > 0) {
      await pages.register(async (logins) => {
        await guardAgainstGuessing(logins, LOGIN_RATE)
        await logins.register(loginsPlugin, { logins: kept.access.providers.browserLogins })
        await logins.register(loginRoutes)
      })
    }
    if (config.admin?.shared === true) await pages.register(controlPlane, { config })
  })
  return {
    app,
    handlers: handlersOf(app, lane, { early: config.cache.early, pressure }),
    kept,
    get idle() {
      return lane.idle
    },
  }
}

/** What makes the gates of a route, each for its own. */
function gateMakers(pressure: Pressure | null, { consumers }: Access): GateMaker<RouteOptions>[] {
  if (pressure === null) return []
  return pressureGates<RouteOptions>({ pressure, identifies, highest: highestPriority(consumers) })
}

/** What a path alone is asked at, by the gateway itself. */
function ownAddress({ listen: [first] }: Config): string {
  const { port = 80, tls = null } = first ?? {}
  return `${tls === null ? 'http' : 'https'}://localhost:${port}`
}

/** Builds the control plane for a listener of its own. It holds no state: everything is asked through the control port. */
export async function buildAdmin(config: Config, parts: Parts): Promise<FastifyInstance> {
  const own = new OwnPaths()
  const app = Fastify({
    ...fastifyOptions(parts.log),
    routerOptions: { maxParamLength: config.limits.headerBytes },
  })
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
  await app.register(control, { control: parts.control })
  await app.register(cacheAdmin)
  await app.register(upstreamAdmin)
  await app.register(maintenanceAdmin)
  await app.register(adminToken, tokensOf(config, parts))
  await app.register(async (pages) => {
    await pages.register(lazySchemas)
    await registerCompression(pages, config)
    await pages.register(ownPages, { origin: false })
    await pages.register(openapi, {
      docs: config.endpoints.docs,
      openapi: config.endpoints.openapi,
      info: {
        title: 'Gateway control plane',
        version: parts.version,
        description: 'What the gateway does, and how it does it.',
      },
      protectedPaths: controlRoots(config.endpoints),
      ...(parts.related && { related: parts.related }),
    })
    await pages.register(healthRoutes, {
      health: config.endpoints.health,
      ready: config.endpoints.ready,
      version: parts.version,
      details: true,
    })
    await pages.register(controlPlane, { config })
  })
  return app
}

/** Of the gateway's own pages, where the configuration has it for all routes. */
async function registerCompression(pages: FastifyInstance, config: Config): Promise<void> {
  const resolved = compressionOf(null, config.compression)
  if (resolved !== null) await pages.register(compression, { resolved })
}

/** Who is let into the control plane. */
function tokensOf({ admin }: Config, { token }: Parts): AdminTokenOptions {
  return { token, limited: Object.values(admin?.tokens ?? {}) }
}

/** The routes that want the admin token. */
async function controlPlane(fastify: FastifyInstance, { config }: { config: Config }): Promise<void> {
  const { performance, metrics: metricsPath } = config.endpoints
  const { admin } = config
  if (admin !== null && admin.rateLimit !== false) await guardAgainstGuessing(fastify, admin.rateLimit)
  if (performance !== false) await fastify.register(performanceRoutes, { path: performance, metrics: config.metrics })
  if (metricsPath !== false && config.metrics) await fastify.register(metricsRoute, { path: metricsPath })
}

/** Of one address: each login costs a request to the identity provider. */
const LOGIN_RATE = '120/min'

/** Counts each request before what it brings is looked at. */
async function guardAgainstGuessing(fastify: FastifyInstance, text: string): Promise<void> {
  const rate = parseRate(text)
  if (rate === undefined) return
  await fastify.register(rateLimit, { max: rate.count, timeWindow: rate.windowMs })
  fastify.addHook('onRequest', fastify.rateLimit())
}

function fastifyOptions(log: FastifyBaseLogger): FastifyServerOptions {
  return {
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // The listeners are separate and many (server.ts); Fastify gets requests through `routing` alone.
    serverFactory: (handler) => createServer(handler),
    return503OnClosing: false,
    frameworkErrors: answerFrameworkError as NonNullable<FastifyServerOptions['frameworkErrors']>,
  }
}

function handlersOf(
  app: FastifyInstance,
  lane: Lane,
  { early, pressure }: { early: boolean; pressure: Pressure | null },
): RequestHandlers {
  const { addHook } = app as unknown as { addHook: (this: unknown, name: string, hook: unknown) => unknown }
  // A hook of the user's on the gateway has to see every request, and sees none on the lane. Scopes within inherit this
  // method; their hooks are for their own routes, which the lane leaves to Fastify anyway.
  app.addHook = function (this: unknown, name: string, hook: unknown) {
    if (this === app && REQUEST_HOOKS.has(name)) lane.off = `the hook ${name}`
    return addHook.call(this, name, hook)
  } as never
  const answersHits = early && lane.caches
  return {
    head: answersHits || pressure !== null ? (head, socket) => lane.head(head, socket) : null,
    wantsHeads: () => answersHits || pressure?.active === true,
    request: (request, response) => lane.request(request, response),
    stream: (stream, headers, rawHeaders) => lane.stream(stream, headers, rawHeaders),
    upgrade: (request, early) => lane.upgrade(request, early),
    connect: (stream, headers, rawHeaders) => lane.connect(stream, headers, rawHeaders),
    fallback: (request, response) => app.routing(request as never, response as never),
    broke: (request, error) => lane.brokeOff(request, error),
  }
}

/** Fastify's router decodes paths as UTF-8, and answers by itself where they are something else: these stay encoded. */
function decodable(path: string): string {
  if (!path.includes('%')) return path
  try {
    decodeURI(path)
    return path
  } catch {
    return path.replaceAll('%', '%25')
  }
}
