/**
 * undici's cache interceptor behind @fastify/reply-from, in memory. What it answers from the cache says `Connection:
 * close`: `--variant` is `as-it-comes`, or `kept-alive`, which takes that out.
 */
import replyFrom, { type FastifyReplyFromHooks, type FastifyReplyFromOptions } from '@fastify/reply-from'
import Fastify from 'fastify'
import { interceptors, Pool } from 'undici'
import { announce, argument } from './peer.ts'

const origin = argument('origin')
const hooks: FastifyReplyFromHooks =
  argument('variant') === 'kept-alive'
    ? {
        onResponse: (_request, reply, response) => {
          reply.removeHeader('connection')
          reply.send(response.stream)
        },
      }
    : {}

const fastify = Fastify({ logger: false })
const cached: unknown = new Pool(origin, { connections: 128 }).compose(interceptors.cache())
await fastify.register(replyFrom, {
  base: origin,
  // Its types know the dispatchers of undici 7 only.
  undici: cached as NonNullable<FastifyReplyFromOptions['undici']>,
})
fastify.get('/*', (request, reply) => reply.from(request.raw.url, hooks))
const url = await fastify.listen({ host: '127.0.0.1', port: 0, backlog: 4096 })
announce({ url, secureUrl: null, pids: [process.pid] })
