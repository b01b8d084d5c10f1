import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/**
 * 100 Continue for routes that read their body, once every `onRequest` hook has let the request in: a client that is
 * answered 401, 404 or 413 never sends it (RFC 9110 §10.1.1). The listeners leave it to this plugin.
 *
 * It shares nothing; it acts on the whole instance. Register it before hooks that read bodies.
 */
async function expectation(fastify: FastifyInstance): Promise<void> {
  fastify.addHook('preParsing', (request, reply, _payload, done) => {
    const { expect } = request.headers
    // A proxied body is asked for by the upstream's connection (services/downstream/request-body.ts).
    const isRead = request.routeOptions.config?.proxied !== true && !BODYLESS.has(request.method)
    if (expect !== undefined && isRead && request.raw.httpVersion !== '1.0') reply.raw.writeContinue()
    done()
  })
}

/** Methods whose bodies Fastify does not read. */
const BODYLESS = new Set(['GET', 'HEAD', 'TRACE'])

export default fp(expectation, { name: 'headrace-expectation', fastify: '5.x' })
