import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { CLIENT_GONE } from '../services/downstream/client-gone.ts'
import type { Exchange } from '../services/downstream/exchange.ts'
import type { Lane } from '../services/lane/lane.ts'
import type { RoutePlan } from '../services/proxy/plan.ts'

/**
 * The first steps of each request that Fastify handles, the same as on the lane: canonical path, forwarding, request id,
 * route. What the lane would refuse is refused here with the same problem.
 *
 * It shares `request.exchange` and `lane`. Register it before every hook that looks at a request.
 */
export interface AdmissionPluginOptions {
  lane: Lane
}

declare module 'fastify' {
  interface FastifyInstance {
    lane: Lane
  }
  interface FastifyRequest {
    /** What admission found out: the canonical path, the client, the route's plan. */
    exchange: Exchange<RoutePlan>
  }
}

async function admission(fastify: FastifyInstance, { lane }: AdmissionPluginOptions): Promise<void> {
  fastify.decorate('lane', lane)
  fastify.decorateRequest('exchange')
  fastify.addHook('onRequest', (request, reply, done) => {
    const exchange = lane.exchangeOf(request.raw)
    lane.attach(exchange, request.raw, reply.raw)
    request.exchange = exchange
    request.id = exchange.requestId
    reply.header('x-request-id', exchange.requestId)
    // What Fastify serves itself is no request of a configured route.
    const isProxied = request.routeOptions.config?.proxied === true
    if (!isProxied) exchange.plan = undefined
    // On HTTP/2 there is no connection to close, and the field would end the process (fastify#7034).
    if (exchange.suspect && exchange.protocol !== '2.0') reply.header('connection', 'close')
    done(exchange.refusal ?? (isProxied || request.is404 ? exchange.held : undefined))
  })
  // A client that leaves before the answer: Fastify has no onResponse for it, and a proxied request ends by itself.
  fastify.addHook('onRequestAbort', ({ exchange }, done) => {
    if (exchange.work === undefined && !exchange.finished) {
      exchange.status = CLIENT_GONE
      exchange.code = 'CLIENT_ABORT'
      lane.finish(exchange)
    }
    done()
  })
  fastify.addHook('onResponse', (request, reply, done) => {
    const { exchange } = request
    if (exchange.status === 0) exchange.status = reply.statusCode
    lane.finish(exchange)
    done()
  })
}

export default fp(admission, { name: 'headrace-admission', fastify: '5.x' })
