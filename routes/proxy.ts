import { METHODS } from 'node:http'
import type { FastifyInstance, HTTPMethods, preParsingHookHandler } from 'fastify'

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
      preParsing: keepFromParsing,
      handler(request, reply) {
        reply.hijack()
        fastify.lane.proxy(request.exchange)
      },
    })
  }
}

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
