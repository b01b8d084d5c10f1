import type { FastifyError } from '@fastify/error'
import type { Config } from '../config/config.ts'
import { LocalControl } from '../services/control/local.ts'
import { attachProcess } from '../services/control/process.ts'
import { createLog } from '../services/log/logger.ts'
import { KnownSpecifications } from '../services/openapi/known-specifications.ts'
import type { Address } from './address.ts'
import { type DataPlane, prepareDataPlane } from './data-plane.ts'
import { relatedDocs } from './related-docs.ts'

/** What the supervisor gives to each of its processes, the same to all that run at a time. */
export interface ForkedBoot {
  config: Config
  token: string
  ticketKeys: Buffer
  /** It takes the place of one that serves: it is not to serve before it is warm. */
  warm: boolean
}

/** A data-plane process of a supervisor (server.ts). It gets its configuration from there, the same for all. */
const local = new LocalControl()
let plane: DataPlane | null = null
let drainTimeoutMs = 0
/** Of the control plane, which listens in the supervisor once every process is ready. */
let addresses: Pick<Address, 'kind' | 'url'>[] = []

local.obey({
  'admin-address': ({ url }) => {
    addresses = [{ kind: 'admin', url }]
  },
})

const link = attachProcess({
  local,
  drain: async () => {
    await plane?.close(drainTimeoutMs)
  },
  onError: (error) => console.error(error),
})

const { config, token, ticketKeys, warm } = (await link.boot()) as ForkedBoot
drainTimeoutMs = config.drainTimeoutMs
try {
  const specifications = new KnownSpecifications(config.upstreams, null)
  for (const known of (await link.control.ask('openapi-documents')).result) specifications.keep(known)
  plane = await prepareDataPlane(config, {
    log: createLog(config.log),
    token,
    ticketKeys,
    local,
    control: link.control,
    specifications,
    related: relatedDocs(config, 'admin', () => addresses),
  })
  if (warm) await plane.warm()
  await link.mayListen()
  await plane.listen()
} catch (error) {
  const { code = '', message = '' } = error as Partial<FastifyError>
  // A port that is taken is told once, by whoever has started the supervisor; a fault of ours here, with everything.
  if (!code.startsWith('HR_')) throw error
  await link.fail({ code, message })
}
link.ready()
