import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import type { RollingRestart } from '../services/configuration/reloader.ts'
import type { ConfigReport } from '../services/configuration/report.ts'
import type { Control } from '../services/control/control.ts'
import type { LocalControl } from '../services/control/local.ts'
import type { ListenerAddress } from '../services/listener/listener.ts'
import type { Address } from './address.ts'
import type { ControlPlane } from './control-plane.ts'

export interface StartContext {
  token: string
  /** The configuration in force, for the metrics. */
  report: () => ConfigReport
}

/** A gateway that runs, in this process (single-process.ts) or in others (supervised.ts). */
export interface Started {
  /** The public listeners in the configuration's order, then the admin listener where it has one of its own. */
  addresses(): Address[]
  /** Asks and commands every process. */
  control: Control
  /** Answers and obeys for this process. */
  own: LocalControl
  log: Logger
  /** Puts another configuration into force, whole or not at all. @throws where it cannot be had */
  apply(config: Config, token: string): Promise<void>
  /** How the processes are replaced one after another; `null` where there is this one alone. */
  rolling(): RollingRestart | null
  close(): Promise<void>
  closed: Promise<void>
}

export function addressesOf(listeners: readonly ListenerAddress[], admin: ControlPlane | null): Address[] {
  const addresses: Address[] = listeners.map(({ url, protocols }) => ({ kind: 'public', url, protocols }))
  if (admin !== null) addresses.push({ kind: 'admin', url: admin.address.url, protocols: admin.address.protocols })
  return addresses
}
