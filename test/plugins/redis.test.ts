import { once } from 'node:events'
import Fastify from 'fastify'
import { test } from 'tap'
import redis from '../../plugins/redis.ts'
import { RedisLink } from '../../services/redis/link.ts'
import { freePort, linkTo, noRedis, redisOptions, startRedis } from '../redis-server.ts'

void test('routes get a client, which stays open when the instance closes', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const link = await linkTo(t, server.url)
  const app = Fastify()
  await app.register(redis, { link })
  t.equal(await app.redis.set('a', '1'), 'OK')
  t.equal(app.redisLink, link)
  await app.close()
  t.ok(link.ready, 'another instance may go on with it')
})

void test('the instance boots without Redis, and has it when it comes', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  await server.kill()
  const link = new RedisLink(redisOptions(server.url))
  const app = Fastify()
  t.teardown(() => link.close())
  await app.register(redis, { link })
  await app.ready()
  t.not(app.redis.status, 'ready')
  await t.rejects(app.redis.get('a'), 'at once')
  await Promise.all([once(link, 'ready'), server.restart()])
  t.equal(app.redis.status, 'ready')
  t.equal(await app.redis.get('a'), null)
})

void test('an instance that never had a Redis closes', async (t) => {
  const app = Fastify()
  const link = new RedisLink(redisOptions(`redis://127.0.0.1:${await freePort()}`))
  await app.register(redis, { link })
  await app.ready()
  await t.resolves(app.close())
  link.close()
})
