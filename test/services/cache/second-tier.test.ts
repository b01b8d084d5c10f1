import { once } from 'node:events'
import { test, type Test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import { createSecondTier, type SecondTier } from '../../../services/cache/second-tier.ts'
import { freePort, noRedis, startRedis } from '../../redis-server.ts'
import { Milestones } from '../../signal.ts'

interface Told {
  second: SecondTier
  /** What was logged, with its reason. */
  lines: string[]
  logged: Milestones
}

function told(t: Test, url: string): Told {
  const lines: string[] = []
  const logged = new Milestones()
  const line = (details: object, message: string): void => {
    lines.push(message)
    logged.advance()
    t.match(details, { tier: 'redis' })
  }
  const { cache, redis } = resolveConfig({ redis: { url }, upstreams: {}, routes: {} }, { root: t.testdir() })
  const second = createSecondTier(cache, redis, { info: line, warn: line }) as SecondTier
  t.teardown(async () => {
    await second.close()
    second.link?.close()
  })
  return { second, lines, logged }
}

void test('the log says that Redis is there, from the start on', { skip: noRedis }, async (t) => {
  const server = await startRedis(t)
  const { lines, logged, second } = told(t, server.url)
  await logged.wait(1)
  t.strictSame(lines, ['the cache has Redis'])
  await server.kill()
  await logged.wait(2)
  await Promise.all([server.restart(), once(second.link!, 'ready')])
  await logged.wait(3)
  t.strictSame(lines, ['the cache has Redis', 'the cache goes on without Redis', 'the cache has Redis again'])
})

void test('the log says that Redis is not there, from the start on, and once', async (t) => {
  const { lines, logged, second } = told(t, `redis://127.0.0.1:${await freePort()}`)
  await logged.wait(1)
  await once(second.link!, 'away')
  t.strictSame(lines, ['the cache goes on without Redis'])
  t.match(second.report(), { state: 'away', reason: /ECONNREFUSED/ })
})
