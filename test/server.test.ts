import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import type { Config } from '../config/config.ts'
import { resolveConfig } from '../config/resolve.ts'
import { type Running, serve } from '../server.ts'
import { writeCertificate } from './certificate.ts'
import { PATIENCE } from './helper.ts'
import { connectRaw, type RawConnection } from './raw-client.ts'
import { startUpstream } from './upstream-server.ts'

function configOf(t: Test, input: Record<string, unknown> = {}): Config {
  return resolveConfig(
    { listen: { port: 0 }, admin: { port: 0 }, log: { level: 'silent' }, drainTimeout: '0s', ...input },
    { root: t.testdir() },
  )
}

async function start(t: Test, config: Config): Promise<Running> {
  const running = await serve(config)
  t.teardown(() => running.close())
  return running
}

const portOf = ({ addresses }: Running, kind = 'public', index = 0): number =>
  Number(new URL(addresses.filter((address) => address.kind === kind)[index]!.url).port)

async function get(t: Test, port: number, path: string, token?: string) {
  const raw = await connectRaw(t, { port })
  const authorization = token === undefined ? '' : `Authorization: Bearer ${token}\r\n`
  return raw.exchange(`GET ${path} HTTP/1.1\r\nHost: gateway.test\r\n${authorization}Connection: close\r\n\r\n`)
}

/** A port that is taken for the length of the test. */
async function takenPort(t: Test): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A port that nobody has, a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return port
}

const isRefused = (t: Test, port: number): Promise<unknown> =>
  t.rejects(connectRaw(t, { port }), { code: 'ECONNREFUSED' })

void test('a port in use ends the start with the port in the message, and nothing stays open', async (t) => {
  const [taken, free] = [await takenPort(t), await freePort()]
  const starts: Record<string, unknown>[] = [
    { listen: { port: taken } },
    { listen: [{ port: free }, { port: taken }] },
    { listen: { port: free }, admin: { port: taken } },
  ]
  for (const input of starts) {
    const config = configOf(t, input)
    await t.rejects(serve(config), { code: 'HR_LISTENER_PORT_IN_USE', message: new RegExp(String(taken)) })
    await isRefused(t, free)
    t.notOk(existsSync(join(config.dataDir, 'admin-address')))
  }
})

void test('with an address of its own, the control plane is not on the public one', async (t) => {
  const running = await start(t, configOf(t, { admin: { port: 0, token: 'secret' } }))
  t.strictSame(
    running.addresses.map(({ kind }) => kind),
    ['public', 'admin'],
  )
  const [open, admin] = [portOf(running), portOf(running, 'admin')]
  t.equal((await get(t, open, '/performance/pools', 'secret')).status, 404)
  t.equal((await get(t, open, '/metrics', 'secret')).status, 404)
  t.equal((await get(t, admin, '/performance/pools')).status, 401)
  t.equal((await get(t, admin, '/performance/pools', 'wrong')).status, 401)
  t.equal((await get(t, admin, '/performance/pools', 'secret')).status, 200)
  for (const port of [open, admin]) t.equal((await get(t, port, '/health')).status, 200)
})

void test('shared, it is on the public one behind its token; switched off, nowhere', async (t) => {
  const shared = await start(t, configOf(t, { admin: { shared: true, token: 'secret' } }))
  t.strictSame(
    shared.addresses.map(({ kind }) => kind),
    ['public'],
  )
  t.equal((await get(t, portOf(shared), '/performance/pools')).status, 401)
  t.equal((await get(t, portOf(shared), '/performance/pools', 'secret')).status, 200)
  const off = await start(t, configOf(t, { admin: false }))
  t.equal((await get(t, portOf(off), '/performance/pools', '')).status, 404)
  t.equal(off.token, '')
})

void test('a token that is not configured is made, for its owner’s eyes only, and lasts', async (t) => {
  const config = configOf(t)
  mkdirSync(config.dataDir, { recursive: true })
  writeFileSync(join(config.dataDir, 'admin-token'), '', { mode: 0o644 })
  const first = await start(t, config)
  t.equal(first.tokenGenerated, true)
  t.match(first.token, /^[\w-]{43}$/)
  for (const name of ['admin-token', 'admin-address']) {
    t.equal(statSync(join(config.dataDir, name)).mode & 0o777, 0o600, name)
  }
  await first.close()
  await first.closed
  t.notOk(existsSync(join(config.dataDir, 'admin-address')), 'no address of a gateway that is gone')
  const second = await start(t, config)
  t.equal(second.token, first.token)
  const fresh = await start(t, configOf(t, { dataDir: './other' }))
  t.not(fresh.token, first.token)
  t.equal(statSync(join(t.testdirName, 'other')).mode & 0o777, 0o700)
  const configured = await start(t, configOf(t, { admin: { port: 0, token: 'mine' }, dataDir: './third' }))
  t.match(configured, { token: 'mine', tokenGenerated: false })
  t.notOk(existsSync(join(t.testdirName, 'third', 'admin-token')))
})

