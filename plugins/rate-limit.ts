import fastifyRateLimit, { type RateLimitPluginOptions } from '@fastify/rate-limit'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { countingStore } from '../services/limit/counting-store.ts'
import { RateLimitedError } from '../services/limit/errors.ts'
import { type GatewayError, withFields } from '../services/http/problem.ts'

/** Others than these are what the data plane sends; `addHeaders` and `addHeadersOnExceeding` have them back. */
const NO_LEGACY = { 'x-ratelimit-limit': false, 'x-ratelimit-remaining': false, 'x-ratelimit-reset': false }

/**
 * @fastify/rate-limit for routes of Fastify's own: the gateway's pages, or an application's. Its options and those of a
 * route (`config.rateLimit`) are its own; its fixed windows are replaced by GCRA (services/limit/counting-store.ts), a refusal
 * is a problem document with `Retry-After`, and behind trusted proxies the client is who the gateway takes it for.
 *
 * It shares `rateLimit` and `createRateLimit`, and acts on routes of its scope that are registered after it: all of them
 * with `global: true`, else those with `config.rateLimit`. Proxied routes have limits of their own (services/limit), which
 * hold for hits of the cache as well.
 */
export interface RateLimitOptions extends Omit<RateLimitPluginOptions, 'store' | 'redis' | 'ban'> {
  /** For tests: milliseconds of a clock that nobody sets. */
  now?: () => number
}

async function rateLimit(fastify: FastifyInstance, { now, ...options }: RateLimitOptions): Promise<void> {
  await fastify.register(fastifyRateLimit, {
    global: false,
    addHeaders: NO_LEGACY,
    addHeadersOnExceeding: NO_LEGACY,
    keyGenerator: clientOf,
    errorResponseBuilder: (request, { ttl }) => refusal(request, ttl),
    ...options,
    store: countingStore(now) as never,
  })
}

function clientOf(request: FastifyRequest): string {
  const { exchange } = request as FastifyRequest & { exchange?: { clientAddress: string } }
  return fastifyRateLimit.normalizeIP(exchange?.clientAddress ?? request.ip)
}

function refusal({ routeOptions }: FastifyRequest, ttl: number): GatewayError {
  const after = Math.max(1, Math.ceil(ttl / 1000))
  return withFields(new RateLimitedError(routeOptions.url ?? 'this page', after), ['retry-after', String(after)])
}

export default fp(rateLimit, { name: 'headrace-rate-limit', fastify: '5.x' })
