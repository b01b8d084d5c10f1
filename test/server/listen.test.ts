import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { pino } from 'pino'
import { test, type Test } from 'tap'
import { resolveConfig } from '../../config/resolve.ts'
import { serve } from '../../server.ts'
import { startControlPlane } from '../../server/control-plane.ts'
import { LocalControl } from '../../services/control/local.ts'
import { readAdminAddress } from '../../services/control/token.ts'
import { connectClient } from '../client.ts'
import { connectRaw } from '../raw-client.ts'

const QUIET = { log: { level: 'silent' }, drainTimeout: '0s' }

async function busyPort(t: Test): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return (server.address() as AddressInfo).port
}

void test("a listener with redirect: 'https' sends everything to the listener with TLS", async (t) => {
  const root = t.testdir()
  const config = resolveConfig(
    {
      ...QUIET,
      listen: [
        { port: 0, redirect: 'https', h2c: true },
        { port: 0, tls: 'development' },
      ],
      admin: { shared: true, token: 'test-token' },
    },
    { root },
  )
  const running = await serve(config)
  t.teardown(() => running.close())
  const [plain, secure] = running.addresses.map(({ url }) => new URL(url))
  t.equal(plain?.protocol, 'http:', "addresses stand in the configuration's order")
  t.equal(secure?.protocol, 'https:')
  const ports = { cleartext: Number(plain?.port), tls: Number(secure?.port) }
  for (const protocol of ['h1', 'h2c'] as const) {
    const client = await connectClient(t, ports, protocol)
    const response = await client.request({ path: '/health?x=1', authority: 'localhost' })
    t.equal(response.status, 308)
    t.equal(response.get('location'), `https://localhost:${ports.tls}/health?x=1`)
  }
  const followed = await connectClient(t, ports, 'h2')
  t.equal((await followed.request({ path: '/health?x=1' })).status, 200)
  t.equal(readAdminAddress(config.dataDir), secure?.origin, 'the command line is not sent to the redirect')
})

void test('a busy port is named with its host, and with what chooses it', async (t) => {
  const port = await busyPort(t)
  const taken = async (input: Record<string, unknown>, setting: string): Promise<void> => {
    const starting = serve(resolveConfig({ ...QUIET, ...input }, { root: t.testdir() }))
    const message = `Port ${port} on 127.0.0.1 is taken by another process. Stop it, or choose another port: ${setting} (0 takes any free one).`
    await t.rejects(starting, { code: 'HR_LISTENER_PORT_IN_USE', message })
  }
  const admin = { port: 0 }
  await taken({ listen: { port }, admin }, '--port, PORT in the environment, or listen.port in the configuration')
  await taken({ listen: [{ port: 0 }, { port }], admin }, 'listen[1].port in the configuration')
  await taken({ listen: { port: 0 }, admin: { port } }, 'admin.port in the configuration')
})

void test('closing lets a request to the control plane finish', async (t) => {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  const control = new LocalControl()
  control.answer({
    readiness: async () => {
      asked.resolve()
      await answer.promise
      return { ready: true, draining: false, unavailable: [], maintenance: false }
    },
  })
  const config = resolveConfig({ admin: { port: 0 } }, { root: t.testdir() })
  const context = { log: pino({ level: 'silent' }), token: 'test-token', control, related: () => null }
  const plane = await startControlPlane(config, context)
  t.teardown(() => plane?.close(0))
  const raw = await connectRaw(t, { port: plane?.address.port as number })
  const response = raw.exchange('GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await asked.promise
  const closed = plane?.close(60_000)
  answer.resolve()
  t.equal((await response).status, 200)
  t.equal((await response).get('connection'), 'close')
  await closed
})
