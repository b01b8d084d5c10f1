import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import Fastify, { type FastifyInstance } from 'fastify'
import { test, type Test } from 'tap'
import { buildGateway } from '../../../app.ts'
import { resolveConfig } from '../../../config/resolve.ts'
import { gateway, type GatewayOptions } from '../../../gateway.ts'
import { LocalControl } from '../../../services/control/local.ts'
import { createLog } from '../../../services/log/logger.ts'
import type { Selector } from '../../../services/cache/store/selector.ts'
import { noRedis, startRedis } from '../../redis-server.ts'
import { startUpstream } from '../../upstream-server.ts'
import { until } from '../../until.ts'

void test('in an application, one tag purges what code keeps and what the gateway keeps', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [['cache-control', 'max-age=60']]))
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(gateway, {
    upstreams: { origin: { targets: [upstream.origin] } },
    routes: { '/api/*': { to: 'origin', cache: { tags: ['vehicles'] } } },
  })
  app.get('/own', { config: { cache: { ttl: '1m', tags: ['vehicles'] } } }, async () => 'own')
  for (const url of ['/api/x', '/own']) {
    await app.inject(url)
    t.match((await app.inject(url)).headers['cache-status'], /hit/, url)
  }
  await app.responseCache.set('vehicle:1', 1, { tags: ['vehicles'] })
  t.equal(await app.responseCache.purge({ tag: 'vehicles' }), 3)
  t.equal(await app.responseCache.get('vehicle:1'), undefined)
  for (const url of ['/api/x', '/own']) t.match((await app.inject(url)).headers['cache-status'], /fwd=uri-miss/, url)
})

void test('the control plane purges what code keeps; a purge of code goes through the control port', async (t) => {
  const config = resolveConfig({ admin: { shared: true, token: 'secret' }, log: { level: 'silent' } })
  const local = new LocalControl()
  const { app } = await buildGateway(config, {
    log: createLog(config.log).log,
    version: '1.0.0',
    control: local,
    local,
    token: 'secret',
    draining: () => false,
    finished: [],
    sources: [],
  })
  t.teardown(() => app.close())
  await app.responseCache.mset(
    [
      ['vehicle:1', 1],
      ['vehicle:2', 2],
    ],
    { tags: ['vehicles'] },
  )
  const purged = await app.inject({
    method: 'POST',
    url: '/performance/cache/purge',
    headers: { authorization: 'Bearer secret' },
    payload: { tag: 'vehicles' },
  })
  t.same(purged.json(), { purged: 2, processes: 1, waiting: 0 })
  t.same(await app.responseCache.mget(['vehicle:1', 'vehicle:2']), new Map())

  await app.responseCache.set('vehicle:1', 1, { tags: ['vehicles'] })
  const told: unknown[] = []
  local.obey({
    'cache-purge': (args) => {
      told.push(args)
      return { covered: 7, waiting: false }
    },
  })
  t.equal(await app.responseCache.purge({ tag: 'vehicles' }), 7)
  t.same(told, [{ selector: { kind: 'tag', tag: 'vehicles' }, mode: 'hard' }])

  const selectors: Selector[] = [{ kind: 'tag', tag: 'vehicles' }]
  await local.tell('cache-invalidate', { from: process.pid, selectors })
  t.equal(await app.responseCache.get('vehicle:1'), 1, 'this process knew it before it told the others')
  await local.tell('cache-invalidate', { from: process.pid + 1, selectors })
  t.equal(await app.responseCache.get('vehicle:1'), undefined)
})

interface Embedded {
  app: FastifyInstance
  /** How many of some GETs were hits. */
  hits(): Promise<number>
  /** Until the second tier has been reached, and has what was written. */
  settled(): Promise<void>
}

async function embedded(t: Test, origin: string, options: Partial<GatewayOptions>): Promise<Embedded> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(gateway, {
    upstreams: { origin: { targets: [origin] } },
    routes: { '/api/*': { to: 'origin', cache: { tags: ['vehicles'] } } },
    ...options,
  })
  await app.ready()
  return {
    app,
    hits: async () => {
      let hits = 0
      // Several: on a busy machine the second tier may answer too late for one.
      for (let i = 0; i < 20; i++) {
        const { headers } = await app.inject(`/api/${i}`)
        if (String(headers['cache-status']).startsWith('headrace; hit')) hits++
      }
      return hits
    },
    settled: () =>
      until(() => {
        const { second } = app.responseCache.stats()
        return second?.state === 'up' && second.queued === 0
      }),
  }
}

void test('applications with a gateway share what is in Redis, answers and values, and purge it together', {
  skip: noRedis,
}, async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [['cache-control', 'max-age=60']]))
  const server = await startRedis(t)
  const options = { redis: { url: server.url }, cache: { redis: { keep: '1h' } } }
  const one = await embedded(t, upstream.origin, options)
  const other = await embedded(t, upstream.origin, options)
  await Promise.all([one.settled(), other.settled()])
  t.equal(await one.hits(), 0)
  await one.app.responseCache.set('v', 1, { tags: ['vehicles'] })
  await one.settled()
  t.ok((await other.hits()) > 0)
  await until(async () => (await other.app.responseCache.get('v')) === 1)
  await one.app.responseCache.purge({ tag: 'vehicles' })
  // In its memory until the message comes.
  await until(async () => (await other.app.responseCache.get('v')) === undefined)
  t.equal(await other.hits(), 0)
  await Promise.all([one.app.close(), other.app.close()])
  await until(async () => !(await server.cli('CLIENT', 'LIST')).includes('name=headrace'))
})

void test('a gateway in an application keeps a file where it is told to, which outlives it', async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [['cache-control', 'max-age=60']]))
  const root = t.testdir()
  const cache = { disk: { bytes: '8MiB' } }
  const first = await embedded(t, upstream.origin, { root, dataDir: 'data', cache })
  await first.settled()
  await first.hits()
  await first.app.close()
  t.same(readdirSync(join(root, 'data')), ['.gitignore', 'cache'])
  const second = await embedded(t, upstream.origin, { root, dataDir: 'data', cache })
  await second.settled()
  t.ok((await second.hits()) > 0)
  await second.app.close()

  const other = t.testdir()
  await (await embedded(t, upstream.origin, { root: other, cache: { maxEntryBytes: '1MiB' } })).hits()
  t.same(readdirSync(other), [], 'nothing, where it is not told')
})
