import {
  EndingError,
  InvalidConfigError,
  ReloadBusyError,
  ReloadFailedError,
  RestartNeededError,
  SingleProcessError,
} from './errors.ts'
import type {
  ConfigChange,
  ConfigOperation,
  ConfigPreview,
  ConfigProblem,
  ConfigReport,
  ReloadFailure,
  ReloadOutcome,
  ReloadTrigger,
} from './report.ts'

/** A configuration that could be in force. */
export interface Candidate {
  /** As people write it, secrets redacted. */
  shown: unknown
}

export type LoadResult<C> = { ok: true; candidate: C } | { ok: false; problems: ConfigProblem[] }

export interface ReloaderOptions<C extends Candidate> {
  /** In force. */
  initial: C
  /** The file; `null` without one. */
  source: string | null
  /** Reads and validates the configuration anew. */
  load(): Promise<LoadResult<C>>
  /** Looks at what its text does not say, and changes nothing. @throws why it could not be put into force */
  check?(candidate: C): Promise<void>
  compare(before: C, after: C): ConfigChange[]
  /** Puts it into force, whole or not at all. @throws where it cannot be had: what runs is as it was */
  apply(candidate: C): Promise<void>
  /** Has the certificates read again, and nothing else. @throws where one cannot be used */
  readCertificates(): Promise<void>
  /** How the processes are replaced one after another; `null` where there is one alone. */
  rolling(): RollingRestart | null
  log: Record<'info' | 'error', (details: object, message: string) => void>
  /** Milliseconds since 1970. */
  now?: () => number
  /** Told of what is in force. */
  changed?(candidate: C): void
  watching?(): boolean
}

/** Replaces processes one after another. */
export interface RollingRestart {
  /** How many there are. */
  processes: number
  run(progress: (replaced: number) => void): Promise<void>
}

/** Where an error comes from matters less than what it says: codes and states of processes too arrive as plain members. */
interface Told extends Error {
  code?: string
  statusCode?: number
}

/** The configuration in force, and the one way to put another in its place: one at a time, and never one that is faulty. */
export class Reloader<C extends Candidate> {
  readonly #options: ReloaderOptions<C>
  readonly #now: () => number
  #current: C
  #version = 1
  #loadedAt: number
  #trigger: ReloadTrigger = 'start'
  #operation: ConfigOperation | null = null
  /** Asked for while another was under way, by someone who waits for no answer. */
  #again: ReloadTrigger | null = null
  #ended = false
  #lastFailure: ConfigReport['lastFailure'] = null
  readonly #counts = { succeeded: 0, failed: 0 }

  constructor(options: ReloaderOptions<C>) {
    this.#options = options
    this.#now = options.now ?? Date.now
    this.#current = options.initial
    this.#loadedAt = this.#now()
  }

