import { fileURLToPath } from 'node:url'
import type { Config } from './config/config.ts'
import type { Address } from './server/address.ts'
import { type ControlPlane, startControlPlane } from './server/control-plane.ts'
import { startDataPlane } from './server/data-plane.ts'
import { relatedDocs } from './server/related-docs.ts'
import { endOnSignals } from './server/signals.ts'
import { LocalControl } from './services/control/local.ts'
import { startSupervisor } from './services/control/supervisor.ts'
import type { Control } from './services/control/control.ts'
import { removeAdminAddress, resolveToken, writeAdminAddress } from './services/control/token.ts'
import type { ListenerAddress } from './services/listener/listener.ts'
import { createLog } from './services/log/logger.ts'

/** A gateway that runs. */
export interface Running {
  /** The public listeners in the configuration's order, then the admin listener where it has one of its own. */
  addresses: Address[]
  /** The admin token; empty where the control plane is off. */
  token: string
  /** The token was made here and not configured: only then may it be shown, and on a terminal only. */
  tokenGenerated: boolean
  control: Control
  /** Stops accepting, lets requests in flight finish until the drain deadline, and closes. */
  close(): Promise<void>
  /** Resolves when everything is closed, by `close()` or by a signal. */
  closed: Promise<void>
}

export interface ServeOptions {
  /** Drain on SIGTERM and SIGINT; a second one ends at once. For the process that runs nothing else. */
  signals?: boolean
}

/**
 * Runs a gateway: in this process, or with `processes: n` in n that this one supervises.
 *
 * @throws HR_LISTENER_* (a port in use, say), HR_TLS_*, HR_CONTROL_*
 */
export async function serve(config: Config, options: ServeOptions = {}): Promise<Running> {
  const { token, generated } = config.admin
    ? resolveToken(config.admin.token, config.dataDir)
    : { token: '', generated: false }
  const start = config.processes === 1 ? serveAlone : serveMany
  const running = await start(config, token)
  const adminUrl = announceAdmin(config, running.addresses)
  const closed = running.closed.then(() => {
    if (adminUrl !== null) removeAdminAddress(config.dataDir, adminUrl)
  })
  const result = { ...running, closed, token, tokenGenerated: generated }
  if (options.signals === true && config.processes === 1) endOnSignals(result, config.drainTimeoutMs)
  return result
}

type Started = Omit<Running, 'token' | 'tokenGenerated'>

async function serveAlone(config: Config, token: string): Promise<Started> {
  const output = createLog(config.log)
  const { log } = output
  const control = new LocalControl()
  let addresses: Address[] = []
  const data = await startDataPlane(config, {
    log: output,
    token,
    local: control,
    control,
    related: relatedDocs(config, 'admin', () => addresses),
  })
  let admin: ControlPlane | null = null
  try {
    admin = await startControlPlane(config, {
      log,
      token,
      control,
      related: relatedDocs(config, 'public', () => addresses),
    })
  } catch (error) {
    await data.close(0)
    throw error
  }
  addresses = addressesOf(data.addresses, admin)
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  let closing: Promise<void> | null = null
  return {
    addresses,
    control,
    closed,
    close() {
      closing ??= (async () => {
        await data.close(config.drainTimeoutMs)
        await admin?.close(config.drainTimeoutMs)
        log.flush()
        resolve()
      })()
      return closing
    },
  }
}

async function serveMany(config: Config, token: string): Promise<Started> {
  const { log } = createLog(config.log)
  // Processes that log through the same standard output write JSON or text as this one would have.
  const supervisor = startSupervisor({
    processes: config.processes,
    exec: forkedEntry(),
    args: [],
    env: {},
    boot: { config, token },
    drainTimeoutMs: config.drainTimeoutMs,
    log,
    // This process logs too, what its processes do and what its control plane answers.
    obey: { 'log-level': ({ level }) => void (log.level = level) },
  })
  let addresses: Address[] = []
  let admin: ControlPlane | null = null
  try {
    await supervisor.ready
    const { control } = supervisor
    admin = await startControlPlane(config, {
      log,
      token,
      control,
      related: relatedDocs(config, 'public', () => addresses),
    })
    addresses = addressesOf((await control.ask('addresses')).result, admin)
  } catch (error) {
    await supervisor.close()
    await admin?.close(0)
    throw error
  }
  return {
    addresses,
    control: supervisor.control,
    closed: supervisor.closed.then(() => admin?.close(config.drainTimeoutMs)),
    close: () => supervisor.close(),
  }
}

function forkedEntry(): string {
  const own = import.meta.url
  return fileURLToPath(new URL(own.endsWith('.ts') ? './server/forked.ts' : './server/forked.js', own))
}

function addressesOf(listeners: readonly ListenerAddress[], admin: ControlPlane | null): Address[] {
  const addresses: Address[] = listeners.map(({ url, protocols }) => ({ kind: 'public', url, protocols }))
  if (admin !== null) addresses.push({ kind: 'admin', url: admin.address.url, protocols: admin.address.protocols })
  return addresses
}

/** Leaves the control plane's address where the command line looks for it. */
function announceAdmin(config: Config, addresses: readonly Address[]): string | null {
  if (config.admin === null) return null
  // The public ones stand in the configuration's order; one that redirects is no address for a token.
  const shared = addresses[config.listen.findIndex(({ redirect }) => redirect === null)]
  const own = addresses.find(({ kind }) => kind === 'admin')
  const url = (config.admin.shared ? shared : own)?.url ?? null
  if (url !== null) writeAdminAddress(config.dataDir, url)
  return url
}
