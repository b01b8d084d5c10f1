import type { Config } from '../config/config.ts'
import { LocalControl } from '../services/control/local.ts'
import { createLog } from '../services/log/logger.ts'
import { configurationMetrics } from '../services/monitor/configuration-metrics.ts'
import type { Address } from './address.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import { prepareDataPlane } from './data-plane.ts'
import { relatedDocs } from './related-docs.ts'
import { addressesOf, type Started, type StartContext } from './started.ts'

/** Runs both planes in this process. @throws HR_LISTENER_*, HR_TLS_*, HR_UPSTREAM_*; nothing stays open then */
export async function startSingleProcess(config: Config, { token, report }: StartContext): Promise<Started> {
  const output = createLog(config.log)
  const { log } = output
  const control = new LocalControl()
  let inForce = config
  let addresses: Address[] = []
  const toAdmin = () => relatedDocs(inForce, 'admin', () => addresses)()
  const toPublic = () => relatedDocs(inForce, 'public', () => addresses)()
  const data = await prepareDataPlane(config, {
    log: output,
    token,
    local: control,
    control,
    related: toAdmin,
    sources: [configurationMetrics(report)],
  })
  const listening = await data.listen()
  let admin: ControlPlane | null = null
  try {
    admin = await startControlPlane(config, { log, token, control, related: toPublic })
  } catch (error) {
    await data.close(0)
    throw error
  }
  addresses = addressesOf(listening, admin)
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  let closing: Promise<void> | null = null
  return {
    addresses: () => addresses,
    control,
    own: control,
    log,
    closed,
    async apply(next, nextToken) {
      const putInForce = await admin?.reconfigure(next, { log, token: nextToken, control, related: toPublic })
      await data.reconfigure(next, nextToken)
      inForce = next
      putInForce?.()
    },
    rolling: () => null,
    close() {
      closing ??= (async () => {
        await data.close(inForce.drainTimeoutMs)
        await admin?.close(inForce.drainTimeoutMs)
        log.flush()
        resolve()
      })()
      return closing
    },
  }
}