  report(): ConfigReport {
    return {
      version: this.#version,
      loadedAt: this.#loadedAt,
      trigger: this.#trigger,
      source: this.#options.source,
      watching: this.#options.watching?.() ?? false,
      operation: this.#operation && { ...this.#operation },
      lastFailure: this.#lastFailure,
      reloads: { ...this.#counts },
      settings: this.#current.shown,
    }
  }

  /** What a reload would change. Changes nothing. */
  async preview(): Promise<ConfigPreview> {
    const { source } = this.#options
    const loaded = await this.#options.load()
    const version = this.#version
    if (!loaded.ok)
      return { valid: false, source, version, failure: failureOf(invalid(loaded.problems), loaded.problems) }
    const changes = this.#options.compare(this.#current, loaded.candidate)
    try {
      await this.#options.check?.(loaded.candidate)
    } catch (error) {
      return { valid: false, source, version, failure: failureOf(error as Told, [], changes) }
    }
    return { valid: true, source, version, changes }
  }

  /** Puts the configuration into force as it is now at its source. Never rejects. */
  async reload({ trigger, force }: { trigger: ReloadTrigger; force: boolean }): Promise<ReloadOutcome> {
    const hindrance = this.#hindrance()
    if (hindrance !== null) return { outcome: 'refused', version: this.#version, failure: failureOf(hindrance) }
    this.#operation = { kind: 'reload', startedAt: this.#now(), done: 0, total: 1 }
    const outcome = await this.#try(trigger, force)
    this.#operation = null
    this.#told(outcome, trigger)
    const rolling = outcome.outcome === 'restarting' ? this.#options.rolling() : null
    if (rolling === null) this.#next()
    else this.#roll(rolling)
    return outcome
  }

  /** The same for someone who waits for no answer: what comes while another is under way is done after it, once. */
  async reloadLater(trigger: ReloadTrigger): Promise<void> {
    if (this.#operation === null) await this.reload({ trigger, force: false })
    else this.#again = trigger
  }

  /** The gateway drains: from now on nothing is put into force. */
  end(): void {
    this.#ended = true
  }

  /** Begins to replace the processes, one after another. @throws SingleProcessError, ReloadBusyError, EndingError */
  restart(): void {
    const rolling = this.#options.rolling()
    if (rolling === null) throw new SingleProcessError()
    const hindrance = this.#hindrance()
    if (hindrance !== null) throw hindrance
    this.#roll(rolling)
  }

  #hindrance(): Told | null {
    if (this.#ended) return new EndingError()
    return this.#operation === null ? null : new ReloadBusyError()
  }

  async #try(trigger: ReloadTrigger, force: boolean): Promise<ReloadOutcome> {
    const options = this.#options
    let problems: ConfigProblem[] = []
    let changes: ConfigChange[] = []
    try {
      const loaded = await options.load()
      if (!loaded.ok) {
        problems = loaded.problems
        throw invalid(problems)
      }
      const { candidate } = loaded
      changes = options.compare(this.#current, candidate)
      await options.check?.(candidate)
      const needed = changes.filter(({ effect }) => effect === 'restart')
      if (needed.length > 0) throw new RestartNeededError(needed.map(({ path }) => path).join(', '))
      const isSame = changes.every(({ effect }) => effect === 'certificates')
      if (isSame && force && options.rolling() !== null) {
        return { outcome: 'restarting', version: this.#version, changes }
      }
      if (isSame && !force) {
        await options.readCertificates()
        if (changes.length === 0) return { outcome: 'unchanged', version: this.#version, changes }
      } else await options.apply(candidate)
      this.#current = candidate
      options.changed?.(candidate)
      this.#version++
      this.#loadedAt = this.#now()
      this.#trigger = trigger
      return { outcome: 'reloaded', version: this.#version, changes }
    } catch (caught) {
      // What breaks off because the gateway ends says something of that, and nothing of the configuration.
      const error = this.#ended ? new EndingError() : caught
      const { code } = error as Told
      // Of a fault of ours, the log has everything.
      if (code?.startsWith('HR_') !== true) options.log.error({ err: error }, 'Unexpected error')
      return { outcome: 'refused', version: this.#version, failure: failureOf(error as Told, problems, changes) }
    }
  }

  /** In the log and in the report. */
  #told(outcome: ReloadOutcome, trigger: ReloadTrigger): void {
    const { log } = this.#options
    const { version } = outcome
    if (outcome.outcome === 'refused') {
      this.#counts.failed++
      const { status: _, ...failure } = outcome.failure
      this.#lastFailure = { ...failure, at: this.#now(), trigger }
      const { code, message, problems } = failure
      log.error({ trigger, code, version, ...(problems.length > 0 && { problems: problems.map(inWords) }) }, message)
      return
    }
    this.#counts.succeeded++
    this.#lastFailure = null
    const paths = outcome.changes.map(({ path }) => path)
    if (outcome.outcome === 'unchanged')
      log.info({ trigger, version }, 'Configuration unchanged; certificates read again')
    if (outcome.outcome === 'reloaded') log.info({ trigger, version, changes: paths }, 'Configuration reloaded')
  }

  #roll(rolling: RollingRestart): void {
    const { log } = this.#options
    const operation: ConfigOperation = { kind: 'restart', startedAt: this.#now(), done: 0, total: rolling.processes }
    this.#operation = operation
    void rolling
      .run((replaced) => {
        operation.done = replaced
      })
      .then(
        () => log.info({ processes: operation.total }, 'Processes restarted'),
        (error: Told) => {
          if (this.#ended) {
            log.info(
              { replaced: operation.done, processes: operation.total },
              'The gateway ends; the restart broke off',
            )
            return
          }
          const { status: _, ...failure } = failureOf(error)
          this.#lastFailure = { ...failure, at: this.#now(), trigger: 'request' }
          log.error({ err: error, replaced: operation.done, processes: operation.total }, 'The restart broke off')
        },
      )
      .finally(() => {
        this.#operation = null
        this.#next()
      })
  }

  #next(): void {
    const trigger = this.#again
    this.#again = null
    if (trigger !== null) void this.reload({ trigger, force: false })
  }
}

function invalid(problems: readonly ConfigProblem[]): Told {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`
  const [first] = problems
  return new InvalidConfigError(count, first === undefined ? '' : inWords(first))
}

/** `headrace.config.yaml:4:13 routes['/*'].to: no upstream is named 'flet'` */
function inWords({ source, line, column, path, message }: ConfigProblem): string {
  const place = [source, line, column].filter((part) => part !== null).join(':')
  return [[place, path].filter((part) => part !== '').join(' '), message].filter((part) => part !== '').join(': ')
}

function failureOf(
  { code = '', message, statusCode = 500 }: Told,
  problems: ConfigProblem[] = [],
  changes: ConfigChange[] = [],
): ReloadFailure {
  if (!code.startsWith('HR_')) {
    const failed = new ReloadFailedError()
    return { code: failed.code, message: failed.message, status: 500, problems, changes }
  }
  return { code, message, status: statusCode, problems, changes }
}
