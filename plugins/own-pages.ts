import cors from '@fastify/cors'
import helmet from '@fastify/helmet'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Security headers (helmet) and CORS for the gateway's own pages, and for nothing else: register it in the scope that
 * holds these pages (not on the root), before their routes. What other scopes serve, proxied answers above all, is left
 * as it is, and a preflight to any path that is none of these pages goes where it would have gone.
 *
 * Each page of the scope also answers OPTIONS: 204 with `Allow`, or the preflight's answer.
 */
export interface OwnPagesOptions {
  /** Origins that scripts may read these pages from; `false`: their own alone. Default `*`: they hold no cookies. */
  origin?: '*' | readonly string[] | false
  /** More sources that scripts on these pages may call ("Try it out" at other hosts), as CSP writes them. */
  connectSources?: readonly string[]
}

async function ownPages(fastify: FastifyInstance, options: OwnPagesOptions): Promise<void> {
  await fastify.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        // Swagger UI's script inserts a style element whose hash changes with its version
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'", 'data:'],
        connectSrc: ["'self'", ...(options.connectSources ?? [])],
        formAction: ["'self'"],
        baseUri: ["'none'"],
        frameAncestors: ["'self'"],
      },
    },
    // these two speak for the whole host, proxied services included: theirs to set, or the operator's
    strictTransportSecurity: false,
    originAgentCluster: false,
    // browsers complain of it over plain HTTP
    crossOriginOpenerPolicy: false,
  })
  registerCors(fastify, options.origin ?? '*')
  answerOptions(fastify)
}

function registerCors(fastify: FastifyInstance, origin: '*' | readonly string[] | false): void {
  // @fastify/cors adds `OPTIONS *`, a route of the whole server, which would swallow preflights to proxied paths; the
  // pages have OPTIONS routes of their own here, so the plugin gets a view of the scope on which that call does nothing
  const view: FastifyInstance = Object.create(fastify, { options: { value: () => view } })
  const settings = {
    origin: typeof origin === 'object' ? [...origin] : origin,
    methods: ['GET', 'HEAD'],
    maxAge: 600,
  }
  cors(
    view,
    {
      delegator: (request: FastifyRequest, callback) =>
        callback(null, { ...settings, preflight: isPreflight(request) }),
    },
    (error?: Error) => {
      if (error) throw error
    },
  )
}

/** https://fetch.spec.whatwg.org/#cors-preflight-request */
function isPreflight({ method, headers }: FastifyRequest): boolean {
  return method === 'OPTIONS' && headers.origin !== undefined && headers['access-control-request-method'] !== undefined
}

/** Gives each path of the scope an OPTIONS route (RFC 9110, §9.3.7) that names the methods of its other routes. */
function answerOptions(fastify: FastifyInstance): void {
  const methodsByUrl = new Map<string, Set<string>>()
  fastify.addHook('onRoute', ({ url, method }: RouteOptions) => {
    const methods = methodsByUrl.get(url) ?? new Set<string>(['OPTIONS'])
    for (const name of [method].flat()) methods.add(name)
    if (methodsByUrl.has(url)) return
    methodsByUrl.set(url, methods)
    const isOptions = [method].flat().includes('OPTIONS')
    if (isOptions || !url.startsWith(fastify.prefix) || fastify.hasRoute({ method: 'OPTIONS', url })) return
    fastify.route({
      method: 'OPTIONS',
      url: url.slice(fastify.prefix.length),
      schema: { hide: true },
      handler: async (_request, reply) =>
        reply
          .code(204)
          .header('allow', [...methods].sort().join(', '))
          .send(),
    })
  })
}

export default fp(ownPages, { name: 'headrace-own-pages', fastify: '5.x' })
