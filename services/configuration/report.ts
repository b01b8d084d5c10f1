/** A fault of a configuration, with its place. */
export interface ConfigProblem {
  code: string
  message: string
  path: string
  suggestion: string | null
  source: string | null
  line: number | null
  column: number | null
  excerpt: { text: string; length: number } | null
}

/**
 * What has to be done for a property's change. `certificates`: they are read again, and nothing else happens. `restart`: it
 * cannot be had while the gateway runs.
 */
export type ChangeEffect = 'certificates' | 'reload' | 'restart'

/** One difference between the configuration that runs and another. Values are as people write them, secrets redacted. */
export interface ConfigChange {
  /** `upstreams.fleet.timeout.total` */
  path: string
  /** `file`: the property names a file, whose content is another than was read. */
  kind: 'added' | 'removed' | 'changed' | 'file'
  /** `null` where there was nothing. */
  before: unknown
  after: unknown
  effect: ChangeEffect
}

/** What brought a configuration, or the try to bring one. */
export type ReloadTrigger = 'start' | 'signal' | 'watch' | 'request'

/** Why a reload changed nothing. */
export interface ReloadFailure {
  code: string
  message: string
  /** The HTTP status that it is told with. */
  status: number
  /** Faults of the configuration; empty where it is valid. */
  problems: ConfigProblem[]
  /** Changes that were wanted; those with the effect `restart` are what stood in the way. */
  changes: ConfigChange[]
}

/**
 * What came of a reload.
 *
 * - `reloaded`: the new configuration is in force
 * - `unchanged`: it is the one that runs; certificates have been read again
 * - `restarting`: it is the one that runs, and processes are replaced one after another, as was asked for
 * - `refused`: nothing has changed
 */
export type ReloadOutcome =
  | { outcome: 'reloaded' | 'unchanged' | 'restarting'; version: number; changes: ConfigChange[] }
  | { outcome: 'refused'; version: number; failure: ReloadFailure }

/** What a reload would do. */
export type ConfigPreview =
  | { valid: true; source: string | null; version: number; changes: ConfigChange[] }
  | { valid: false; source: string | null; version: number; failure: ReloadFailure }

/** Something that takes a while. */
export interface ConfigOperation {
  kind: 'reload' | 'restart'
  /** ms since 1970 */
  startedAt: number
  /** Processes that have been replaced, and all that are to be. */
  done: number
  total: number
}

/** The configuration in force and what became of tries to change it. Times in ms since 1970. */
export interface ConfigReport {
  /** Counts configurations since the start, from 1. */
  version: number
  loadedAt: number
  trigger: ReloadTrigger
  /** The file; `null` without one. */
  source: string | null
  /** A change of the file, or of one that it names, reloads it. */
  watching: boolean
  /** What is under way. */
  operation: ConfigOperation | null
  /** The last try that failed, until one has succeeded. */
  lastFailure: (Omit<ReloadFailure, 'status'> & { at: number; trigger: ReloadTrigger }) | null
  reloads: { succeeded: number; failed: number }
  /** As people write it, defaults filled in, secrets redacted. */
  settings: unknown
}
