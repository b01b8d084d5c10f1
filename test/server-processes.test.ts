import cluster from 'node:cluster'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { connect } from 'node:tls'
import { test, type Test } from 'tap'
import { type Cluster, clustered, PATIENCE_MS } from './clustered.ts'
import { startUpstream } from './upstream-server.ts'
import { until } from './until.ts'

// To start one takes as long as all that it is asked: those of one configuration share one.
void test('two processes', { timeout: PATIENCE_MS }, async (t) => {
  const gateway = await clustered(t)
  await t.test('serve one address, and the control plane answers for both', (t) => answerTogether(t, gateway))
  await t.test('are two again when one is killed, and what comes meanwhile is served', (t) => replaceOne(t, gateway))
  const { running } = gateway
  await Promise.all([running.close(), running.close()])
  await running.closed
})

async function answerTogether(t: Test, { get, pids, running }: Cluster): Promise<void> {
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
  const admin = running.addresses[1]?.url
  const related = async (): Promise<unknown> => JSON.parse((await get('/openapi.json')).body).externalDocs
  for (let turn = 0; turn < 4; turn++) {
    t.strictSame(await related(), { description: 'The control plane', url: `${admin}/docs` }, 'whichever is asked')
  }
}

async function replaceOne(t: Test, { get, pids }: Cluster): Promise<void> {
  const before = await pids()
  const forked = once(cluster, 'listening')
  const exited = once(cluster, 'exit')
  process.kill(before[0] as number, 'SIGKILL')
  await exited
  t.equal((await get('/meanwhile')).status, 200)
  await forked
  let after = await pids()
  // It listens a moment before it says that it is ready.
  await until(async () => (after = await pids()).length === 2)
  t.ok(after.includes(before[1] as number), 'the other is as it was')
  t.notOk(after.includes(before[0] as number))
  t.equal((await get('/after')).status, 200)
}

void test('a target that one of two processes has ejected gets no requests of the other', {
  timeout: PATIENCE_MS,
}, async (t) => {
  const bad = await startUpstream(t, (exchange) => exchange.respond(503, [], 'bad'))
  const good = await startUpstream(t, (exchange) => exchange.respond(200, [], 'good'))
  const outliers = { consecutiveFailures: 5, ejectFor: '60s' }
  const origin = { targets: [bad.origin, good.origin], balance: 'round-robin', failureStatuses: [503], outliers }
  const { get } = await clustered(t, { upstreams: { origin } })
  const ejected = async (): Promise<boolean> => {
    const { pools } = JSON.parse((await get('/performance/pools', 'secret')).body)
    return pools[0].ejections.now !== null
  }
  while (!(await ejected())) await get('/')
  const before = bad.requests.length
  for (let turn = 0; turn < 8; turn++) t.strictSame(await get('/'), { status: 200, body: 'good' })
  t.equal(bad.requests.length, before)
})

void test('two processes that listen with TLS, and share the control plane', { timeout: PATIENCE_MS }, async (t) => {
  const listen = [{ port: 0 }, { port: 0, tls: 'development' }]
  const gateway = await clustered(t, { listen, admin: { shared: true, token: 'secret' } })
  await t.test('go on with a TLS session, whichever takes the connection', (t) => resumeSession(t, gateway))
  await t.test('each answer for both', (t) => answerForBoth(t, gateway))
  await gateway.running.close()
  await gateway.running.closed
})

async function resumeSession(t: Test, { running }: Cluster): Promise<void> {
  const { port } = new URL(running.addresses.find(({ url }) => url.startsWith('https:'))!.url)
  const settings = { port: Number(port), host: '127.0.0.1', rejectUnauthorized: false }
  const first = connect(settings)
  const [session] = (await once(first, 'session')) as [Buffer]
  first.destroy()
  // Without common keys, each has an even chance of the other process, and a full handshake there.
  for (let turn = 0; turn < 16; turn++) {
    const socket = connect({ ...settings, session })
    await once(socket, 'secureConnect')
    t.ok(socket.isSessionReused())
    socket.destroy()
  }
}

async function answerForBoth(t: Test, { get }: Cluster): Promise<void> {
  for (let turn = 0; turn < 4; turn++) {
    const { pools, missing } = JSON.parse((await get('/performance/pools', 'secret')).body)
    t.equal(pools[0].connections.limit, 6)
    t.strictSame(missing, [])
  }
}

void test('a port in use ends the start, and every process with it', { timeout: PATIENCE_MS }, async (t) => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  t.teardown(() => taken.close())
  const { port } = taken.address() as AddressInfo
  await t.rejects(clustered(t, { listen: { port } }), {
    code: 'HR_LISTENER_PORT_IN_USE',
    message: new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is taken.*--port`),
  })
  t.equal(Object.keys(cluster.workers ?? {}).length, 0)
  await t.rejects(clustered(t, { admin: { port } }), {
    code: 'HR_LISTENER_PORT_IN_USE',
    message: new RegExp(`${port}`),
  })
  t.equal(Object.keys(cluster.workers ?? {}).length, 0)
})
