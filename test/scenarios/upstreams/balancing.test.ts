import { test, type Test } from 'tap'
import type { ServiceRecord } from '../../../services/upstream/discovery/resolver.ts'
import { PATIENCE, startGateway } from '../../helper.ts'
import { keyFor } from '../../services/access/given.ts'
import { until } from '../../until.ts'
import { type Play, startUpstream, type Upstream } from '../../upstream-server.ts'
import { beforeTargets } from './before-targets.ts'

/** Upstreams that answer with their number. */
function numbered(t: Test, count: number): Promise<Upstream[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => startUpstream(t, says(String(index)))))
}

const says =
  (text: string): Play =>
  (exchange) =>
    exchange.respond(200, [], text)

const origins = (upstreams: readonly Upstream[]): string[] => upstreams.map(({ origin }) => origin)

void test('a tenant’s requests go to one target, and others’ elsewhere', { timeout: PATIENCE }, async (t) => {
  const targets = origins(await numbered(t, 3))
  const { ask } = await beforeTargets(t, { to: { targets, balance: { hash: 'header:x-tenant' } } })
  const at = async (tenant: string): Promise<string> => String((await ask({ fields: [['X-Tenant', tenant]] })).body)
  const homes = new Set<string>()
  for (let tenant = 0; tenant < 72; tenant++) {
    const home = await at(`t${tenant}`)
    homes.add(home)
    t.equal(await at(`t${tenant}`), home)
  }
  t.equal(homes.size, 3, 'one in 2⁴⁰ runs has ports of which one is no home')
})

void test('a consumer’s requests go to one target, and so do those of whoever has not shown who they are', {
  timeout: PATIENCE,
}, async (t) => {
  const keys = Array.from({ length: 72 }, keyFor)
  const gateway = await startGateway(t, {
    upstreams: { api: { targets: origins(await numbered(t, 3)), balance: { hash: 'consumer' } } },
    routes: { '/*': { to: 'api', access: ['key', 'anonymous'] } },
    access: { consumers: Object.fromEntries(keys.map(({ entry }, index) => [`c${index}`, { keys: [entry] }])) },
  })
  const client = await gateway.client('h1')
  const at = async (key?: string): Promise<string> =>
    String((await client.request({ path: '/', fields: key === undefined ? [] : [['X-Api-Key', key]] })).body)
  const homes = new Set<string>()
  for (const { key } of keys) {
    const home = await at(key)
    homes.add(home)
    t.equal(await at(key), home)
  }
  t.equal(homes.size, 3, 'one in 2⁴⁰ runs has ports of which one is no home')
  const unknown = await at()
  for (let turn = 0; turn < 12; turn++) t.equal(await at(), unknown, 'by their address')
})

void test('a client gets a cookie that names its target, once, and stays there', { timeout: PATIENCE }, async (t) => {
  const targets = origins(await numbered(t, 2))
  const { ask, api } = await beforeTargets(t, { to: { targets, balance: 'round-robin', sticky: {} } })
  const first = await ask({})
  const cookie = first.get('set-cookie') ?? ''
  t.match(cookie, /^headrace-target=[\w-]{16}; Path=\/; HttpOnly; SameSite=Lax$/)
  const fields: [string, string][] = [['Cookie', cookie.split(';')[0] as string]]
  for (let turn = 0; turn < 3; turn++) {
    const next = await ask({ fields })
    t.strictSame(next.body, first.body)
    t.equal(next.get('set-cookie'), undefined)
  }
  const home = api.targets[Number(String(first.body))]!
  api.change({ url: home.url, as: 'draining', weight: null })
  const moved = await ask({ fields })
  t.notSame(moved.body, first.body)
  t.match(moved.get('set-cookie'), /^headrace-target=/)
})

void test('a removed target answers what it has, then its connections end', { timeout: PATIENCE }, async (t) => {
  let finish: () => void = () => undefined
  const held = await startUpstream(t, async (exchange) => {
    await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha')
    await new Promise<void>((resolve) => (finish = resolve))
    await exchange.send('lf')
  })
  const [other] = (await numbered(t, 1)) as [Upstream]
  const { ask, api } = await beforeTargets(t, { to: { targets: [held.origin, { url: other.origin, backup: true }] } })
  const answer = ask({})
  await held.received(1)
  api.change({ url: held.origin, as: 'absent', weight: null })
  t.equal(String((await ask({})).body), '0')
  t.equal(held.connections[0]?.left, undefined)
  finish()
  t.equal(String((await answer).body), 'half')
  await held.closed(0)
  t.strictSame(
    api.snapshot().map(({ target }) => target),
    [other.origin],
  )
})

