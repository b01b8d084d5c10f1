import type { Test } from 'tap'
import { buildGateway } from '../../app.ts'
import { resolveConfig } from '../../config/resolve.ts'
import { LocalControl } from '../../services/control/local.ts'
import { createDrainState } from '../../services/listener/drain.ts'
import { createListener } from '../../services/listener/listener.ts'
import { createLog } from '../../services/log/logger.ts'
import { writeCertificate } from '../certificate.ts'
import { type Client, connectClient, type Protocol } from '../client.ts'
import type { ConfigInput } from '../helper.ts'

/** The same gateway with a hook of the user's on it: every request goes through Fastify. */
export async function startWithoutLane(
  t: Test,
  input: ConfigInput,
): Promise<{ client(protocol: Protocol): Promise<Client> }> {
  const root = t.testdir()
  const tls = await writeCertificate(root)
  const listen = [
    { port: 0, h2c: true },
    { port: 0, tls },
  ]
  const config = resolveConfig({ listen, log: { level: 'silent' }, ...input }, { root })
  const control = new LocalControl()
  const drain = createDrainState()
  const { app, handlers } = await buildGateway(config, {
    log: createLog(config.log).log,
    version: '0.0.0',
    control,
    local: control,
    token: 'test-token',
    draining: () => false,
    finished: [],
    sources: [],
    http2: () => [],
  })
  app.addHook('onRequest', (_request, _reply, done) => done())
  await app.ready()
  const listeners = config.listen.map((options) =>
    createListener(options, { limits: config.limits, handlers, dataDir: config.dataDir, drain }),
  )
  const [cleartext, secure] = await Promise.all(listeners.map((listener) => listener.listen()))
  t.teardown(async () => {
    await Promise.all(listeners.map((listener) => listener.close()))
    await app.close()
  })
  const ports = { cleartext: cleartext?.port ?? 0, tls: secure?.port ?? 0 }
  return { client: (protocol) => connectClient(t, ports, protocol) }
}
