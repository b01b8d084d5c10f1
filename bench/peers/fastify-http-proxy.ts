/**
 * The reference: @fastify/http-proxy alone on a Fastify without logger, with the settings that measured best
 * (undici's pool at 128 connections, no pipelining).
 */
import fastifyHttpProxy from '@fastify/http-proxy'
import Fastify from 'fastify'
import { announce, argument } from './peer.ts'

const fastify = Fastify({ logger: false })
await fastify.register(fastifyHttpProxy, {
  upstream: argument('origin'),
  undici: { connections: 128, pipelining: 1 },
  http2: false,
})
const url = await fastify.listen({ host: '127.0.0.1', port: 0, backlog: 4096 })
announce({ url, secureUrl: null, pids: [process.pid] })
