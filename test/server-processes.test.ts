import cluster from 'node:cluster'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test, type Test } from 'tap'
import { resolveConfig } from '../config/resolve.ts'
import { type Running, serve } from '../server.ts'
import { connectRaw } from './raw-client.ts'
import { startUpstream, type Upstream } from './upstream-server.ts'

/** Processes are forked and must boot, with up to eight others on the machine. */
const PATIENCE_MS = 50_000

interface Cluster {
  running: Running
  upstream: Upstream
  get(path: string, token?: string): Promise<{ status: number; body: string }>
  /** The data-plane processes that answer now. */
  pids(): Promise<number[]>
}

async function clustered(t: Test, input: Record<string, unknown> = {}): Promise<Cluster> {
  // Without the test runner's own loaders, which take longer than all the rest.
  cluster.setupPrimary({ execArgv: [] })
  const upstream = await startUpstream(t, (exchange) => exchange.respond(200, [], 'from upstream'))
  const config = resolveConfig(
    {
      listen: { port: 0 },
      admin: { port: 0, token: 'secret' },
      log: { level: 'silent' },
      processes: 2,
      drainTimeout: '5s',
      upstreams: { origin: { targets: [upstream.origin], connections: 3 } },
      routes: { '/*': { to: 'origin' } },
      ...input,
    },
    { root: t.testdir() },
  )
  const running = await serve(config)
  t.teardown(() => running.close())
  const port = (kind: string): number => {
    const address = running.addresses.find((candidate) => candidate.kind === kind) ?? running.addresses[0]
    return Number(new URL(address!.url).port)
  }
  const get: Cluster['get'] = async (path, token) => {
    const raw = await connectRaw(t, { port: port(token === undefined ? 'public' : 'admin') })
    const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`
    const { status, body } = await raw.exchange(
      `GET ${path} HTTP/1.1\r\nHost: gateway.test\r\nConnection: close\r\n${authorization}\r\n`,
    )
    return { status, body: body.toString() }
  }
  const pids = async (): Promise<number[]> =>
    (await running.control.ask('health')).result.processes.map((one) => one.pid).sort((one, other) => one - other)
  return { running, upstream, get, pids }
}

void test('two processes serve one address, and the control plane answers for both', {
  timeout: PATIENCE_MS,
}, async (t) => {
  const { get, pids, running } = await clustered(t)
  for (let turn = 0; turn < 8; turn++) t.strictSame(await get('/any'), { status: 200, body: 'from upstream' })
  const both = await pids()
  t.equal(new Set(both).size, 2)
  t.notOk(both.includes(process.pid))
  const answer = await get('/performance/pools', 'secret')
  t.equal(answer.status, 200)
  const { pools, missing } = JSON.parse(answer.body)
  t.strictSame(missing, [])
  t.equal(pools[0].connections.limit, 6, 'of each, three')
  t.equal(pools[0].attempts, 8, 'whichever of them it was')
  t.equal((await get('/performance/pools', 'wrong')).status, 401)
  t.strictSame(
    running.addresses.map(({ kind }) => kind),
    ['public', 'admin'],
  )
  await running.close()
  await running.closed
})

void test('a process that is killed is replaced, and what comes meanwhile is served', {
  timeout: PATIENCE_MS,
}, async (t) => {
  const { get, pids, running } = await clustered(t)
  const before = await pids()
  const forked = once(cluster, 'listening')
  const exited = once(cluster, 'exit')
  process.kill(before[0] as number, 'SIGKILL')
  await exited
  t.equal((await get('/meanwhile')).status, 200)
  await forked
  let after = await pids()
  // It listens a moment before it says that it is ready: each question is a turn of the processes' event loops.
  while (after.length < 2) after = await pids()
  t.ok(after.includes(before[1] as number), 'the other is as it was')
  t.notOk(after.includes(before[0] as number))
  t.equal((await get('/after')).status, 200)
  await running.close()
  await running.closed
})

void test('shared, any process answers for all', { timeout: PATIENCE_MS }, async (t) => {
  const { get, running } = await clustered(t, { admin: { shared: true, token: 'secret' } })
  for (let turn = 0; turn < 4; turn++) {
    const { pools, missing } = JSON.parse((await get('/performance/pools', 'secret')).body)
    t.equal(pools[0].connections.limit, 6)
    t.strictSame(missing, [])
  }
  await running.close()
  await running.closed
})

void test('a port in use ends the start, and every process with it', { timeout: PATIENCE_MS }, async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  // What the processes cannot listen on they say themselves, in a line of standard error.
  await t.rejects(clustered(t, { listen: { port } }), { code: 'HR_CONTROL_BOOT' })
  t.equal(Object.keys(cluster.workers ?? {}).length, 0)
  await t.rejects(clustered(t, { admin: { port } }), {
    code: 'HR_LISTENER_PORT_IN_USE',
    message: new RegExp(`${port}`),
  })
  t.equal(Object.keys(cluster.workers ?? {}).length, 0)
})
