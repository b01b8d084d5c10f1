import type { Config } from '../config/config.ts'
import { LocalControl } from '../services/control/local.ts'
import { attachProcess } from '../services/control/process.ts'
import { createLog } from '../services/log/logger.ts'
import { type DataPlane, startDataPlane } from './data-plane.ts'
import { configuredAdmin, relatedDocs } from './related-docs.ts'

/** A data-plane process of a supervisor (server.ts). It gets its configuration from there, the same for all. */
const local = new LocalControl()
let plane: DataPlane | null = null
let drainTimeoutMs = 0

const link = attachProcess({
  local,
  drain: async () => {
    await plane?.close(drainTimeoutMs)
  },
  onError: (error) => console.error(error),
})

const { config, token } = (await link.boot()) as { config: Config; token: string }
drainTimeoutMs = config.drainTimeoutMs
try {
  plane = await startDataPlane(config, {
    log: createLog(config.log),
    token,
    local,
    control: link.control,
    related: relatedDocs(config, 'admin', () => configuredAdmin(config)),
  })
} catch (error) {
  // A port that is taken is told in one line, as one process alone tells it; a fault of ours with everything.
  const { code, message } = error as Error & { code?: string }
  console.error(code?.startsWith('HR_') ? `error ${message}` : error)
  process.exit(1)
}
link.ready()
