import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

/**
 * Ends the wait for a body that is not there. The listeners give requests without one a stream that has ended already
 * (`optimizeEmptyRequests`), and Fastify waits for the end of what says by Content-Type that there is one: it gets a stream
 * that ends when it is read.
 *
 * It shares nothing; it acts on the whole instance. Register it before hooks that read bodies.
 */
async function emptyBody(fastify: FastifyInstance): Promise<void> {
  fastify.addHook('preParsing', (request, _reply, payload, done) => {
    const hasEnded = (payload as Readable).readableEnded && request.routeOptions.config?.proxied !== true
    done(null, hasEnded ? Readable.from([]) : payload)
  })
}

export default fp(emptyBody, { name: 'headrace-empty-body', fastify: '5.x' })
