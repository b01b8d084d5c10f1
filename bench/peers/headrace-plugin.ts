/**
 * Headrace as a plugin of a Fastify application, beside the reference as like as can be: every request goes through
 * Fastify's router, hooks and reply. Metrics off; V8 as Node starts it.
 */
import Fastify from 'fastify'
import { gateway } from '../../index.ts'
import { announce, argument } from './peer.ts'

const fastify = Fastify({ logger: false })
await fastify.register(gateway, {
  upstreams: { origin: { targets: [argument('origin')], connections: 128 } },
  routes: { '/*': { to: 'origin' } },
  metrics: false,
})
const url = await fastify.listen({ host: '127.0.0.1', port: 0, backlog: 4096 })
announce({ url, secureUrl: null, pids: [process.pid] })
