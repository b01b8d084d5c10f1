import { test } from 'tap'
import poolsRoute from '../../../routes/performance/pools.ts'
import { LocalControl } from '../../../services/control/local.ts'
import { AUTHORIZED, controlPlane } from '../../control-plane.ts'
import { targetSnapshot } from '../../target-snapshot.ts'

function twoUpstreams(): LocalControl {
  const local = new LocalControl()
  local.answer({
    pools: () => [
      targetSnapshot({
        outcomes: { response: 8, reset: 1, client_abort: 2 },
        latenciesMs: { response: [4, 4, 4, 100], reset: [10_000] },
        lastError: { outcome: 'reset', code: 'ECONNRESET', at: 1_700_000_000_000 },
      }),
      targetSnapshot({ upstream: 'other', target: 'unix:/run/other.sock', state: 'unknown' }),
    ],
  })
  return local
}

void test('every target is told with connections, errors and percentiles', async (t) => {
  const fastify = controlPlane(t, twoUpstreams())
  await fastify.register(poolsRoute)
  const { pools, missing } = (await fastify.inject({ url: '/pools', headers: AUTHORIZED })).json()
  t.strictSame(missing, [])
  t.match(pools, [
    {
      upstream: 'fleet',
      state: 'up',
      connections: { limit: 100, connected: 4, free: 3, running: 1, pending: 0, queued: 0 },
      attempts: 11,
      errors: 1,
      outcomes: { response: 8, reset: 1, client_abort: 2, connect_error: 0 },
      lastError: { outcome: 'reset', code: 'ECONNRESET', at: 1_700_000_000_000 },
      latency: { response: { count: 4, meanMs: 28, maxMs: 100, p99Ms: 100 }, reset: { count: 1, maxMs: 10_000 } },
    },
    { upstream: 'other', target: 'unix:/run/other.sock', latency: {}, lastError: null },
  ])
  t.ok(Math.abs(pools[0].latency.response.p50Ms - 4) < 0.13)
})

void test('one upstream can be asked for', async (t) => {
  const fastify = controlPlane(t, twoUpstreams())
  await fastify.register(poolsRoute)
  const names = async (url: string): Promise<string[]> =>
    (await fastify.inject({ url, headers: AUTHORIZED })).json().pools.map((pool: { upstream: string }) => pool.upstream)
  t.strictSame(await names('/pools?upstream=other'), ['other'])
  t.strictSame(await names('/pools?upstream=none'), [])
})

void test('a target is changed in every process, under the name it has, and what cannot be one is refused', async (t) => {
  const local = twoUpstreams()
  const told: unknown[] = []
  local.answer({ upstreams: () => [{ name: 'fleet', targets: ['http://127.0.0.1:4001'] }] })
  local.obey({ 'upstream-target': (args) => void told.push(args) })
  const fastify = controlPlane(t, local)
  await fastify.register(poolsRoute)
  const post = async (payload: object) =>
    fastify.inject({ method: 'POST', url: '/pools/targets', headers: AUTHORIZED, payload })
  const changed = await post({ upstream: 'fleet', target: 'HTTP://127.0.0.1:4001/', state: 'draining' })
  t.match(changed.json(), { pools: [{ upstream: 'fleet' }], missing: [] })
  t.equal((await post({ upstream: 'fleet', target: 'http://10.0.0.7:1', weight: 2 })).statusCode, 200)
  t.strictSame(told, [
    { upstream: 'fleet', change: { url: 'http://127.0.0.1:4001', as: 'draining', weight: null } },
    { upstream: 'fleet', change: { url: 'http://10.0.0.7:1', as: 'present', weight: 2 } },
  ])
  for (const wrong of [
    { upstream: 'flet', target: 'http://10.0.0.7' },
    { upstream: 'fleet', target: 'http://10.0.0.7/path' },
    { upstream: 'fleet', target: 'ftp://10.0.0.7' },
    { upstream: 'fleet', target: 'dns+http://name' },
    { upstream: 'fleet', target: 'http://10.0.0.8', state: 'draining' },
    { upstream: 'fleet', target: 'http://10.0.0.7', weight: 0 },
  ]) {
    t.equal((await post(wrong)).statusCode, 400, JSON.stringify(wrong))
  }
  t.equal(told.length, 2)
})

void test('without the token there are no pools', async (t) => {
  const fastify = controlPlane(t)
  await fastify.register(poolsRoute)
  t.equal((await fastify.inject('/pools')).statusCode, 401)
})
