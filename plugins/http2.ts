import type { ServerHttp2Session } from 'node:http2'
import { constants, type Http2ServerRequest } from 'node:http2'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { HostError } from '../services/http/errors.ts'
import { checkHttp2Head } from '../services/http/http2-request.ts'
import { dropConnectionFields } from '../services/http/http2-response.ts'
import { addHttp2Counters, type Http2Counters } from '../services/listener/counters.ts'
import { MethodError } from '../services/listener/errors.ts'
import { Http2Sessions, type Http2SessionsOptions } from '../services/listener/http2-sessions.ts'

/**
 * Guards HTTP/2: floods of PING and SETTINGS, silent and idle sessions, session errors, and requests that could not be
 * written as HTTP/1.1 without changing their meaning (RFC 9113 §8.2–8.3). Fields of an HTTP/1.1 connection are left out
 * of replies, where they would end the process (fastify#7034). On closing, sessions are told to go away and their streams
 * finish. On a server that Fastify makes itself, add `http2ServerOptions(limits)` to its options.
 *
 * In the gateway the listeners look after sessions and requests before Fastify sees one; there the plugin adds up what
 * they counted. Register it before whatever replies.
 *
 * It shares `http2Sessions`.
 */
export interface Http2PluginOptions {
  limits: Http2SessionsOptions['limits']
  /** What listeners outside this instance have counted. */
  listeners?: () => readonly Http2Counters[]
}

export interface Http2SessionsOfInstance {
  /** Of this instance's own server and of the listeners, together; read when someone asks. */
  counters(): Http2Counters
}

declare module 'fastify' {
  interface FastifyInstance {
    http2Sessions: Http2SessionsOfInstance
  }
}

const HOST = new HostError('disagrees with :authority')
const METHOD = new MethodError()

async function http2(fastify: FastifyInstance, { limits, listeners }: Http2PluginOptions): Promise<void> {
  const sessions = new Http2Sessions({ limits })
  fastify.decorate('http2Sessions', {
    counters: () => addHttp2Counters([sessions.counters, ...(listeners?.() ?? [])]),
  })
  // An HTTP/1 server never emits it.
  fastify.server.on('session', (session: ServerHttp2Session) => sessions.open(session))
  fastify.addHook('preClose', (done) => {
    for (const state of sessions) sessions.goAway(state)
    done()
  })
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.raw.httpVersionMajor !== 2) return done()
    const raw = request.raw as unknown as Http2ServerRequest
    dropConnectionFields(raw.stream)
    const fault = checkHttp2Head(raw.headers, raw.rawHeaders)
    if (fault === null) return done()
    if (fault.kind === 'answer') return done(fault.code === 'HR_REQUEST_HOST' ? HOST : METHOD)
    sessions.counters.malformed++
    reply.hijack()
    raw.stream.close(constants.NGHTTP2_PROTOCOL_ERROR)
  })
}

export default fp(http2, { name: 'headrace-http2', fastify: '5.x' })
