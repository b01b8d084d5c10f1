import { test, type Test } from 'tap'
import { resolveConfig } from '../../../config/resolve.ts'
import type { BalancedRequest } from '../../../services/upstream/balance/balancer.ts'
import type { Addresses, ServiceRecord } from '../../../services/upstream/discovery/resolver.ts'
import type { UpstreamEvent } from '../../../services/upstream/events.ts'
import type { Target } from '../../../services/upstream/target.ts'
import { Http2Streams } from '../../../services/upstream/http2-streams.ts'
import { Upstream } from '../../../services/upstream/upstream.ts'
import { HandClock } from './hand-clock.ts'

/** Name servers that say what the test wants them to, and count how often they are asked. */
class Names {
  asked = 0
  addresses: Addresses | Error = { addresses: [], ttlMs: null }
  services: ServiceRecord[] = []
  async say<T>(answer: T | Error): Promise<T> {
    this.asked++
    if (answer instanceof Error) throw answer
    return answer
  }
}

interface Set {
  upstream: Upstream
  clock: HandClock
  names: Names
  events: UpstreamEvent[]
  urls: () => string[]
}

function upstreamOf(t: Test, input: Record<string, unknown>): Set {
  const [options] = resolveConfig({ upstreams: { api: input } }, { root: '/' }).upstreams
  const clock = new HandClock()
  const names = new Names()
  const events: UpstreamEvent[] = []
  const upstream = new Upstream(options as NonNullable<typeof options>, {
    http2Streams: new Http2Streams({ pingLimitMs: 60_000 }),
    clock,
    random: () => 0.5,
    resolver: { addresses: () => names.say(names.addresses), services: () => names.say(names.services) },
    tell: (event) => void events.push(event),
  })
  t.teardown(() => upstream.close())
  return { upstream, clock, names, events, urls: () => upstream.targets.map(({ url }) => url) }
}

