import { test, type Test } from 'tap'
import { PATIENCE } from '../../helper.ts'
import { noRedis, startRedis } from '../../redis-server.ts'
import { keyFor } from '../../services/access/given.ts'
import { startUpstream } from '../../upstream-server.ts'
import { until } from '../../until.ts'
import { folderOf, type Machine, machine } from './machines.ts'

/** What is kept behind the memory of a process, on disk and in Redis as they are, is one caller's after a restart, too. */

const CALLERS = { acme: keyFor(), globex: keyFor() }
const PROFILES = ['secure', 'rfc']
/** Several: on a busy machine a tier may answer too late, which is a miss. */
const PATHS = Array.from({ length: 8 }, (_, i) => `/${i}`)

async function tierOf({ gateway }: Machine): Promise<{ state: string; queued: number } | undefined> {
  const answer = await fetch(`${gateway.adminUrl}/performance/cache`, {
    headers: { authorization: `Bearer ${gateway.token}` },
  })
  return ((await answer.json()) as { tiers: { state: string; queued: number }[] }).tiers[0]
}

async function keepsApart(t: Test, more: object): Promise<void> {
  // As careless as can be: it tells each caller who they are, and says that everybody may have it.
  const upstream = await startUpstream(t, (exchange) =>
    exchange.respond(
      200,
      [['Cache-Control', 'public, max-age=600, s-maxage=600']],
      `for ${exchange.request.get('x-consumer-id')}, ${upstream.requests.length}`,
    ),
  )
  const consumers = Object.fromEntries(Object.entries(CALLERS).map(([name, { entry }]) => [name, { keys: [entry] }]))
  const route = (profile: string) => ({ to: 'origin', stripPrefix: true, access: ['key'], cache: { profile } })
  const config = {
    dataDir: folderOf(t),
    access: { consumers },
    upstreams: { origin: { targets: [upstream.origin] } },
    routes: Object.fromEntries(PROFILES.map((profile) => [`/${profile}/*`, route(profile)])),
    ...more,
  }
  /** Asks for everything as everybody. @returns by profile and caller, how many were there already */
  const askAll = async ({ get }: Machine): Promise<Record<string, number>> => {
    const hits: Record<string, number> = {}
    for (const profile of PROFILES) {
      for (const path of PATHS) {
        for (const [name, { key }] of Object.entries(CALLERS)) {
          const { body, cacheStatus } = await get(`/${profile}${path}`, ['x-api-key', key])
          t.match(body, new RegExp(`^for ${name}, \\d+$`), `${profile}${path} is for ${name}`)
          hits[`${profile} ${name}`] = (hits[`${profile} ${name}`] ?? 0) + Number(/; hit/.test(cacheStatus))
        }
      }
    }
    return hits
  }
  const everywhere = (hits: Record<string, number>): boolean => Object.values(hits).every((count) => count > 0)

  const first = await machine(t, config)
  await until(async () => (await tierOf(first))?.state === 'up')
  t.same(Object.values(await askAll(first)), [0, 0, 0, 0])
  await until(async () => (await tierOf(first))?.queued === 0)
  await first.gateway.close()

  const second = await machine(t, config)
  await until(async () => (await tierOf(second))?.state === 'up')
  t.ok(everywhere(await askAll(second)), 'what was stored before the restart is found')
  t.ok(everywhere(await askAll(second)), 'and what was promoted from there')
  for (const profile of PROFILES) {
    t.equal(
      await second.status(`/${profile}${PATHS[0]}`, ['x-other', 'nobody']),
      401,
      'nobody is answered with any of it',
    )
  }
}

void test('on disk', { timeout: PATIENCE }, (t) => keepsApart(t, {}))

void test('in Redis', { timeout: PATIENCE, skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  await keepsApart(t, { redis: { url: redis.url } })
})
