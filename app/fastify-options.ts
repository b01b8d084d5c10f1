import { createServer } from 'node:http'
import { type FastifyBaseLogger, type FastifyServerOptions, LogController } from 'fastify'
import { answerFrameworkError } from '../plugins/errors.ts'
import type { Lane } from '../services/lane/lane.ts'

export interface OptionsParts {
  log: FastifyBaseLogger
  /** Of the configuration. */
  limits: { bodyBytes: number; headerBytes: number }
}

/** Of a Fastify whose listeners are ours. */
export function fastifyOptions({ log, limits }: OptionsParts): FastifyServerOptions {
  return {
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    // The listeners are separate and many (server.ts); Fastify gets requests through `routing` alone.
    serverFactory: (handler) => createServer(handler),
    return503OnClosing: false,
    frameworkErrors: answerFrameworkError as NonNullable<FastifyServerOptions['frameworkErrors']>,
    // No path is longer: Fastify's router would answer by itself, and not with a problem.
    routerOptions: { maxParamLength: limits.headerBytes },
  }
}

/** Of the Fastify behind a lane, which goes by what admission has found out of a request. */
export function optionsBehindLane(lane: Lane, parts: OptionsParts): FastifyServerOptions {
  const options = fastifyOptions(parts)
  return {
    ...options,
    bodyLimit: parts.limits.bodyBytes,
    routerOptions: { ...options.routerOptions, constraints: { plan: planConstraint(lane) } },
    rewriteUrl(request) {
      const exchange = lane.exchangeOf(request)
      return exchange.refusal === undefined ? decodable(exchange.path) + exchange.query : '/'
    },
    genReqId: (request) => lane.exchangeOf(request).requestId,
  }
}

type Constraint = NonNullable<NonNullable<FastifyServerOptions['routerOptions']>['constraints']>[string]

/** Fastify's router is told the route that ours has found; there is one authority on what matches what. */
function planConstraint(lane: Lane): Constraint {
  return {
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
