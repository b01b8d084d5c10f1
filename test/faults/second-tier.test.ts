import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { test, type Test } from 'tap'
import { request } from 'undici'
import type { CacheReport } from '../../services/cache/report.ts'
import type { SecondTierReport } from '../../services/cache/second-tier.ts'
import { TIER_WAIT_MS } from '../../services/cache/store/tier.ts'
import type { HealthReport } from '../../services/monitor/health.ts'
import { type Gateway, PATIENCE, startManagedGateway } from '../helper.ts'
import { noRedis, type RedisServer, type SlowPath, slowPath, startRedis } from '../redis-server.ts'
import { noMount, smallDisk } from '../small-disk.ts'
import { startUpstream } from '../upstream-server.ts'
import { until } from '../until.ts'

/** The second tier fails while the gateway serves: it serves on, at its own speed, says so, and recovers by itself. */

const CLIENTS = 4
/** Of one request, on its way through gateway and upstream, which share this process's event loop: no more. */
const HOPS = 20
const LOOK_MS = 5

interface Load {
  /** Requests that were answered. */
  readonly answered: number
  /** All that was no 200, or took longer than the second tier may cost. */
  readonly bad: string[]
  /** Resolves when so many more are answered. */
  more(count: number): Promise<void>
  end(): Promise<void>
}

/** Clients that ask without pause, for what is stored and for what is not. */
async function startLoad(t: Test, gateway: Gateway): Promise<Load> {
  const stalls = monitorEventLoopDelay({ resolution: LOOK_MS })
  stalls.enable()
  let running = true
  const load = { answered: 0, bad: [] as string[] }
  const clients = await Promise.all(Array.from({ length: CLIENTS }, () => gateway.client('h1')))
  const run = async (client: (typeof clients)[number], who: number): Promise<void> => {
    for (let i = 0; running; i++) {
      const path = i % 2 === 0 ? `/hot/${i % 10}` : `/cold/${who}/${i}`
      const from = performance.now()
      const { status } = await client.request({ method: 'GET', path, fields: [] })
      const tookMs = performance.now() - from
      // The monitor has seen the stall that has just ended once its own timer has had its turn.
      if (tookMs > TIER_WAIT_MS) await new Promise((resolve) => setTimeout(resolve, 2 * LOOK_MS))
      // Whoever waits for more than the tier's time waits for something else: this process had no turn.
      const mayMs = TIER_WAIT_MS + 100 + (HOPS * stalls.max) / 1e6
      if (status !== 200 || tookMs > mayMs) load.bad.push(`${path}: ${status} after ${tookMs.toFixed()} ms`)
      load.answered++
    }
  }
  const runs = Promise.all(clients.map(run))
  const end = async (): Promise<void> => {
    running = false
    await runs
    stalls.disable()
  }
  t.teardown(end)
  return Object.assign(load, {
    more: async (count: number) => {
      const enough = load.answered + count
      while (load.answered < enough) await new Promise((resolve) => setImmediate(resolve))
    },
    end,
  })
}

async function startBefore(t: Test, given: Record<string, unknown>): Promise<Gateway> {
  const upstream = await startUpstream(t, (exchange) =>
    exchange.respond(200, [['Cache-Control', 'max-age=600']], 'x'.repeat(1000)),
  )
  return startManagedGateway(t, {
    upstreams: { origin: { targets: [upstream.origin] } },
    routes: { '/*': { to: 'origin', cache: true } },
    ...given,
  })
}

async function askAdmin<T>({ adminUrl, token }: Gateway, path: string): Promise<T> {
  const { body } = await request(`${adminUrl}${path}`, { headers: { authorization: `Bearer ${token}` } })
  return (await body.json()) as T
}

async function tierOf(gateway: Gateway): Promise<SecondTierReport> {
  return (await askAdmin<CacheReport>(gateway, '/performance/cache')).tiers[0]!
}

async function tierWhen(gateway: Gateway, holds: (tier: SecondTierReport) => boolean): Promise<SecondTierReport> {
  let tier = await tierOf(gateway)
  await until(async () => holds((tier = await tierOf(gateway))), 10)
  return tier
}

async function metric(gateway: Gateway, name: string): Promise<number | undefined> {
  const { metrics } = await askAdmin<{ metrics: { values: { value: number }[] }[] }>(
    gateway,
    `/performance/metrics?name=${name}`,
  )
  return metrics[0]?.values[0]?.value
}

interface Fault {
  begin(server: RedisServer, path: SlowPath): unknown
  end(server: RedisServer, path: SlowPath): unknown
}

const FAULTS: Record<string, Fault> = {
  killed: { begin: (server) => server.kill(), end: (server) => server.restart() },
  paused: { begin: (server) => server.pause(), end: (server) => server.resume() },
  slow: { begin: (_, path) => path.delay(300), end: (_, path) => path.delay(0) },
}

void test('Redis fails under load', { skip: noRedis, timeout: PATIENCE }, async (t) => {
  const server = await startRedis(t)
  const path = await slowPath(t, server.port)
  const gateway = await startBefore(t, {
    // Without memory every request asks Redis; and no timeout of the connection's own ends a wait.
    cache: { memory: { enabled: false } },
    redis: { url: path.url, commandTimeout: '5m', connectTimeout: '5m' },
  })
  await tierWhen(gateway, ({ state }) => state === 'up')
  const load = await startLoad(t, gateway)
  for (const [what, fault] of Object.entries(FAULTS)) {
    const before = await tierOf(gateway)
    await tierWhen(gateway, ({ hits }) => hits > before.hits + 10)
    // On a busy machine it may be too slow by itself for a moment.
    await until(async () => (await metric(gateway, 'headrace_cache_tier_up')) === 1)
    await fault.begin(server, path)
    const away = await tierWhen(gateway, ({ state }) => state === 'away')
    t.type(away.reason, 'string', what)
    t.equal(await metric(gateway, 'headrace_cache_tier_up'), 0)
    const health = await askAdmin<HealthReport>(gateway, '/performance/health')
    t.match(health, { status: 'degraded', reasons: [/without its second tier \(redis\)/] }, what)
    await load.more(50)
    t.ok((await tierOf(gateway)).skipped - away.skipped > 10, `${what}: it is not asked any more`)
    await fault.end(server, path)
    await tierWhen(gateway, ({ state }) => state === 'up')
    t.same(load.bad, [], what)
  }
  await load.end()
})

void test('the disk fills up under load: what is on it is read, the rest comes from the origin', {
  skip: noMount,
  timeout: PATIENCE,
}, async (t) => {
  const disk = smallDisk(t, '2m')
  const gateway = await startBefore(t, {
    cache: { memory: { enabled: false }, disk: { path: join(disk.folder, 'cache') } },
  })
  await tierWhen(gateway, ({ state }) => state === 'up')
  const load = await startLoad(t, gateway)
  const { hits, reason } = await tierWhen(gateway, (tier) => tier.reason !== null)
  t.match(reason, /full/)
  await tierWhen(gateway, (tier) => tier.hits > hits + 10 && tier.dropped > 0)
  disk.resize('64m')
  const { writes } = await tierWhen(gateway, ({ reason }) => reason === null)
  await tierWhen(gateway, (tier) => tier.writes > writes + 10)
  await load.end()
  t.same(load.bad, [])
})
