import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { RedisClient } from '../services/redis/client.ts'
import type { RedisLink } from '../services/redis/link.ts'

/**
 * The connection to Redis, shared by all that the gateway keeps there. It shares `redisLink`, and through @fastify/redis
 * `redis`: an ioredis client for routes and plugins of the user's, whose commands fail at once while Redis is away. The
 * instance boots without Redis. Whoever has made the link closes it.
 */
export interface RedisPluginOptions {
  link: RedisLink
}

declare module 'fastify' {
  interface FastifyInstance {
    redisLink: RedisLink
  }
}

async function redis(fastify: FastifyInstance, { link }: RedisPluginOptions): Promise<void> {
  fastify.decorate('redisLink', link)
  const presented = presentable(link.client)
  await fastify.register(import('@fastify/redis'), { client: presented.client })
  presented.registered()
}

/**
 * The client, which says that it is ready until it is registered: @fastify/redis 9 waits for a client that is not, and
 * with Redis down the boot would end there.
 */
function presentable(client: RedisClient): { client: RedisClient; registered(): void } {
  let isRegistered = false
  const shown = new Proxy(client, {
    get: (target, name): unknown => (name === 'status' && !isRegistered ? 'ready' : Reflect.get(target, name, target)),
  })
  return {
    client: shown,
    registered: () => {
      isRegistered = true
    },
  }
}

export default fp(redis, { name: 'headrace-redis', fastify: '5.x' })
