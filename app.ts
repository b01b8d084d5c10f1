import { createServer } from 'node:http'
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
  LogController,
} from 'fastify'
import type { Config } from './config/config.ts'
import admission from './plugins/admission.ts'
import adminToken from './plugins/admin-token.ts'
import control from './plugins/control.ts'
import errors from './plugins/errors.ts'
import http2 from './plugins/http2.ts'
import metrics from './plugins/metrics.ts'
import monitor from './plugins/monitor.ts'
import openapi from './plugins/openapi.ts'
import ownPages from './plugins/own-pages.ts'
import upstreamsPlugin from './plugins/upstreams.ts'
import healthRoutes from './routes/health.ts'
import metricsRoute from './routes/metrics.ts'
import performanceRoutes from './routes/performance/index.ts'
import { proxyRoutes } from './routes/proxy.ts'
import type { Control } from './services/control/control.ts'
import type { LocalControl } from './services/control/local.ts'
import { Admission } from './services/downstream/admission.ts'
import type { Exchange } from './services/downstream/exchange.ts'
import { Forwarding } from './services/downstream/forwarding.ts'
import { Lane } from './services/lane/lane.ts'
import { OwnPaths } from './services/lane/own-paths.ts'
import type { Http2Counters } from './services/listener/counters.ts'
import type { RequestHandlers } from './services/listener/handlers.ts'
import type { MetricSource } from './services/monitor/families.ts'
import { Traffic } from './services/monitor/traffic.ts'
import { trafficMetrics } from './services/monitor/traffic-metrics.ts'
import { upstreamMetrics } from './services/monitor/upstream-metrics.ts'
import type { RelatedDocument } from './services/openapi/describe.ts'
import { connectSources } from './services/openapi/servers.ts'
import { compilePlans, type RoutePlan } from './services/proxy/plan.ts'
import { Upstreams } from './services/upstream/upstreams.ts'

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
}

/** The data plane, ready to be given requests. */
export interface Gateway {
  app: FastifyInstance
  handlers: RequestHandlers
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
export async function buildGateway(config: Config, parts: DataPlaneParts): Promise<Gateway> {
  const upstreams = new Upstreams(config.upstreams)
  const traffic = config.metrics ? new Traffic() : null
  const forwarding = new Forwarding(config.forwarded)
  const own = new OwnPaths()
  const guarded = guardedPaths(config)
  const isGuarded = (path: string): boolean => guarded.some((root) => path === root || path.startsWith(`${root}/`))
  const plans = compilePlans(config.routes, upstreams, traffic)
  const lane = new Lane({
    forwarding,
    admission: new Admission({
      forwarding,
      table: plans,
      bodyBytes: config.limits.bodyBytes,
      ownStrictness: (path) => (isGuarded(path) ? 1 : 0),
    }),
    // A mistyped path of the control plane must not take its token to an upstream.
    own: { find: (path) => (isGuarded(path) ? 'own' : own.find(path)) },
    finished: parts.finished,
    proxy: {
      deadlines: upstreams.deadlines,
      bodyBytes: config.limits.bodyBytes,
      sendTimeoutMs: config.limits.sendTimeoutMs,
      serverTiming: config.serverTiming,
    },
  })

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
  app.addHook('onRoute', ({ url, config: routeConfig }) => {
    if (routeConfig?.proxied !== true) own.add(url)
  })

  await app.register(errors)
  await app.register(http2, { limits: config.limits, ...(parts.http2 && { listeners: parts.http2 }) })
  await app.register(admission, { lane })
  await app.register(upstreamsPlugin, { upstreams })
  await app.register(control, { control: parts.control })
  await app.register(adminToken, { token: parts.token })
  await app.register(monitor, {
    local: parts.local,
    version: parts.version,
    upstreams,
    draining: parts.draining,
    loggers: [parts.log as never],
  })
  await app.register(proxyRoutes, { keys: config.routes.map((route) => route.key) })
  await app.register(async (pages) => {
    await pages.register(ownPages, { connectSources: connectSources(config.routes) })
    if (traffic !== null) {
      const sources = [trafficMetrics(traffic), upstreamMetrics(upstreams), ...parts.sources]
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
    if (config.admin?.shared === true) await pages.register(controlPlane, { config })
  })
  return { app, handlers: handlersOf(app, lane) }
}

/** Builds the control plane for a listener of its own. It holds no state: everything is asked through the control port. */
export async function buildAdmin(config: Config, parts: Parts): Promise<FastifyInstance> {
  const app = Fastify(fastifyOptions(parts.log))
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id)
    done()
  })
  await app.register(errors)
  await app.register(control, { control: parts.control })
  await app.register(adminToken, { token: parts.token })
  await app.register(async (pages) => {
    await pages.register(ownPages, { origin: false })
    await pages.register(openapi, {
      docs: config.endpoints.docs,
      openapi: config.endpoints.openapi,
      info: {
        title: 'Gateway control plane',
        version: parts.version,
        description: 'What the gateway does, and how it does it.',
      },
      protectedPaths: controlPaths(config),
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

/** The routes that want the admin token. */
async function controlPlane(fastify: FastifyInstance, { config }: { config: Config }): Promise<void> {
  const { performance, metrics: metricsPath } = config.endpoints
  if (performance !== false) await fastify.register(performanceRoutes, { path: performance, metrics: config.metrics })
  if (metricsPath !== false && config.metrics) await fastify.register(metricsRoute, { path: metricsPath })
}

function controlPaths({ endpoints }: Config): string[] {
  const paths = endpoints.performance === false ? [] : [endpoints.performance, '/api/v1/performance']
  if (endpoints.metrics !== false) paths.push(endpoints.metrics)
  return paths
}

/** Paths on the public listener that want the admin token: no path may reach them by being read in another way. */
function guardedPaths(config: Config): string[] {
  return config.admin?.shared === true ? controlPaths(config) : []
}

function fastifyOptions(log: FastifyBaseLogger): FastifyServerOptions {
  return {
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // The listeners are separate and many (server.ts); Fastify gets requests through `routing` alone.
    serverFactory: (handler) => createServer(handler),
    return503OnClosing: false,
  }
}

function handlersOf(app: FastifyInstance, lane: Lane): RequestHandlers {
  const { addHook } = app as unknown as { addHook: (this: unknown, name: string, hook: unknown) => unknown }
  // A hook of the user's on the gateway has to see every request, and sees none on the lane. Scopes within inherit this
  // method; their hooks are for their own routes, which the lane leaves to Fastify anyway.
  app.addHook = function (this: unknown, name: string, hook: unknown) {
    if (this === app && REQUEST_HOOKS.has(name)) lane.off = `the hook ${name}`
    return addHook.call(this, name, hook)
  } as never
  return {
    request: (request, response) => lane.request(request, response),
    stream: (stream, headers, rawHeaders) => lane.stream(stream, headers, rawHeaders),
    fallback: (request, response) => app.routing(request as never, response as never),
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
