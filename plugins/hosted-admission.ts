import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { constants } from 'node:http2'
import type { FastifyInstance, FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import { CLIENT_GONE } from '../services/downstream/client-gone.ts'
import type { Exchange } from '../services/downstream/exchange.ts'
import { hasDotSegments } from '../services/http/canonical-path.ts'
import { AmbiguousPathError, BodyReadError } from '../services/http/errors.ts'
import { checkHttp2Head } from '../services/http/http2-request.ts'
import type { Lane } from '../services/lane/lane.ts'
import type { RoutePlan } from '../services/proxy/plan.ts'

/**
 * The first steps of each request in a scope of somebody else's application: the same as `admission` takes for a whole
 * instance, but the application's own routes are left alone, its id of the request is the id, and what is refused is
 * answered at once, past its error handler.
 *
 * It shares `lane` and `request.exchange` (from `preParsing` on) with the scope that holds the proxied routes.
 */
export interface HostedAdmissionOptions {
  lane: Lane
}

/** What may be sent in X-Request-Id; an application may call its requests anything. */
const REQUEST_ID = /^[\x21-\x7e]{1,128}$/

async function hostedAdmission(fastify: FastifyInstance, { lane }: HostedAdmissionOptions): Promise<void> {
  fastify.decorate('lane', lane)
  fastify.decorateRequest('exchange')
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.raw.httpVersionMajor === 2 && isOver(request.raw as unknown as Http2ServerRequest)) {
      reply.hijack()
      return
    }
    const exchange = lane.exchangeOf(request.raw)
    lane.attach(exchange, request.raw, reply.raw)
    // Node has written 100 Continue already.
    exchange.fields.expect = undefined
    if (REQUEST_ID.test(request.id)) exchange.requestId = request.id
    request.exchange = exchange
    reply.header('x-request-id', exchange.requestId)
    if (exchange.protocol === '2.0') tellStatus(exchange, reply)
    // The application's router has not resolved them: it may have passed over a route of its own.
    const refusal = exchange.refusal ?? (hasDotSegments(exchange.target) ? new AmbiguousPathError() : undefined)
    if (refusal === undefined) return done()
    reply.hijack()
    exchange.reply.closing = exchange.suspect
    lane.refuse(exchange, refusal)
  })
  fastify.addHook('preHandler', ({ exchange }, _reply, done) => {
    const { body } = exchange
    const isRead = body !== null && (body.readableDidRead || body.readableFlowing !== null)
    done(isRead && exchange.plan !== undefined ? new BodyReadError() : undefined)
  })
  // What a hook of the application answered, or nobody: a proxied request ends by itself.
  fastify.addHook('onRequestAbort', ({ exchange }, done) => {
    if (exchange?.work === undefined) finish(exchange, CLIENT_GONE)
    done()
  })
  fastify.addHook('onResponse', ({ exchange }, reply, done) => {
    finish(exchange, reply.statusCode)
    done()
  })

  /** @param exchange none where a hook of the application answered before it began */
  function finish(exchange: Exchange<RoutePlan> | undefined, status: number): void {
    if (exchange === undefined) return
    if (exchange.status === 0) exchange.status = status
    lane.finish(exchange)
  }
}

/** The stream was reset by the client, or is now: it could not be written as HTTP/1.1 unchanged (RFC 9113 §8.2–8.3). */
function isOver({ headers, rawHeaders, stream }: Http2ServerRequest): boolean {
  if (stream.destroyed || stream.closed) return true
  if (checkHttp2Head(headers, rawHeaders)?.kind !== 'reset') return false
  stream.close(constants.NGHTTP2_PROTOCOL_ERROR)
  return true
}

/** Proxied answers are written on the core stream: without this, the application's hooks would see 200 always. */
function tellStatus(exchange: Exchange<RoutePlan>, { raw }: FastifyReply): void {
  const response = raw as unknown as Http2ServerResponse
  response.stream.prependOnceListener('close', () => {
    if (exchange.work === undefined && exchange.status >= 200 && exchange.status < 600) {
      response.statusCode = exchange.status
    }
  })
}

export default fp(hostedAdmission, { name: 'headrace-hosted-admission', fastify: '5.x' })
