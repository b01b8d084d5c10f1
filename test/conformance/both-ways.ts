import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { buildGateway } from '../../app.ts'
import { resolveConfig } from '../../config/resolve.ts'
import { LocalControl } from '../../services/control/local.ts'
import { createDrainState } from '../../services/listener/drain.ts'
import { createListener } from '../../services/listener/listener.ts'
import { createLog } from '../../services/log/logger.ts'
import { writeCertificate } from '../certificate.ts'
import { type Client, connectClient, type Protocol } from '../client.ts'
import { connectRaw, type RawConnection } from '../raw-client.ts'

/** A gateway made as server/data-plane.ts makes it, whose Fastify instance a test may add to before it is ready. */
export interface BuiltGateway {
  app: FastifyInstance
  client(protocol: Protocol): Promise<Client>
  raw(): Promise<RawConnection>
}

export interface BuildOptions {
  /** The configuration without its listeners. */
  input: Record<string, unknown>
  /** What a user does to the gateway before it starts. */
  extend?: (app: FastifyInstance) => unknown
}

/** Starts a gateway on free ports, in cleartext (h1, h2c) and over TLS (h1, h2); it closes with the test. */
export async function buildAndListen(t: Test, { input, extend }: BuildOptions): Promise<BuiltGateway> {
  const root = t.testdir()
  const certificate = await writeCertificate(root)
  const config = resolveConfig(
    {
      listen: [
        { port: 0, h2c: true },
        { port: 0, tls: certificate },
      ],
      log: { level: 'silent' },
      ...input,
    },
    { root },
  )
  const drain = createDrainState()
  const local = new LocalControl()
  const { app, handlers } = await buildGateway(config, {
    log: createLog(config.log).log,
    version: '0.0.0',
    control: local,
    local,
    token: 'test-token',
    draining: () => drain.draining,
    finished: [],
    sources: [],
  })
  await extend?.(app)
  await app.ready()
  const context = { limits: config.limits, handlers, dataDir: config.dataDir, drain }
  const listeners = config.listen.map((options) => createListener(options, context))
  t.teardown(async () => {
    await Promise.all(listeners.map((listener) => listener.close()))
    await app.close()
  })
  const [cleartext, tls] = await Promise.all(listeners.map((listener) => listener.listen()))
  const ports = { cleartext: cleartext?.port ?? 0, tls: tls?.port ?? 0 }
  return {
    app,
    client: (protocol) => connectClient(t, ports, protocol),
    raw: () => connectRaw(t, { port: ports.cleartext }),
  }
}
