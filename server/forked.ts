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
plane = await startDataPlane(config, {
  log: createLog(config.log),
  token,
  local,
  control: link.control,
  related: relatedDocs(config, 'admin', () => configuredAdmin(config)),
})
link.ready()
