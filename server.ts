import type { Logger } from 'pino'
import type { Config } from './config/config.ts'
import type { Address } from './server/address.ts'
import { startSingleProcess } from './server/single-process.ts'
import type { ConfigSource } from './server/configuration.ts'
import { createReloading } from './server/reloading.ts'
import { endOnSignals, reloadOnHangup } from './server/signals.ts'
import { startSupervised } from './server/supervised.ts'
import type { ReloadOutcome } from './services/configuration/report.ts'
import type { Control } from './services/control/control.ts'
import { removeAdminAddress, resolveToken, writeAdminAddress } from './services/control/token.ts'

/** A gateway that runs. */
export interface Running {
  /** The public listeners in the configuration's order, then the admin listener where it has one of its own. */
  readonly addresses: Address[]
  /** The admin token; empty where the control plane is off. */
  token: string
  /** The token was made here and not configured: only then may it be shown, and on a terminal only. */
  tokenGenerated: boolean
  control: Control
  /** Of this process; with several it is the supervisor's. */
  log: Logger
  /**
   * Puts the configuration into force as it is now at its source. What is faulty, or cannot be had while it runs, changes
   * nothing, and is told.
   */
  reload(): Promise<ReloadOutcome>
  /** Stops accepting, lets requests in flight finish until the drain deadline, and closes. */
  close(): Promise<void>
  /** Resolves when everything is closed, by `close()` or by a signal. */
  closed: Promise<void>
}

export interface ServeOptions {
  /**
   * Drain on SIGTERM and SIGINT and end with code 0; a second one ends at once, with 1; reload on SIGHUP. For a process that
   * runs nothing else.
   */
  signals?: boolean
  /** Where the configuration comes from. Without it, a reload reads the certificates again and nothing else. */
  source?: ConfigSource
}

/**
 * Runs a gateway: in this process, or with `processes: n` in n that this one supervises.
 *
 * @throws HR_LISTENER_* (a port in use, say), HR_TLS_*, HR_CONTROL_*
 */
export async function serve(config: Config, options: ServeOptions = {}): Promise<Running> {
  const { token, generated } = tokenOf(config)
  const reloading = createReloading(config, options.source ?? null)
  // First of all: it answers before the start is over, and whoever sees that may ask for a reload.
  if (options.signals === true) reloadOnHangup(() => reloading.later('signal'))
  const start = config.processes === 1 ? startSingleProcess : startSupervised
  const started = await start(config, { token, report: () => reloading.report() })
  let announced: string | null = null
  const announce = (its: Config): void => {
    announced = announceAdmin(its, { addresses: started.addresses(), log: started.log })
  }
  try {
    announce(config)
  } catch (error) {
    await started.close()
    throw error
  }
  const closed = started.closed.then(() => {
    reloading.stop()
    if (announced !== null) removeAdminAddress(config.dataDir, announced)
  })
  const result: Running = {
    get addresses() {
      return started.addresses()
    },
    token,
    tokenGenerated: generated,
    control: started.control,
    log: started.log,
    reload: () => reloading.reload('request'),
    close() {
      reloading.stop()
      return started.close()
    },
    closed,
  }
  let leave = options.signals === true ? endOnSignals(result, config.drainTimeoutMs) : null
  reloading.start({
    ...started,
    async apply(next) {
      await started.apply(next, tokenOf(next).token)
      try {
        announce(next)
      } catch (error) {
        started.log.warn({ err: error }, 'The command line may not find this gateway by itself')
      }
      if (leave === null) return
      leave()
      leave = endOnSignals(result, next.drainTimeoutMs)
    },
  })
  return result
}

function tokenOf({ admin, dataDir }: Config): { token: string; generated: boolean } {
  return admin ? resolveToken(admin.token, dataDir) : { token: '', generated: false }
}

/**
 * Which public listener the command line speaks to; the addresses stand in the same order. One that redirects is no
 * address for a token. A certificate names hosts, and not the loopback that the command line connects to, unless it is the
 * development one: cleartext comes before it.
 */
function sharedListener(listeners: Config['listen']): number {
  const plain = listeners.findIndex(({ redirect, tls }) => redirect === null && (tls === null || tls === 'development'))
  return plain === -1 ? listeners.findIndex(({ redirect }) => redirect === null) : plain
}

/** What the system says where nothing may be written, as in a container with a file system to be read only. */
const READ_ONLY = new Set(['EROFS', 'EACCES', 'EPERM'])

/**
 * Leaves the control plane's address where the command line looks for it: a convenience, that no start fails for.
 *
 * @returns what there is to take away
 * @throws HR_CONTROL_DATA_DIR where `dataDir` can be no folder
 */
function announceAdmin(config: Config, { addresses, log }: Pick<Running, 'addresses' | 'log'>): string | null {
  if (config.admin === null) return null
  const shared = addresses[sharedListener(config.listen)]
  const own = addresses.find(({ kind }) => kind === 'admin')
  const url = (config.admin.shared ? shared : own)?.url ?? null
  try {
    if (url !== null) writeAdminAddress(config.dataDir, url)
    return url
  } catch (error) {
    const { cause } = error as { cause?: { code?: string } }
    if (!READ_ONLY.has(cause?.code ?? '')) throw error
    // A read-only file system is how a container may be run: no stack for that.
    log.warn(
      { reason: (error as Error).message },
      'The command line will not find this gateway by itself: give it --admin',
    )
    return null
  }
}