// Nobody writes there, not even root.
void test('with a token of its own it needs no folder to write in', { skip: !existsSync('/sys/kernel') }, async (t) => {
  const input = (token: string) => ({ admin: { port: 0, token }, dataDir: '/sys/kernel/headrace' })
  const running = await start(t, configOf(t, input('mine')))
  t.equal((await get(t, portOf(running, 'admin'), '/performance/pools', 'mine')).status, 200)
  await running.close()
  await running.closed
  await t.rejects(serve(configOf(t, input(''))), { code: 'HR_CONTROL_DATA_DIR' })
})

void test('every listener serves, and all close together, however often they are told', async (t) => {
  const running = await start(t, configOf(t, { listen: [{ port: 0 }, { port: 0 }] }))
  const ports = [portOf(running), portOf(running, 'public', 1), portOf(running, 'admin')]
  t.equal(new Set(ports).size, 3)
  for (const port of ports) t.equal((await get(t, port, '/health')).status, 200)
  await Promise.all([running.close(), running.close()])
  await running.close()
  await running.closed
  for (const port of ports) await isRefused(t, port)
})

void test('what is in flight when the gateway closes is answered, and so is what was sent behind it', {
  timeout: PATIENCE,
}, async (t) => {
  const release = Promise.withResolvers<void>()
  const upstream = await startUpstream(t, async (exchange) => {
    await release.promise
    await exchange.respond(200, [], `answer to ${exchange.request.target}`)
  })
  const running = await start(
    t,
    configOf(t, {
      drainTimeout: '10s',
      upstreams: { origin: { targets: [upstream.origin] } },
      routes: { '/*': { to: 'origin' } },
    }),
  )
  const port = portOf(running)
  const connections: RawConnection[] = []
  for (let index = 0; index < 5; index++) connections.push(await connectRaw(t, { port }))
  const unused = await connectRaw(t, { port })
  const answers = connections.map((raw, index) => {
    const incoming = raw.expect()
    void raw.send(`GET /${index} HTTP/1.1\r\nHost: a\r\n\r\n`)
    return incoming.whole()
  })
  await upstream.received(5)
  const closed = running.close()
  await isRefused(t, port)
  const late = unused.exchange('GET /late HTTP/1.1\r\nHost: a\r\n\r\n')
  await upstream.received(6)
  release.resolve()
  for (const answer of [...(await Promise.all(answers)), await late]) {
    t.equal(answer.status, 200)
    t.match(answer.body.toString(), /^answer to /)
    t.equal(answer.get('connection'), 'close')
  }
  await closed
  await running.closed
})

void test('at its deadline a drain ends what is left', { timeout: PATIENCE }, async (t) => {
  const upstream = await startUpstream(t, (exchange) => exchange.stall())
  const running = await start(
    t,
    configOf(t, {
      drainTimeout: '100ms',
      upstreams: { origin: { targets: [upstream.origin] } },
      routes: { '/*': { to: 'origin' } },
    }),
  )
  const raw = await connectRaw(t, { port: portOf(running) })
  const incoming = raw.expect()
  await raw.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await upstream.received(1)
  await running.close()
  t.equal(await incoming.ending(), 'broken')
  await upstream.closed(0)
})

void test('shared, the address that is left is one that the command line can trust', async (t) => {
  const root = t.testdir({})
  const secure = { port: 0, tls: await writeCertificate(root) }
  const left = async (listen: object[]): Promise<string> => {
    const config = resolveConfig(
      { listen, admin: { shared: true }, log: { level: 'silent' }, drainTimeout: '0s' },
      { root },
    )
    const { addresses } = await start(t, config)
    const url = readFileSync(join(config.dataDir, 'admin-address'), 'utf8').trim()
    return String(addresses.findIndex((address) => address.url === url))
  }
  const redirect = { port: 0, redirect: 'https' }
  t.equal(await left([secure, redirect, { port: 0 }]), '2')
  t.equal(await left([redirect, secure, { port: 0, tls: 'development' }]), '2')
  t.equal(await left([redirect, secure]), '1')
  t.equal(await left([{ port: 0, tls: 'development' }, { port: 0 }]), '0')
})

void test('a dataDir that cannot be used ends the start, and nothing stays open', async (t) => {
  const port = await freePort()
  writeFileSync(join(t.testdir({}), 'file'), '')
  const config = resolveConfig(
    { listen: { port }, admin: { port: 0, token: 'mine' }, dataDir: './file', log: { level: 'silent' } },
    { root: t.testdirName },
  )
  await t.rejects(serve(config), { code: 'HR_CONTROL_DATA_DIR', message: /file\/admin-address .*set dataDir/ })
  await isRefused(t, port)
})

void test('two gateways of one folder: the address that is left is that of the one that runs', async (t) => {
  const config = configOf(t)
  const first = await start(t, config)
  const second = await start(t, config)
  await first.close()
  await first.closed
  t.ok(existsSync(join(config.dataDir, 'admin-address')))
  await second.close()
  await second.closed
  t.notOk(existsSync(join(config.dataDir, 'admin-address')))
})