void test('requests follow what the name servers say', { timeout: PATIENCE }, async (t) => {
  const [one, two] = (await numbered(t, 2)) as [Upstream, Upstream]
  const record = ({ port }: Upstream): ServiceRecord => ({ name: '127.0.0.1', port, priority: 1, weight: 1 })
  let services = [record(one)]
  const { ask, api, clock } = await beforeTargets(t, {
    to: { targets: ['srv+http://_api._tcp.test'] },
    resolver: { services: async () => services },
  })
  t.equal(String((await ask({})).body), '0')
  services = [record(two)]
  clock.pass(30_000)
  await two.connected(0)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(String((await ask({})).body), '1')
  await one.closed(0)
  t.equal(api.targets.length, 1)
})

void test('while what the name servers say goes to and fro, no request fails, of those held and those that come', {
  timeout: PATIENCE,
}, async (t) => {
  const release = Promise.withResolvers<void>()
  const plays: Record<string, Play> = {
    '/held': async (exchange) => {
      await release.promise
      await exchange.respond(200, [], 'whole')
    },
    '/half': async (exchange) => {
      await exchange.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwh')
      await release.promise
      await exchange.send('ole')
    },
  }
  const play: Play = (exchange) => (plays[exchange.request.target] ?? says('quick'))(exchange)
  const one = await startUpstream(t, play)
  const two = await startUpstream(t, play)
  const record = ({ port }: Upstream): ServiceRecord => ({ name: '127.0.0.1', port, priority: 1, weight: 1 })
  let services = [record(one)]
  const { ask, api, clock } = await beforeTargets(t, {
    // The one that holds requests gets its turns as well.
    to: { targets: ['srv+http://_api._tcp.test'], balance: 'round-robin' },
    resolver: { services: async () => services },
  })
  const become = async (now: readonly Upstream[]): Promise<void> => {
    services = now.map(record)
    clock.pass(30_000)
    const there = new Set(origins(now))
    await until(() => api.targets.length === there.size && api.targets.every(({ url }) => there.has(url)))
  }
  const held: Promise<string>[] = []
  const hold = async (upstream: Upstream): Promise<void> => {
    const before = upstream.requests.length
    for (const path of ['/held', '/held', '/half', '/half']) {
      held.push(ask({ path }).then(({ status, body }) => `${status} ${String(body)}`))
    }
    await upstream.received(before + 4)
  }

  await hold(one)
  let goesOn = true
  const statuses: number[] = []
  const askOn = async (): Promise<void> => {
    while (goesOn) statuses.push((await ask({ path: '/quick' })).status)
  }
  const load = Promise.all(Array.from({ length: 4 }, askOn))
  for (const now of [[two], [one], [one, two], [two], [one], [two]] as const) {
    await become(now)
    await now[0].completed(now[0].requests.length + 8)
  }
  goesOn = false
  await load
  await hold(two)
  await become([one])
  t.equal(api.snapshot().length, 2, 'what has left has requests still')
  release.resolve()
  t.strictSame(
    await Promise.all(held),
    held.map(() => '200 whole'),
  )
  t.ok(statuses.every((status) => status === 200))
  t.equal(statuses.length + held.length, one.requests.length + two.requests.length, 'each was asked once')
  await until(() => api.snapshot().length === 1)
})

void test('an address is asked for by its name', { timeout: PATIENCE }, async (t) => {
  const [one] = (await numbered(t, 1)) as [Upstream]
  const { ask } = await beforeTargets(t, {
    to: { targets: [`dns+http://api.test:${one.port}`] },
    resolver: { addresses: async () => ({ addresses: ['127.0.0.1'], ttlMs: null }) },
  })
  t.equal((await ask({})).status, 200)
  t.equal(one.requests[0]?.get('host'), `api.test:${one.port}`)
})

void test('a name that leads nowhere is answered 503 at once', { timeout: PATIENCE }, async (t) => {
  const { ask } = await beforeTargets(t, { to: { targets: ['dns+http://api.test'] } })
  const response = await ask({})
  t.equal(response.status, 503)
  t.equal(response.get('retry-after'), '2')
  t.match(JSON.parse(String(response.body)), { code: 'HR_UPSTREAM_NO_TARGET' })
})
