import { METHODS } from 'node:http'
import type { FastifyInstance, HTTPMethods } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route leads to an upstream; all others are the gateway's own. */
    proxied?: boolean
  }
}

/** Keys of the compiled routes; Fastify's router follows ours by the constraint `plan` (app.ts). */
export interface ProxyRouteOptions {
  keys: readonly string[]
}

/**
 * The configured routes, as Fastify sees them: one for each, for what the lane leaves to Fastify. The body is not
 * parsed; the reply is taken over, and goes to the client as it comes from the upstream.
 */
export async function proxyRoutes(fastify: FastifyInstance, { keys }: ProxyRouteOptions): Promise<void> {
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', (_request, _payload, done) => done(null))
  const methods = METHODS.filter((method) => method !== 'CONNECT') as HTTPMethods[]
  for (const method of methods) {
    // Fastify knows the common methods only; the gateway forwards all that Node parses.
    if (!fastify.supportedMethods.includes(method)) fastify.addHttpMethod(method, { hasBody: true })
  }
  for (const key of keys) {
    fastify.route({
      method: methods,
      url: '/*',
      exposeHeadRoute: false,
      constraints: { plan: key },
      config: { disableMetrics: true, proxied: true },
      schema: { hide: true },
      handler(request, reply) {
        reply.hijack()
        fastify.lane.proxy(request.exchange)
      },
    })
  }
}
