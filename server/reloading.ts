import type { Config } from '../config/config.ts'
import { FileWatch } from '../services/configuration/file-watch.ts'
import { Reloader } from '../services/configuration/reloader.ts'
import type { ConfigReport, ReloadOutcome, ReloadTrigger } from '../services/configuration/report.ts'
import { checkCertificates } from '../services/listener/tls.ts'
import { documentFaults } from '../services/openapi/document-files.ts'
import {
  bareConfiguration,
  compareConfigurations,
  type ConfigSource,
  type Configuration,
  configurationOf,
  loadAgain,
} from './configuration.ts'
import type { Started } from './started.ts'

/** What the gateway that runs gives to its reloads. */
export interface ReloadContext extends Pick<Started, 'log' | 'own' | 'control' | 'rolling'> {
  /** Puts another configuration into force, whole or not at all. */
  apply(config: Config): Promise<void>
}

/** The configuration in force, its file, and what may become of it. */
export interface Reloading {
  report(): ConfigReport
  /** The gateway runs: from now on it answers and obeys in this, and looks after its files where it is told to. */
  start(context: ReloadContext): void
  reload(trigger: ReloadTrigger): Promise<ReloadOutcome>
  /** For whoever waits for no answer; before {@link start}, it happens then. */
  later(trigger: ReloadTrigger): void
  /** The gateway ends: nothing is put into force any more. */
  stop(): void
}

/** @param source `null`: there is none to load from again */
export function createReloading(config: Config, source: ConfigSource | null): Reloading {
  let inForce = source === null ? bareConfiguration(config) : configurationOf(source.loaded)
  let running: ReloadContext | null = null
  /** What has asked for a reload before there was anything to reload. */
  let early: ReloadTrigger | null = null
  const watch = new FileWatch({ files: () => inForce.files, changed: () => void reloader.reloadLater('watch') })
  const reloader = new Reloader<Configuration>({
    initial: inForce,
    source: config.file,
    load: async () => (source === null ? { ok: true, candidate: inForce } : loadAgain(source)),
    check: ({ config: candidate }) => checkFiles(candidate),
    compare: compareConfigurations,
    apply: async (candidate) => running?.apply(candidate.config),
    readCertificates: async () => void (await running?.control.tell('certificates')),
    rolling: () => running?.rolling() ?? null,
    log: {
      info: (details, message) => running?.log.info(details, message),
      error: (details, message) => running?.log.error(details, message),
    },
    watching: () => watch.active,
    changed(candidate) {
      inForce = candidate
      watchAsTold()
    },
  })
  const watchAsTold = (): void => {
    if (inForce.config.reload.watch) void watch.start()
    else watch.stop()
  }
  return {
    report: () => reloader.report(),
    start(context) {
      running = context
      context.own.answer({ config: () => reloader.report(), 'config-preview': () => reloader.preview() })
      context.own.obey({
        'config-reload': (how) => reloader.reload(how),
        restart: () => reloader.restart(),
      })
      watchAsTold()
      if (early !== null) void reloader.reloadLater(early)
    },
    reload: (trigger) => reloader.reload({ trigger, force: false }),
    later(trigger) {
      if (running === null) early = trigger
      else void reloader.reloadLater(trigger)
    },
    stop() {
      watch.stop()
      reloader.end()
    },
  }
}

/** What lies in files can be used. @throws HR_TLS_…, HR_OPENAPI_FILE */
async function checkFiles(config: Config): Promise<void> {
  await checkCertificates(config.listen)
  const [fault] = await documentFaults(config)
  if (fault !== undefined) throw fault.error
}