/** What is under way with the name servers comes to its end. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const asking = (cookie: string | undefined): BalancedRequest => ({
  fields: { kept: [], cookie },
  path: '/',
  clientAddress: '',
  identity: undefined,
})

const A = 'http://10.0.0.1:80'
const B = 'http://10.0.0.2:80'
const C = 'http://10.0.0.3:80'

void test('weights are as they are written', (t) => {
  const { upstream } = upstreamOf(t, { targets: [A, { url: B, weight: 3 }], balance: 'round-robin' })
  const picks = Array.from({ length: 8 }, () => upstream.pick()?.url)
  t.equal(picks.filter((url) => url === B).length, 6)
  t.end()
})

void test('a backup is used while no other can be, and not before', (t) => {
  const { upstream } = upstreamOf(t, { targets: [A, { url: B, backup: true }] })
  for (let turn = 0; turn < 10; turn++) t.equal(upstream.pick()?.url, A)
  upstream.change({ url: A, as: 'draining', weight: null })
  t.equal(upstream.pick()?.url, B)
  upstream.change({ url: A, as: 'present', weight: null })
  t.equal(upstream.pick()?.url, A)
  t.end()
})

void test('for what has failed a backup is next where no other target is left, and never for a second one', (t) => {
  const { upstream } = upstreamOf(t, { targets: [A, B, { url: C, backup: true }] })
  const [a, b, c] = upstream.targets as [Target, Target, Target]
  const request = asking(undefined)
  t.equal(upstream.pickNext(request, [a]), b)
  t.equal(upstream.pickOther(request, [a, b]), undefined)
  t.equal(upstream.pickNext(request, [a, b]), c)
  t.equal(upstream.pickNext(request, [a, b, c]), undefined)
  upstream.change({ url: C, as: 'draining', weight: null })
  t.equal(upstream.pickNext(request, [a, b]), undefined)
  t.end()
})

void test('a client stays where its cookie says, and is told another when that target cannot be had', (t) => {
  const { upstream } = upstreamOf(t, {
    targets: [A, B, C],
    balance: 'round-robin',
    sticky: { cookie: 'at', maxAge: '1h', sameSite: 'Strict' },
  })
  const sticky = upstream.sticky!
  const kept = upstream.targets[1]!
  const request = asking(`x=1; at=${kept.stickyId}`)
  for (let turn = 0; turn < 5; turn++) t.equal(upstream.pick(request), kept)
  const fields: string[] = []
  sticky.addTo(fields, { request, id: kept.stickyId, scheme: 'https' })
  t.strictSame(fields, [], 'it knows already')
  t.notMatch(kept.stickyId, /10\.0/)
  t.equal(new Set(upstream.targets.map(({ stickyId }) => stickyId)).size, 3)

  upstream.change({ url: B, as: 'draining', weight: null })
  const other = upstream.pick(request)!
  t.not(other.url, B)
  sticky.addTo(fields, { request, id: other.stickyId, scheme: 'https' })
  t.strictSame(fields, ['set-cookie', `at=${other.stickyId}; Path=/; Max-Age=3600; HttpOnly; SameSite=Strict; Secure`])
  const shared = ['cache-control', 'max-age=9, public']
  sticky.addTo(shared, { request, id: other.stickyId, scheme: 'http' })
  t.equal(shared.length, 2, 'what shared caches may keep names nobody’s target')
  t.end()
})

void test('targets are added, drained, weighed and removed at run time; saying it twice changes nothing', async (t) => {
  const { upstream, events, urls } = upstreamOf(t, { targets: [A, B] })
  upstream.start()
  const added = { url: C, as: 'present', weight: 2 } as const
  upstream.change(added)
  const target = upstream.targets[2]!
  upstream.change(added)
  t.strictSame(urls(), [A, B, C])
  t.equal(upstream.targets[2], target)
  t.match(upstream.snapshot()[2], { target: C, state: 'unknown', weight: 2 })
  upstream.change({ url: A, as: 'draining', weight: null })
  t.match(upstream.snapshot()[0], { target: A, state: 'draining', weight: 1 })
  for (let turn = 0; turn < 10; turn++) t.not(upstream.pick()?.url, A)
  upstream.change({ url: A, as: 'absent', weight: null })
  upstream.change({ url: A, as: 'absent', weight: null })
  t.strictSame(urls(), [B, C])
  upstream.change({ url: A, as: 'present', weight: null })
  t.strictSame(urls(), [A, B, C])
  t.strictSame(
    events.map((event) => (event.type === 'targets' ? [event.added, event.removed] : event)),
    [
      [[C], []],
      [[], [A]],
      [[A], []],
    ],
  )
  upstream.change({ url: 'http://10.9.9.9', as: 'draining', weight: null })
  t.strictSame(urls(), [A, B, C], 'what is none does not become one by draining')
})

void test('a target that leaves finishes what it has; one that comes back meanwhile is the same', (t) => {
  const { upstream, clock, urls } = upstreamOf(t, { targets: [A, B], drainTimeout: '1m' })
  const target = upstream.targets[0]!
  target.acquire()
  target.acquire()
  upstream.change({ url: A, as: 'absent', weight: null })
  t.strictSame(urls(), [B])
  t.match(upstream.snapshot()[1], { target: A, state: 'draining' })
  target.release()
  t.equal(upstream.snapshot().length, 2)
  upstream.change({ url: A, as: 'present', weight: null })
  t.equal(upstream.targets[0], target)
  t.strictSame(clock.planned, [])
  target.release()
  t.equal(upstream.snapshot().length, 2, 'it is there to stay')

  target.acquire()
  upstream.change({ url: A, as: 'absent', weight: null })
  target.release()
  t.equal(upstream.snapshot().length, 1, 'gone with its last request')
  const hanging = upstream.targets[0]!
  hanging.acquire()
  upstream.change({ url: B, as: 'absent', weight: null })
  clock.pass(60_000)
  t.equal(upstream.snapshot().length, 0, 'or at its time')
  t.equal(upstream.pick(), undefined)
  t.end()
})

void test('the breaker of a target that comes back is tried at its time', (t) => {
  for (const awayMs of [1_000, 20_000]) {
    const { upstream, clock } = upstreamOf(t, {
      targets: [A],
      breaker: { failures: 1, openFor: '10s', probes: 1 },
      drainTimeout: '1m',
    })
    const target = upstream.targets[0]!
    const asked = { outcome: 'reset', status: 0, ms: 1 } as const
    target.acquire()
    target.watcher?.attempted(target, { ...asked, ticket: target.acquire() })
    target.release()
    t.equal(upstream.pick(), undefined)
    upstream.change({ url: A, as: 'absent', weight: null })
    clock.pass(awayMs)
    upstream.change({ url: A, as: 'present', weight: null })
    t.equal(upstream.targets[0], target, 'a request is still under way')
    clock.pass(10_000)
    t.equal(upstream.pick(), target)
    t.equal(target.breaker?.state, 'half-open')
  }
  t.end()
})

void test('the breaker of a target that is gone plans nothing', (t) => {
  const { upstream, clock } = upstreamOf(t, { targets: [A], breaker: { failures: 1 }, drainTimeout: '1s' })
  const target = upstream.targets[0]!
  const fails = (): void => {
    target.watcher?.attempted(target, { outcome: 'reset', status: 0, ms: 1, ticket: target.acquire() })
  }
  fails()
  const late = target.acquire()
  upstream.change({ url: A, as: 'absent', weight: null })
  clock.pass(1_000)
  t.strictSame(clock.planned, [])
  target.watcher?.attempted(target, { outcome: 'reset', status: 0, ms: 1, ticket: late })
  t.strictSame(clock.planned, [])
  t.end()
})

void test('the addresses of a name are targets, and follow what the name servers say', async (t) => {
  const { upstream, clock, names, events, urls } = upstreamOf(t, {
    targets: ['dns+http://api.test:8080'],
    refresh: '30s',
  })
  names.addresses = { addresses: ['10.0.0.1', '10.0.0.2'], ttlMs: 5_000 }
  t.strictSame(urls(), [])
  upstream.start()
  await upstream.known()
  t.strictSame(urls(), ['http://10.0.0.1:8080', 'http://10.0.0.2:8080'])
  t.equal(upstream.targets[0]?.authority, 'api.test:8080', 'they are asked for by the name')
  t.strictSame(clock.planned, [5_000], 'its TTL says when to look again')
  const [, stays] = upstream.targets

  names.addresses = { addresses: ['10.0.0.2', '::1'], ttlMs: 0 }
  clock.pass(5_000)
  await settled()
  t.strictSame(urls(), ['http://10.0.0.2:8080', 'http://[::1]:8080'])
  t.equal(upstream.targets[0], stays)
  t.strictSame(clock.planned, [1_000], 'but not for each request')

  names.addresses = { addresses: ['10.0.0.2'], ttlMs: 3_600_000 }
  clock.pass(1_000)
  await settled()
  t.strictSame(clock.planned, [30_000], 'nor seldom')

  for (const failure of [new Error('ETIMEOUT'), { addresses: [], ttlMs: null }]) {
    names.addresses = failure
    clock.pass(30_000)
    await settled()
    t.strictSame(urls(), ['http://10.0.0.2:8080'], 'a failure leaves the last answer')
    t.strictSame(clock.planned, [5_000])
  }
  t.equal(events.filter(({ type }) => type === 'lookup-failed').length, 1, 'and is told once')
  names.addresses = { addresses: ['10.0.0.3'], ttlMs: null }
  clock.pass(5_000)
  await settled()
  t.strictSame(urls(), ['http://10.0.0.3:8080'])
  await upstream.close()
  t.strictSame(clock.planned, [])
})

void test('a name that leads nowhere is shown as a target that is down, and why', async (t) => {
  const answers: [answer: Addresses | Error, code: string, reason: RegExp][] = [
    [Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }), 'ENOTFOUND', /no such name/],
    [{ addresses: [], ttlMs: null }, 'HR_UPSTREAM_NO_ADDRESS', /'dns\+http:\/\/api\.test' names no address/],
  ]
  for (const [answer, code, reason] of answers) {
    const { upstream, names, events } = upstreamOf(t, { targets: ['dns+http://api.test'] })
    names.addresses = answer
    upstream.start()
    await upstream.known()
    t.equal(upstream.pick(), undefined)
    t.match(upstream.snapshot(), [{ target: 'dns+http://api.test', state: 'down', lastError: { code } }])
    t.match(events, [{ type: 'lookup-failed', reason }])
  }
})

void test('the servers of a service have its ports, weights and priorities', async (t) => {
  const { upstream, clock, names, urls } = upstreamOf(t, {
    targets: ['srv+http://_api._tcp.test'],
    balance: 'round-robin',
  })
  names.services = [
    { name: 'b.test.', port: 81, priority: 10, weight: 1 },
    { name: 'a.test', port: 80, priority: 10, weight: 3 },
    { name: 'spare.test', port: 80, priority: 20, weight: 0 },
  ]
  upstream.start()
  await upstream.known()
  t.strictSame(urls(), ['http://b.test:81', 'http://a.test:80', 'http://spare.test:80'])
  const picks = Array.from({ length: 8 }, () => upstream.pick()?.url)
  t.equal(picks.filter((url) => url === 'http://a.test:80').length, 6)
  t.notOk(picks.includes('http://spare.test:80'))
  names.services = [{ name: 'spare.test', port: 80, priority: 20, weight: 0 }]
  clock.pass(30_000)
  await settled()
  t.equal(upstream.pick()?.url, 'http://spare.test:80')
})

void test('servers that nothing can be sent to are left out, and bar nothing', async (t) => {
  const { upstream, clock, names, events, urls } = upstreamOf(t, { targets: ['srv+http://_api._tcp.test'] })
  const of = (name: string, port: number): ServiceRecord => ({ name, port, priority: 10, weight: 1 })
  const unusable = [
    of('', 0),
    of('.', 80),
    of('zero.test', 0),
    of('a b.test', 80),
    of('evil.test/path', 80),
    of('user@evil.test', 80),
    of('1.2.3.999', 80),
  ]
  names.services = [...unusable, of('a_1.test.', 81)]
  upstream.start()
  await upstream.known()
  t.strictSame(urls(), ['http://a_1.test:81'])
  upstream.change({ url: A, as: 'present', weight: null })
  t.strictSame(urls(), ['http://a_1.test:81', A])
  t.notOk(events.some(({ type }) => type === 'lookup-failed'))

  names.services = unusable
  clock.pass(30_000)
  await settled()
  t.strictSame(urls(), ['http://a_1.test:81', A], 'a service that is not to be had leaves what was')
  t.match(events.at(-1), { type: 'lookup-failed', reason: /names no address/ })
})
