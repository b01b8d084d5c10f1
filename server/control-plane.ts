import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import type { Control } from '../services/control/control.ts'
import { createDrainState } from '../services/listener/drain.ts'
import { createListener, type ListenerAddress } from '../services/listener/listener.ts'
import type { RelatedDocument } from '../services/openapi/describe.ts'
import { VERSION } from './version.ts'

export interface ControlPlaneContext {
  log: Logger
  token: string
  control: Control
  related: () => RelatedDocument | null
}

/** The control plane's own listener. */
export interface ControlPlane {
  address: ListenerAddress
  /**
   * Builds its routes as another configuration says, behind the same listener.
   *
   * @returns puts them into force, from one request to the next
   */
  reconfigure(config: Config, context: ControlPlaneContext): Promise<() => void>
  /** Lets requests in flight finish, for `deadlineMs` and a second at most (0: for no time), and closes. */
  close(deadlineMs: number): Promise<void>
}

/** Scrapers and dashboards keep connections open; nobody waits for those longer than this. */
const LONGEST_DRAIN_MS = 1_000

/** `null` where the control plane is off, or shares the public listeners. @throws HR_LISTENER_* */
export async function startControlPlane(config: Config, context: ControlPlaneContext): Promise<ControlPlane | null> {
  if (config.admin === null || config.admin.shared) return null
  const { host, port } = config.admin
  let app = await buildRoutes(config, context)
  const listener = createListener(
    { host, port, tls: null, http2: false, h2c: false, redirect: null },
    {
      limits: config.limits,
      dataDir: config.dataDir,
      drain: createDrainState(),
      log: context.log,
      setting: 'admin.port in the configuration',
      handlers: {
        head: null,
        request: () => false,
        stream: () => false,
        fallback: (request, response) => app.routing(request as never, response as never),
        broke: (_request, error) => {
          context.log.error({ err: error }, 'Unexpected error')
          return false
        },
      },
    },
  )
  const close = async (deadlineMs: number): Promise<void> => {
    if (deadlineMs > 0) await listener.drain(Math.min(deadlineMs, LONGEST_DRAIN_MS))
    await listener.close()
    await app.close()
  }
  try {
    return {
      address: await listener.listen(),
      async reconfigure(next, nextContext) {
        const fresh = await buildRoutes(next, nextContext)
        return () => {
          const before = app
          app = fresh
          // What is in flight is answered all the same: it holds no state that would go with it.
          void before.close()
        }
      },
      close,
    }
  } catch (error) {
    await close(0)
    throw error
  }
}

async function buildRoutes(config: Config, context: ControlPlaneContext): Promise<FastifyInstance> {
  const { buildAdmin } = await import('../app/control-plane.ts')
  const app = await buildAdmin(config, { ...context, version: VERSION })
  await app.ready()
  return app
}
