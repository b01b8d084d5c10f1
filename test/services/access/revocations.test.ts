import { once } from 'node:events'
import { test, type Test } from 'tap'
import { Revocations } from '../../../services/access/revocations.ts'
import { RedisLink } from '../../../services/redis/link.ts'
import { resolveConfig } from '../../../config/resolve.ts'
import { noRedis, type RedisServer, startRedis } from '../../redis-server.ts'
import { QUIET } from './given.ts'

function machine(t: Test, url: string): { link: RedisLink; revocations: Revocations } {
  const { redis } = resolveConfig({ redis: { url } })
  if (redis === null) throw new Error('no redis in the configuration')
  const link = new RedisLink(redis)
  const revocations = new Revocations({ link, prefix: redis.prefix, log: QUIET, now: Date.now })
  revocations.start()
  t.teardown(() => {
    revocations.stop()
    link.close()
  })
  return { link, revocations }
}

/** Asks again and again, a turn of Redis each time. */
async function until(redis: RedisServer, condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await redis.cli('ping')
}

void test('without Redis, what is revoked is so in this process and the one that takes its place', async (t) => {
  const parts = { link: null, prefix: '', log: QUIET, now: Date.now }
  const first = new Revocations(parts)
  await first.revoke('aaaaaaaa')
  t.equal(first.has('aaaaaaaa'), true)
  t.equal(first.has('bbbbbbbb'), false)
  t.equal(new Revocations({ ...parts, previous: first }).has('aaaaaaaa'), true)
  for (let i = 0; i < 10_001; i++) await first.revoke(`x${i}`)
  t.equal(first.list().length, 10_000, 'and no more than so many are kept')
})

void test('a key that one machine revokes is dead on the others, on those that start later, and after Redis was away', {
  skip: noRedis,
  timeout: 150_000,
}, async (t) => {
  const redis = await startRedis(t)
  const [one, other] = [machine(t, redis.url), machine(t, redis.url)]
  await until(redis, async () => (await redis.cli('pubsub', 'numsub', 'headrace:access:revoked')).includes('2'))
  await one.revocations.revoke('aaaaaaaa')
  await until(redis, () => other.revocations.has('aaaaaaaa'))
  const later = machine(t, redis.url)
  await until(redis, () => later.revocations.has('aaaaaaaa'))
  const away = once(one.link, 'away')
  await redis.kill()
  await away
  await one.revocations.revoke('bbbbbbbb')
  t.equal(one.revocations.has('bbbbbbbb'), true, 'here at once, whoever is away')
  await redis.restart()
  await until(redis, () => other.revocations.has('bbbbbbbb') && later.revocations.has('bbbbbbbb'))
  t.pass('and elsewhere once Redis is back')
})
