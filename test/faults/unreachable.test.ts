import dns from 'node:dns'
import { test, type Test } from 'tap'
import type { Protocol } from '../client.ts'
import {
  everyProtocol,
  isProblem,
  PATIENCE,
  silentPort,
  startManagedGateway,
  TIMEOUTS,
  startGateway,
  gatewayBefore,
} from '../helper.ts'
import { REFUSING_ORIGIN, startUpstream } from '../upstream-server.ts'

type Lookup = (name: string, options: object, done: (error: Error | null) => void) => void

/** Asks a gateway whose upstream is `target` twice, so that an answer once given does not hide a gateway gone bad. */
async function unreachable(t: Test, protocol: Protocol, status: number, origin: object): Promise<void> {
  const well = await startUpstream(t, (exchange) => exchange.respond(200, [], 'well'))
  const gateway = await startGateway(t, {
    upstreams: { origin: { timeout: TIMEOUTS, ...origin }, well: { targets: [well.origin] } },
    routes: { '/*': { to: 'origin' }, '/well': { to: 'well' } },
  })
  const client = await gateway.client(protocol)
  isProblem(t, await client.request({ path: '/' }), status)
  isProblem(t, await client.request({ method: 'POST', path: '/', body: 'abc' }), status)
  t.equal((await client.request({ path: '/well' })).body.toString(), 'well', 'other upstreams are as they were')
}

everyProtocol('a refused connection is answered 502', async (t, protocol) => {
  await unreachable(t, protocol, 502, { targets: [REFUSING_ORIGIN] })
})

everyProtocol('a name that does not resolve is answered 502', async (t, protocol) => {
  const { lookup } = dns as unknown as { lookup: Lookup }
  const value: Lookup = (name, options, done) => {
    if (!name.endsWith('.invalid')) lookup(name, options, done)
    // A resolver that is far away, or not there, takes its time to say so.
    else done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }))
  }
  t.intercept(dns, 'lookup', { value: value as never })
  await unreachable(t, protocol, 502, { targets: ['http://no-such-host.invalid:80'] })
})

everyProtocol('a unix socket that is not there is answered 502', async (t, protocol) => {
  await unreachable(t, protocol, 502, { targets: ['unix:./absent.sock'] })
})

everyProtocol('a certificate that does not verify is answered 502', async (t, protocol) => {
  const upstream = await startUpstream(t, (exchange) => exchange.respond(), { tls: true })
  await unreachable(t, protocol, 502, { targets: [upstream.origin] })
  t.equal(upstream.requests.length, 0, 'nothing was said to it')
})

everyProtocol('an upstream that does not speak TLS where it should is answered 502', async (t, protocol) => {
  const upstream = await startUpstream(t, [], { connection: (socket) => socket.end('HTTP/1.1 400 Bad\r\n\r\n') })
  await unreachable(t, protocol, 502, { targets: [`https://127.0.0.1:${upstream.port}`] })
})

everyProtocol('a connection that is closed at once is answered 502', async (t, protocol) => {
  const upstream = await startUpstream(t, (exchange) => exchange.stall(), { connection: (socket) => socket.destroy() })
  await unreachable(t, protocol, 502, { targets: [upstream.origin] })
})

everyProtocol('a connection that does not open in time is answered 504', async (t, protocol) => {
  const target = `https://127.0.0.1:${await silentPort(t)}`
  await unreachable(t, protocol, 504, { targets: [target], timeout: { ...TIMEOUTS, connect: '50ms' } })
})

everyProtocol('a request more than may wait for a connection is answered 503', async (t, protocol) => {
  const release = Promise.withResolvers<void>()
  const { gateway, upstream } = await gatewayBefore(
    t,
    async (exchange) => {
      await release.promise
      await exchange.respond()
    },
    { to: { connections: 1, queue: 1 } },
  )
  const client = await gateway.client(protocol)
  const running = client.request({ path: '/running' })
  await upstream.received(1)
  // One of these waits, the other is too many: which of them, the network decides.
  const two = [client.request({ path: '/a' }), client.request({ path: '/b' })]
  const refused = await Promise.race(two)
  isProblem(t, refused, 503)
  t.match(refused.get('retry-after'), /^\d+$/)
  release.resolve()
  t.equal((await running).status, 200)
  t.same(new Set((await Promise.all(two)).map(({ status }) => status)), new Set([200, 503]))
})

void test('an attempt is told by its outcome: how often, and how long it took', { timeout: PATIENCE }, async (t) => {
  const well = await startUpstream(t, (exchange) => exchange.respond(200, [], 'well'))
  const gateway = await startManagedGateway(t, {
    upstreams: { origin: { targets: [REFUSING_ORIGIN] }, well: { targets: [well.origin] } },
    routes: { '/*': { to: 'origin' }, '/well': { to: 'well' } },
  })
  const client = await gateway.client('h1')
  await client.request({ path: '/' })
  await client.request({ path: '/well' })
  const headers = { authorization: `Bearer ${gateway.token}` }
  const answer = await fetch(`${gateway.adminUrl}/performance/pools`, { headers })
  const { pools } = (await answer.json()) as { pools: { latency: Record<string, { count: number; maxMs: number }> }[] }
  t.strictSame(
    pools.map(({ latency }) => Object.entries(latency).map(([outcome, { count }]) => [outcome, count])),
    [[['connect_error', 1]], [['response', 1]]],
  )
  for (const { latency } of pools) {
    for (const { maxMs } of Object.values(latency)) t.ok(maxMs < PATIENCE, 'milliseconds since it was sent')
  }
})
