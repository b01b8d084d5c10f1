import { METHODS } from 'node:http'
import type { FastifyInstance, HTTPMethods, preParsingHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { ProxiedRoute } from './proxied-routes.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route leads to an upstream; all others are the gateway's own. */
    proxied?: boolean
  }
}

export interface ProxyRouteOptions {
  routes: readonly ProxiedRoute[]
}

/**
 * The configured routes, as Fastify sees them. The body is not parsed; the reply is taken over, and goes to the client as
 * it comes from the upstream: hooks that shape replies (`onSend`, `reply.header()`) have no effect on it.
 *
 * A route that the application has already is left to it; what no plan takes goes on to its not-found handler.
 */
async function proxy(fastify: FastifyInstance, { routes }: ProxyRouteOptions): Promise<void> {
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', (_request, _payload, done) => done(null))
  for (const { url, methods, constraints } of routes) {
    const free = (methods ?? PROXIED).filter(
      (method) => !fastify.hasRoute({ method: method as HTTPMethods, url: fastify.prefix + url, constraints }),
    ) as HTTPMethods[]
    for (const method of free) {
      // Fastify knows the common methods only; the gateway forwards all that Node parses.
      if (!fastify.supportedMethods.includes(method)) fastify.addHttpMethod(method, { hasBody: true })
    }
    if (free.length === 0) continue
    fastify.route({
      method: free,
      url,
      exposeHeadRoute: false,
      prefixTrailingSlash: 'slash',
      constraints,
      config: { disableMetrics: true, proxied: true },
      schema: { hide: true },
      preParsing: keepFromParsing,
      handler(request, reply) {
        if (request.exchange.plan === undefined) return reply.callNotFound()
        reply.hijack()
        fastify.lane.proxy(request.exchange)
      },
    })
  }
}

/** A method that Node does not parse cannot be had, whatever a route's key says. */
const PROXIED = METHODS.filter((method) => method !== 'CONNECT')

/** RFC 9110 §8.3.1, without what few write. */
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(?:;|$)/
const OPAQUE = { 'content-type': 'application/octet-stream' }

/**
 * Fastify refuses a media type that is malformed, or missing with QUERY, before it asks for a parser: what a proxied
 * body is said to be is the upstream's business. Only `request.headers` is changed, which the upstream does not get.
 */
const keepFromParsing: preParsingHookHandler = (request, _reply, payload, done) => {
  const type = request.headers['content-type']
  if (type === undefined ? request.method === 'QUERY' : !MEDIA_TYPE.test(type)) request.headers = OPAQUE
  done(null, payload)
}

export const proxyRoutes = fp(proxy, {
  name: 'headrace-proxy',
  fastify: '5.x',
  encapsulate: true,
  decorators: { fastify: ['lane'], request: ['exchange'] },
})
