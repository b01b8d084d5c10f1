import { isAbsolute, resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import { differences } from '../config/differences.ts'
import { effectOf } from '../config/effects.ts'
import { digestFiles, type NamedFile, namedFiles } from '../config/files.ts'
import type { Loaded, ValidConfig } from '../config/load.ts'
import { formatPath } from '../config/problem.ts'
import { redact } from '../config/redact.ts'
import type { Settings } from '../config/schema.ts'
import { moduleFiles } from '../services/options/module-files.ts'
import type { Candidate, LoadResult } from '../services/configuration/reloader.ts'
import type { ChangeEffect, ConfigChange } from '../services/configuration/report.ts'

/** Where a configuration comes from, and can be had again. */
export interface ConfigSource {
  /** As it was loaded. */
  loaded: ValidConfig
  /** Loads it once more. */
  load(): Promise<Loaded>
}

/** A configuration with what is needed to compare it with another. */
export interface Configuration extends Candidate {
  config: Config
  /** `null` for one that was handed over resolved: of it, only files can be told to have changed. */
  settings: Settings | null
  /** Of the files that it names, by the property. */
  digests: ReadonlyMap<string, string>
  /** Absolute: all that a change of it can come from. */
  files: readonly string[]
}

export function configurationOf({
  config,
  settings,
  sources,
}: Pick<ValidConfig, 'config' | 'settings' | 'sources'>): Configuration {
  const toPath = (path: string): string => (isAbsolute(path) ? path : resolve(config.root, path))
  const named = namedFiles(settings).filter(({ live }) => live !== true)
  return {
    config,
    settings,
    shown: redact(settings),
    digests: digestFiles(settings, toPath),
    files: [
      ...sources,
      ...named.flatMap(({ file, module }) => (module === true ? moduleFiles(toPath(file)) : [toPath(file)])),
    ],
  }
}

/** One that has no source to be loaded from again. */
export function bareConfiguration(config: Config): Configuration {
  return { config, settings: null, shown: null, digests: new Map(), files: [] }
}

export async function loadAgain(source: ConfigSource): Promise<LoadResult<Configuration>> {
  const loaded = await source.load()
  return loaded.ok ? { ok: true, candidate: configurationOf(loaded) } : { ok: false, problems: loaded.problems }
}

/** What is different, and what it takes to have it. */
export function compareConfigurations(before: Configuration, after: Configuration): ConfigChange[] {
  if (before.settings === null || after.settings === null) return []
  const processes = { before: before.config.processes, after: after.config.processes }
  const changes = differences(before.settings, after.settings).map(
    (difference): ConfigChange => ({
      ...difference,
      path: formatPath(difference.path),
      effect: effectOf(difference, processes),
    }),
  )
  for (const named of namedFiles(after.settings)) {
    const { file } = named
    const path = formatPath(named.path)
    const known = digestBefore(named, before)
    if (known === undefined || known === after.digests.get(path)) continue
    // Another file has another content, as a rule: that it is named is the change.
    if (named.module !== true && changes.some((change) => isWithin(path, change.path))) continue
    changes.push({ path, kind: 'file', before: file, after: file, effect: effectOfFile(named, processes.before) })
  }
  return changes
}

/** Of a file's content; `undefined` where it was not named. Code is what its file is, wherever that is named. */
function digestBefore({ path, file, module }: NamedFile, { settings, digests }: Configuration): string | undefined {
  if (module !== true || settings === null) return digests.get(formatPath(path))
  const same = namedFiles(settings).find((one) => one.module === true && one.file === file)
  return same && digests.get(formatPath(same.path))
}

/** Code stays in a process as it was loaded, with all that it imports; others load it anew. */
function effectOfFile({ path, module }: NamedFile, processes: number): ChangeEffect {
  if (path[0] === 'listen') return 'certificates'
  return module === true && processes === 1 ? 'restart' : 'reload'
}

/** Whether a property is another, or a part of it. */
function isWithin(path: string, other: string): boolean {
  return path.startsWith(other) && /^($|[.[])/.test(path.slice(other.length))
}
